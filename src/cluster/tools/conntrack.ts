/** `conntrack -L`: the entries of the connection table, as conntrack-tools prints them. */
import type { ConntrackEntry } from '../../netfilter/conntrack/entry.ts';
import { hasPorts, isIcmp, type Tuple } from '../../netfilter/tuple.ts';
import {
  familyOf,
  formatIpAddress,
  type IpAddress,
  type IpFamily,
  sameAddress,
  tryParseIpAddress,
} from '../../wire/ip-address.ts';
import { PROTOCOL } from '../../wire/protocol.ts';
import { type Tool, ToolExit } from './tool.ts';

const PROTOCOL_NAMES: ReadonlyMap<number, string> = new Map([
  [PROTOCOL.icmp, 'icmp'],
  [PROTOCOL.tcp, 'tcp'],
  [PROTOCOL.udp, 'udp'],
  [PROTOCOL.icmpv6, 'icmpv6'],
  [PROTOCOL.sctp, 'sctp'],
  [PROTOCOL.gre, 'gre'],
  [PROTOCOL.udplite, 'udplite'],
]);

function tupleText(tuple: Tuple): string {
  const { protocol, src, dst, sport, dport } = tuple;
  const ends = `src=${formatIpAddress(src)} dst=${formatIpAddress(dst)} `;
  if (isIcmp(protocol)) return `${ends}type=${dport >> 8} code=${dport & 255} id=${sport} `;
  if (hasPorts(protocol)) return `${ends}sport=${sport} dport=${dport} `;
  return protocol === PROTOCOL.gre
    ? `${ends}srckey=0x${sport.toString(16)} dstkey=0x${dport.toString(16)} `
    : ends;
}

/** One entry at virtual time `now`, without its newline; `extended`: with its family (`-o extended`). */
export function formatEntry(entry: ConntrackEntry, now: number, extended = false): string {
  const { original, reply, seenReply, assured, mark, zone, expires, tcp, sctp } = entry;
  const { protocol } = original;
  const name = PROTOCOL_NAMES.get(protocol) ?? 'unknown';
  const v4 = familyOf(original.src) === 'ipv4';
  const state = tcp?.state ?? sctp?.state;
  return [
    extended ? `${v4 ? 'ipv4     2' : 'ipv6     10'} ` : '',
    `${name.padEnd(8)} ${protocol} `,
    `${Math.max(0, Math.floor(expires - now))} `,
    state === undefined ? '' : `${state} `,
    tupleText(original),
    seenReply ? '' : '[UNREPLIED] ',
    tupleText(reply),
    assured ? '[ASSURED] ' : '',
    `mark=${mark >>> 0} `,
    zone === 0 ? '' : `zone=${zone} `,
    'use=1',
  ].join('');
}

type Filter = (entry: ConntrackEntry) => boolean;

interface Listing {
  family: IpFamily;
  extended: boolean;
  readonly filters: Filter[];
}

const MAX_PORT = 65_535;

function numberOf(text: string, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= max))
    throw new ToolExit(2, `conntrack v1.4.7 (conntrack-tools): \`${text}' is not a valid value`);
  return value;
}

function addressOf(text: string): IpAddress {
  const address = tryParseIpAddress(text);
  if (address === undefined) {
    throw new ToolExit(2, `conntrack v1.4.7 (conntrack-tools): Parse error: invalid IP address \`${text}'`);
  }
  return address;
}

function protocolOf(text: string): number {
  for (const [number, name] of PROTOCOL_NAMES) if (name === text.toLowerCase()) return number;
  return numberOf(text, 255);
}

const hasNat = ({ sourceNat, destinationNat }: ConntrackEntry) => sourceNat || destinationNat;

type OptionReader = (value: string, listing: Listing) => void;

function addFilter(make: (value: string) => Filter): OptionReader {
  return (value, { filters }) => filters.push(make(value));
}

function addressFilter(of: (entry: ConntrackEntry) => IpAddress): OptionReader {
  return (value, listing) => {
    const address = addressOf(value);
    listing.family = familyOf(address);
    listing.filters.push((entry) => sameAddress(of(entry), address));
  };
}

function portFilter(of: (entry: ConntrackEntry) => number): OptionReader {
  return addFilter((value) => {
    const port = numberOf(value, MAX_PORT);
    return (entry) => of(entry) === port;
  });
}

