/** `-m addrtype`, `-m iprange`, `-m set`. */
import {
  ADDRESS_TYPES,
  type AddressType,
  type AddressTypeTest,
  type AddrtypeMatch,
  type IprangeMatch,
  type SetMatch,
} from '../../netfilter/match.ts';
import { formatAddress, parseLooseAddress } from '../address-text.ts';
import { defineExtension, type MatchModule, type OptionUse } from '../match-module.ts';
import { bang } from '../numbers.ts';

function readTypes(use: OptionUse): AddressTypeTest {
  const found = new Set<AddressType>();
  for (const part of use.text.split(',')) {
    const wanted = part.toUpperCase();
    const type = wanted === '' ? undefined : ADDRESS_TYPES.find((candidate) => candidate.startsWith(wanted));
    if (type === undefined) {
      throw use.context.error(
        `bad address type '${part}' for --${use.option}; expected a comma list of ${ADDRESS_TYPES.join(', ')}`,
      );
    }
    found.add(type);
  }
  return { negate: use.negate, types: ADDRESS_TYPES.filter((type) => found.has(type)) };
}

interface AddrtypeDraft {
  source?: AddressTypeTest;
  destination?: AddressTypeTest;
  limitDevice?: 'in' | 'out';
}

function limitDevice(side: 'in' | 'out') {
  return {
    values: 0,
    read: (draft: AddrtypeDraft, use: OptionUse) => {
      if (draft.limitDevice !== undefined) {
        throw use.context.error('--limit-iface-in and --limit-iface-out exclude each other');
      }
      draft.limitDevice = side;
    },
  } as const;
}

type RangeTest = NonNullable<IprangeMatch['source']>;

function readRange(use: OptionUse): RangeTest {
  const dash = use.text.indexOf('-');
  const option = `--${use.option}`;
  const from = parseLooseAddress(use.context, option, dash < 0 ? use.text : use.text.slice(0, dash));
  const to = dash < 0 ? from : parseLooseAddress(use.context, option, use.text.slice(dash + 1));
  return { negate: use.negate, from, to };
}

interface SetDraft {
  test?: Pick<SetMatch, 'negate' | 'set' | 'directions'>;
}

/** IPSET_MAXNAMELEN less the terminator. */
const MAX_SET_NAME = 31;
const MAX_SET_DIMENSIONS = 6;

function readSet(draft: SetDraft, use: OptionUse): void {
  if (draft.test !== undefined) throw use.context.error('--match-set can be given only once');
  if (use.text.length > MAX_SET_NAME) {
    throw use.context.error(`set name '${use.text}' is longer than ${MAX_SET_NAME} characters`);
  }
  const directions = use.second.split(',').map((part) => {
    if (part === 'src' || part === 'dst') return part;
    return use.context.fail(`bad direction '${part}' in --match-set; expected src or dst, comma separated`);
  });
  if (directions.length > MAX_SET_DIMENSIONS)
    throw use.context.error('--match-set takes at most six directions');
  draft.test = { negate: use.negate, set: use.text, directions };
}

export const ADDRESS_MATCH_MODULES: readonly MatchModule[] = [
  defineExtension<AddrtypeDraft, AddrtypeMatch>({
    name: 'addrtype',
    options: {
      'src-type': {
        values: 1,
        invert: true,
        read: (draft, use) => {
          draft.source = readTypes(use);
        },
      },
      'dst-type': {
        values: 1,
        invert: true,
        read: (draft, use) => {
          draft.destination = readTypes(use);
        },
      },
      'limit-iface-in': limitDevice('in'),
      'limit-iface-out': limitDevice('out'),
    },
    draft: () => ({}),
    finish: (draft, context) => {
      if (draft.source === undefined && draft.destination === undefined) {
        throw context.error('-m addrtype needs --src-type or --dst-type');
      }
      return { kind: 'addrtype', ...draft };
    },
  }),
  defineExtension<{ source?: RangeTest; destination?: RangeTest }, IprangeMatch>({
    name: 'iprange',
    options: {
      'src-range': {
        values: 1,
        invert: true,
        read: (draft, use) => {
          draft.source = readRange(use);
        },
      },
      'dst-range': {
        values: 1,
        invert: true,
        read: (draft, use) => {
          draft.destination = readRange(use);
        },
      },
    },
    draft: () => ({}),
    finish: (draft, context) => {
      if (draft.source === undefined && draft.destination === undefined) {
        throw context.error('-m iprange needs --src-range or --dst-range');
      }
      return { kind: 'iprange', ...draft };
    },
  }),
  defineExtension<SetDraft, SetMatch>({
    name: 'set',
    options: {
      'match-set': { values: 2, invert: true, multi: true, read: readSet },
      set: { values: 2, invert: true, multi: true, read: readSet },
      'return-nomatch': { values: 0 },
      'update-counters': { values: 0, invert: true },
      'update-subcounters': { values: 0, invert: true },
      'packets-eq': { values: 1, invert: true },
      'packets-lt': { values: 1 },
      'packets-gt': { values: 1 },
      'bytes-eq': { values: 1, invert: true },
      'bytes-lt': { values: 1 },
      'bytes-gt': { values: 1 },
    },
    draft: () => ({}),
    finish: ({ test }, context) => {
      if (test === undefined) throw context.error('-m set needs --match-set NAME src|dst');
      return { kind: 'set', ...test, rest: '' };
    },
  }),
];

/** `-m addrtype …`. */
export function formatAddrtype(match: AddrtypeMatch): string {
  let text = '-m addrtype';
  const { source, destination } = match;
  if (source !== undefined) text += ` ${bang(source.negate)}--src-type ${source.types.join(',')}`;
  if (destination !== undefined)
    text += ` ${bang(destination.negate)}--dst-type ${destination.types.join(',')}`;
  if (match.limitDevice !== undefined) text += ` --limit-iface-${match.limitDevice}`;
  return text;
}

function formatRangeTest(option: string, test: RangeTest | undefined): string {
  if (test === undefined) return '';
  return ` ${bang(test.negate)}--${option} ${formatAddress(test.from)}-${formatAddress(test.to)}`;
}

/** `-m iprange …`. */
export function formatIprange(match: IprangeMatch): string {
  return `-m iprange${formatRangeTest('src-range', match.source)}${formatRangeTest('dst-range', match.destination)}`;
}

/** `-m set --match-set NAME src,dst`. */
export function formatSet(match: SetMatch): string {
  const rest = match.rest === '' ? '' : ` ${match.rest}`;
  return `-m set ${bang(match.negate)}--match-set ${match.set} ${match.directions.join(',')}${rest}`;
}
