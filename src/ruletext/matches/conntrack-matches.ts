/** `-m conntrack` and its elder `-m state`. */
import {
  type ConntrackMatch,
  CT_STATES,
  CT_STATUSES,
  type NegatableAddress,
  type PortTest,
  type StateMatch,
} from '../../netfilter/match.ts';
import { sameAddress } from '../../wire/ip-address.ts';
import { maskLength } from '../../wire/ip-prefix.ts';
import { formatAddress, formatNetwork, hostMask, parseHostAndMask } from '../address-text.ts';
import { defineExtension, type MatchModule, type Options, type OptionUse } from '../match-module.ts';
import { bang, formatRange, parsePortRange, tryParseNumber } from '../numbers.ts';
import { parseProtocol } from '../protocols.ts';

type Draft = { -readonly [Key in keyof Omit<ConntrackMatch, 'kind'>]: ConntrackMatch[Key] };

/**
 * A comma list of names out of `known`, any case, in the order of `known`. Names may be cut short:
 * the parser of libxt_conntrack compares only as many letters as were written.
 */
function readNames<Name extends string>(use: OptionUse, known: readonly Name[]): readonly Name[] {
  const found = new Set<Name>();
  for (const part of use.text.split(',')) {
    const wanted = part.toUpperCase();
    const name = wanted === '' ? undefined : known.find((candidate) => candidate.startsWith(wanted));
    if (name === undefined) {
      throw use.context.error(
        `bad value '${use.text}' for --${use.option}; expected a comma list of ${known.join(', ')}`,
      );
    }
    found.add(name);
  }
  return known.filter((name) => found.has(name));
}

type AddressKey = 'origSrc' | 'origDst' | 'replSrc' | 'replDst';
type PortKey = 'origSrcPort' | 'origDstPort' | 'replSrcPort' | 'replDstPort';

const ADDRESS_OPTIONS: readonly (readonly [string, AddressKey])[] = [
  ['ctorigsrc', 'origSrc'],
  ['ctorigdst', 'origDst'],
  ['ctreplsrc', 'replSrc'],
  ['ctrepldst', 'replDst'],
];
const PORT_OPTIONS: readonly (readonly [string, PortKey])[] = [
  ['ctorigsrcport', 'origSrcPort'],
  ['ctorigdstport', 'origDstPort'],
  ['ctreplsrcport', 'replSrcPort'],
  ['ctrepldstport', 'replDstPort'],
];

function addressOption(key: AddressKey) {
  return {
    values: 1,
    invert: true,
    read: (draft: Draft, use: OptionUse) => {
      const { address, mask } = parseHostAndMask(use.context, `--${use.option}`, use.text);
      // A mask without a length is taken for a host's (xtopt_parse_plenmask).
      const taken = maskLength(mask) === undefined ? hostMask(use.context.family) : mask;
      draft[key] = { negate: use.negate, address, mask: taken };
    },
  } as const;
}

function portOption(key: PortKey) {
  return {
    values: 1,
    invert: true,
    read: (draft: Draft, use: OptionUse) => {
      draft[key] = { negate: use.negate, ...parsePortRange(use.context, use.option, use.text) };
    },
  } as const;
}

/** `SECONDS`, `LOW:HIGH`, `LOW:`, `:HIGH`; unsigned 32-bit. */
function readExpire(use: OptionUse): PortTest {
  const parts = use.text.split(':');
  const number = (text: string, missing: number) =>
    text === '' ? missing : tryParseNumber(text, 0, 0xffffffff);
  const from = number(parts[0] ?? '', 0);
  const to = parts.length === 1 ? from : number(parts[1] ?? '', 0xffffffff);
  if (parts.length > 2 || from === undefined || to === undefined) {
    throw use.context.error(`bad value '${use.text}' for --ctexpire; expected SECONDS or LOW:HIGH`);
  }
  return { negate: use.negate, from, to };
}

