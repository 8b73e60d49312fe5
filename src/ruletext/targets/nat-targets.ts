/** `-j SNAT`, `DNAT`, `MASQUERADE`, `REDIRECT`. */
import type { AddressRange } from '../../netfilter/match.ts';
import type { DeviceNatTarget, NatPorts, NatRange, NatTarget } from '../../netfilter/target.ts';
import { sameAddress } from '../../wire/ip-address.ts';
import { formatAddress, parseAddress } from '../address-text.ts';
import { defineExtension, type Options, type OptionUse } from '../match-module.ts';
import { tryParseNumber } from '../numbers.ts';
import { servicePort } from '../service-ports.ts';
import type { TargetModule } from '../target-module.ts';

/** Protocols that a port in a range is accepted for (libxt_NAT.c, portok). */
const PORT_PROTOCOLS: ReadonlySet<number> = new Set([1, 6, 17, 33, 132]);

interface NatDraft {
  range?: NatRange;
  random: boolean;
  randomFully: boolean;
  persistent: boolean;
}

/** `PORT`, `LOW-HIGH` or `LOW-HIGH/BASE`; a single port may be a service name. */
function readPorts(use: OptionUse, text: string): NatPorts {
  const { context } = use;
  const protocol = context.protocol;
  // The protocol's negation is not looked at: `! -p tcp` passes, as it does in iptables.
  if (protocol === undefined || !PORT_PROTOCOLS.has(protocol.number)) {
    throw context.error(`--${use.option} with a port needs -p tcp, udp, sctp or dccp before it`);
  }
  const complain = (part: string): never =>
    context.fail(`bad port '${part}' in --${use.option}; expected PORT, LOW-HIGH or LOW-HIGH/BASE`);
  const single = tryParseNumber(text, 0, 0xffff) ?? servicePort(text);
  if (single !== undefined) return { from: single, to: single };
  const dash = text.indexOf('-');
  const slash = text.indexOf('/', dash + 1);
  if (dash < 0) complain(text);
  const from = tryParseNumber(text.slice(0, dash), 0, 0xffff) ?? complain(text.slice(0, dash));
  const high = slash < 0 ? text.slice(dash + 1) : text.slice(dash + 1, slash);
  const to = tryParseNumber(high, 0, 0xffff) ?? complain(high);
  if (to < from)
    throw context.error(`bad port range '${text}' in --${use.option}; expected the lower port first`);
  if (slash < 0) return { from, to };
  // Only xt_DNAT has a revision that shifts ports.
  if (use.option !== 'to-destination') throw context.error(`--${use.option} takes no /BASE after its ports`);
  const baseText = text.slice(slash + 1);
  const base = tryParseNumber(baseText, 1, 0xffff) ?? servicePort(baseText) ?? complain(baseText);
  return { from, to, base };
}

function readAddresses(use: OptionUse, text: string): AddressRange {
  const dash = text.indexOf('-');
  const option = `--${use.option}`;
  const from = parseAddress(use.context, option, dash < 0 ? text : text.slice(0, dash));
  return { from, to: dash < 0 ? from : parseAddress(use.context, option, text.slice(dash + 1)) };
}

/** `ADDRESS[-ADDRESS][:PORTS]`, `[ADDRESS]:PORTS` for IPv6, or `:PORTS` (libxt_NAT.c, parse_to). */
function readRange(use: OptionUse): NatRange {
  const { text, context } = use;
  const bracket = text.indexOf('[');
  let addresses = text;
  let ports: string | undefined;
  if (bracket >= 0) {
    const close = text.indexOf(']', bracket);
    if (close < 0 || context.family === 'ipv4') {
      throw context.error(
        `bad value '${text}' for --${use.option}; brackets hold an IPv6 address: [ADDRESS]:PORT`,
      );
    }
    addresses = text.slice(bracket + 1, close);
    const colon = text.indexOf(':', close);
    if (colon >= 0) ports = text.slice(colon + 1);
  } else {
    const colon = text.indexOf(':');
    if (colon >= 0 && text.indexOf(':', colon + 1) < 0) {
      // Two characters before the colon are taken for `[]`, whatever they are.
      addresses = colon === 2 ? '' : text.slice(0, colon);
      ports = text.slice(colon + 1);
    }
  }
  const parsedPorts = ports === undefined ? undefined : readPorts(use, ports);
  if (parsedPorts === undefined) return { addresses: readAddresses(use, addresses) };
  return addresses === ''
    ? { ports: parsedPorts }
    : { addresses: readAddresses(use, addresses), ports: parsedPorts };
}