/** Options with a value. */
const WITH_VALUE: Readonly<Record<string, OptionReader>> = {
  '-p': addFilter((value) => {
    const protocol = protocolOf(value);
    return (entry) => entry.original.protocol === protocol;
  }),
  '-f': (value, listing) => {
    if (value !== 'ipv4' && value !== 'ipv6') {
      throw new ToolExit(2, `conntrack v1.4.7 (conntrack-tools): unknown layer 3 protocol`);
    }
    listing.family = value;
  },
  '-o': (value, listing) => {
    listing.extended = value.split(',').includes('extended');
  },
  '-s': addressFilter(({ original }) => original.src),
  '-d': addressFilter(({ original }) => original.dst),
  '-r': addressFilter(({ reply }) => reply.src),
  '-q': addressFilter(({ reply }) => reply.dst),
  '-m': addFilter((value) => {
    const [mark = 0, mask = 0xffffffff] = value.split('/').map(Number);
    return (entry) => (entry.mark & mask) >>> 0 === mark >>> 0;
  }),
  '-w': addFilter((value) => {
    const zone = numberOf(value, MAX_PORT);
    return (entry) => entry.zone === zone;
  }),
  '--sport': portFilter(({ original }) => original.sport),
  '--dport': portFilter(({ original }) => original.dport),
  '--reply-port-src': portFilter(({ reply }) => reply.sport),
  '--reply-port-dst': portFilter(({ reply }) => reply.dport),
  '--state': addFilter((value) => (entry) => entry.tcp?.state === value.toUpperCase()),
  '-u': addFilter((value) => {
    const kinds: Readonly<Record<string, Filter>> = {
      ASSURED: ({ assured }) => assured,
      SEEN_REPLY: ({ seenReply }) => seenReply,
      UNSET: ({ seenReply, assured }) => !seenReply && !assured,
    };
    return kinds[value.toUpperCase()] ?? (() => false);
  }),
};

/** Options without one. */
const FLAGS: Readonly<Record<string, Filter>> = {
  '-n': ({ sourceNat }) => sourceNat,
  '-g': ({ destinationNat }) => destinationNat,
  '-j': hasNat,
};

const LONG: Readonly<Record<string, string>> = {
  '--dump': '-L',
  '--count': '-C',
  '--flush': '-F',
  '--delete': '-D',
  '--proto': '-p',
  '--protonum': '-p',
  '--family': '-f',
  '--output': '-o',
  '--orig-src': '-s',
  '--src': '-s',
  '--orig-dst': '-d',
  '--dst': '-d',
  '--reply-src': '-r',
  '--reply-dst': '-q',
  '--mark': '-m',
  '--zone': '-w',
  '--orig-port-src': '--sport',
  '--orig-port-dst': '--dport',
  '--status': '-u',
  '--src-nat': '-n',
  '--dst-nat': '-g',
  '--any-nat': '-j',
};

const COMMANDS = ['-L', '-C', '-F', '-D'];
const NAME = 'conntrack v1.4.7 (conntrack-tools)';

function readArguments(args: readonly string[]): { readonly command: string; readonly listing: Listing } {
  const listing: Listing = { family: 'ipv4', extended: false, filters: [] };
  let command: string | undefined;
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? '';
    const option = LONG[word] ?? word;
    const flag = FLAGS[option];
    const reader = WITH_VALUE[option];
    if (COMMANDS.includes(option)) command = option;
    else if (flag !== undefined) listing.filters.push(flag);
    else if (reader !== undefined) {
      const value = args[++at];
      if (value === undefined)
        throw new ToolExit(2, `conntrack: option requires an argument -- '${word.replace(/^-+/, '')}'`);
      reader(value, listing);
    } else if (word !== 'conntrack')
      throw new ToolExit(2, `${NAME}: Bad parameter: ${word} is not supported here`);
  }
  if (command === undefined) throw new ToolExit(2, `${NAME}: You need to supply a command: -L, -C, -D or -F`);
  return { command, listing };
}

/** `conntrack` with `args`: -L, -C, -D and -F with filters. */
export const conntrack: Tool = (args, { namespace, scheduler, print, complain }) => {
  const { command, listing } = readArguments(args);
  const { conntrack: table } = namespace.host.netfilter;
  const now = scheduler.now();
  const entries = [...table.entries(now)];
  if (command === '-C') {
    print(`${entries.length}\n`);
    return 0;
  }
  if (command === '-F') {
    for (const entry of entries) table.delete(entry);
    complain(`${NAME}: connection tracking table has been emptied.\n`);
    return 0;
  }
  const wanted = entries.filter(
    (entry) =>
      familyOf(entry.original.src) === listing.family && listing.filters.every((filter) => filter(entry)),
  );
  for (const entry of wanted) {
    print(`${formatEntry(entry, now, listing.extended)}\n`);
    if (command === '-D') table.delete(entry);
  }
  const done = command === '-D' ? 'deleted' : 'shown';
  complain(`${NAME}: ${wanted.length} flow entries have been ${done}.\n`);
  // -D of nothing is a failure, as conntrack has it.
  return command === '-D' && wanted.length === 0 ? 1 : 0;
};