const OPTIONS: Options<Draft> = {
  ctstate: {
    values: 1,
    invert: true,
    read: (draft, use) => {
      draft.state = { negate: use.negate, states: readNames(use, CT_STATES) };
    },
  },
  ctstatus: {
    values: 1,
    invert: true,
    read: (draft, use) => {
      const statuses = readNames(use, CT_STATUSES);
      // NONE has no bit of its own: it shows only when it is alone.
      const shown = statuses.length > 1 ? statuses.filter((status) => status !== 'NONE') : statuses;
      draft.status = { negate: use.negate, statuses: shown };
    },
  },
  ctproto: {
    values: 1,
    invert: true,
    read: (draft, use) => {
      draft.protocol = { negate: use.negate, ...parseProtocol(use.context, '--ctproto', use.text) };
    },
  },
  ...Object.fromEntries(ADDRESS_OPTIONS.map(([name, key]) => [name, addressOption(key)])),
  ...Object.fromEntries(PORT_OPTIONS.map(([name, key]) => [name, portOption(key)])),
  ctexpire: {
    values: 1,
    invert: true,
    read: (draft, use) => {
      draft.expire = readExpire(use);
    },
  },
  ctdir: {
    values: 1,
    read: (draft, use) => {
      const direction = use.text.toUpperCase();
      if (direction !== 'ORIGINAL' && direction !== 'REPLY') {
        throw use.context.error(`bad value '${use.text}' for --ctdir; expected ORIGINAL or REPLY`);
      }
      draft.direction = direction;
    },
  },
};

const STATE_NAMES = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED'] as const;

export const CONNTRACK_MATCH_MODULES: readonly MatchModule[] = [
  defineExtension<Draft, ConntrackMatch>({
    name: 'conntrack',
    options: OPTIONS,
    draft: () => ({}),
    finish: (draft, context) => {
      if (Object.keys(draft).length === 0)
        throw context.error('-m conntrack needs at least one of its options');
      return { kind: 'conntrack', ...draft };
    },
  }),
  defineExtension<{ state?: Omit<StateMatch, 'kind'> }, StateMatch>({
    name: 'state',
    options: {
      state: {
        values: 1,
        invert: true,
        read: (draft, use) => {
          draft.state = { negate: use.negate, states: readNames(use, STATE_NAMES) };
        },
      },
    },
    draft: () => ({}),
    finish: ({ state }, context) => {
      if (state === undefined) throw context.error('-m state needs --state');
      return { kind: 'state', ...state };
    },
  }),
];

function formatAddressTest(option: string, test: NegatableAddress | undefined): string {
  return test === undefined ? '' : ` ${bang(test.negate)}--${option} ${formatCtNetwork(test)}`;
}

/** libxt_conntrack leaves out a host's mask. */
function formatCtNetwork(test: NegatableAddress): string {
  const host = hostMask(typeof test.address === 'number' ? 'ipv4' : 'ipv6');
  return sameAddress(test.mask, host) ? formatAddress(test.address) : formatNetwork(test);
}

function formatNumbers(option: string, test: PortTest | undefined): string {
  return test === undefined ? '' : ` ${bang(test.negate)}--${option} ${formatRange(test)}`;
}

/** `-m conntrack …`, options in the order of libxt_conntrack's conntrack_dump. */
export function formatConntrack(match: ConntrackMatch): string {
  const { state, status, protocol } = match;
  if (state !== undefined && Object.keys(match).length === 2) {
    return `-m conntrack ${bang(state.negate)}--ctstate ${state.states.join(',')}`;
  }
  let text = '-m conntrack';
  if (state !== undefined) text += ` ${bang(state.negate)}--ctstate ${state.states.join(',')}`;
  if (protocol !== undefined) text += ` ${bang(protocol.negate)}--ctproto ${protocol.protocol}`;
  for (const [option, key] of ADDRESS_OPTIONS) text += formatAddressTest(option, match[key]);
  for (const [option, key] of PORT_OPTIONS) text += formatNumbers(option, match[key]);
  if (status !== undefined) text += ` ${bang(status.negate)}--ctstatus ${status.statuses.join(',')}`;
  text += formatNumbers('ctexpire', match.expire);
  if (match.direction !== undefined) text += ` --ctdir ${match.direction}`;
  return text;
}

/** `-m state …`. */
export function formatState(match: StateMatch): string {
  return `-m state ${bang(match.negate)}--state ${match.states.join(',')}`;
}