const FLAGS: Options<NatDraft> = {
  random: {
    values: 0,
    read: (draft) => {
      draft.random = true;
    },
  },
};
const RANDOM_FULLY: Options<NatDraft> = {
  'random-fully': {
    values: 0,
    read: (draft) => {
      draft.randomFully = true;
    },
  },
};
const PERSISTENT: Options<NatDraft> = {
  persistent: {
    values: 0,
    read: (draft) => {
      draft.persistent = true;
    },
  },
};

const newDraft = (): NatDraft => ({ random: false, randomFully: false, persistent: false });

function natModule(
  name: string,
  kind: NatTarget['kind'],
  option: string,
  flags: Options<NatDraft>,
): TargetModule {
  return defineExtension<NatDraft, NatTarget>({
    name,
    options: {
      [option]: {
        values: 1,
        read: (draft, use) => {
          draft.range = readRange(use);
        },
      },
      ...flags,
    },
    draft: newDraft,
    finish: ({ range, ...rest }, context) => {
      if (range === undefined) throw context.error(`-j ${name} needs --${option}`);
      return { kind, range, ...rest };
    },
  });
}

function deviceNatModule(
  name: string,
  kind: DeviceNatTarget['kind'],
  flags: Options<NatDraft>,
): TargetModule {
  return defineExtension<NatDraft, DeviceNatTarget>({
    name,
    options: {
      'to-ports': {
        values: 1,
        read: (draft, use) => {
          draft.range = { ports: readPorts(use, use.text) };
        },
      },
      ...flags,
    },
    draft: newDraft,
    finish: ({ range, ...rest }) =>
      range?.ports === undefined ? { kind, ...rest } : { kind, ports: range.ports, ...rest },
  });
}

export const NAT_TARGET_MODULES: readonly TargetModule[] = [
  natModule('SNAT', 'snat', 'to-source', { ...FLAGS, ...RANDOM_FULLY, ...PERSISTENT }),
  natModule('DNAT', 'dnat', 'to-destination', { ...FLAGS, ...PERSISTENT }),
  deviceNatModule('MASQUERADE', 'masquerade', { ...FLAGS, ...RANDOM_FULLY }),
  deviceNatModule('REDIRECT', 'redirect', FLAGS),
];

function formatNatPorts(ports: NatPorts): string {
  const range = ports.from === ports.to ? String(ports.from) : `${ports.from}-${ports.to}`;
  return ports.base === undefined ? range : `${range}/${ports.base}`;
}

/** `ADDRESS[-ADDRESS][:PORTS]`, `[ADDRESS[-ADDRESS]]:PORTS` for IPv6. */
export function formatNatRange({ addresses, ports }: NatRange): string {
  let text = '';
  if (addresses !== undefined) {
    text = formatAddress(addresses.from);
    if (!sameAddress(addresses.from, addresses.to)) text += `-${formatAddress(addresses.to)}`;
    if (ports !== undefined && typeof addresses.from !== 'number') text = `[${text}]`;
  }
  return ports === undefined ? text : `${text}:${formatNatPorts(ports)}`;
}

function formatFlags(target: NatTarget | DeviceNatTarget): string {
  return (
    (target.random ? ' --random' : '') +
    (target.randomFully ? ' --random-fully' : '') +
    (target.persistent ? ' --persistent' : '')
  );
}

/** `-j SNAT …`, `-j DNAT …`. */
export function formatNat(target: NatTarget): string {
  const head = target.kind === 'snat' ? '-j SNAT --to-source' : '-j DNAT --to-destination';
  return `${head} ${formatNatRange(target.range)}${formatFlags(target)}`;
}

/** `-j MASQUERADE …`, `-j REDIRECT …`. */
export function formatDeviceNat(target: DeviceNatTarget): string {
  const ports = target.ports === undefined ? '' : ` --to-ports ${formatNatPorts(target.ports)}`;
  return `-j ${target.kind.toUpperCase()}${ports}${formatFlags(target)}`;
}
