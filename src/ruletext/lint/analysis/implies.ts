/**
 * Whether every packet that some matches take is also taken by others. Sound, not complete: `true` is proof,
 * `false` says that no proof was found. Matches that remember or draw (limit, recent, statistic …) are implied by
 * nothing; what is not understood is implied only by its very text.
 */
import type { Match, TtlMatch } from '../../../netfilter/match.ts';
import { formatMatch } from '../../format-rule.ts';
import { impliesSet, relateMasked } from './bit-tests.ts';
import { impliesAddress, impliesDevice, impliesIprange, impliesProtocol } from './implies-head.ts';
import {
  impliesAddrtype,
  impliesConntrack,
  impliesMark,
  impliesPkttype,
  impliesState,
} from './implies-state.ts';
import { impliesIcmp, impliesMultiport, impliesPorts, impliesTcp } from './implies-transport.ts';
import { relateRanges } from './number-sets.ts';

/** Kinds whose answer depends on the packets before, on chance or on the clock. */
const FICKLE: ReadonlySet<Match['kind']> = new Set([
  'statistic',
  'recent',
  'limit',
  'hashlimit',
  'connlimit',
]);

/** Modules kept as text that look at nothing but the packet and its flow. */
const STEADY_MODULES: ReadonlySet<string> = new Set([
  ...['ah', 'bpf', 'cgroup', 'devgroup', 'dst', 'ecn', 'esp', 'eui64', 'frag', 'hbh', 'helper', 'ipcomp'],
  ...['ipv6header', 'mac', 'mh', 'owner', 'policy', 'realm', 'rpfilter', 'rt', 'socket', 'srh', 'string'],
  ...['tcpmss', 'u32'],
]);

/** Whether `match` gives the same answer whenever it is asked about the same packet. */
export function isSteady(match: Match): boolean {
  if (match.kind === 'unknown') return STEADY_MODULES.has(match.name);
  return !FICKLE.has(match.kind) && !(match.kind === 'set' && match.rest !== '');
}

/** Every packet passes it. */
export function isAlwaysTrue(match: Match): boolean {
  switch (match.kind) {
    case 'comment':
    case 'nfacct':
      return true;
    case 'mark':
      return !match.negate && match.mask === 0 && match.value === 0;
    case 'in-device':
    case 'out-device':
      return match.wildcard && match.ifname === '' && !match.negate;
    case 'protocol':
      return match.protocol === 0 && !match.negate;
    case 'statistic':
      return match.mode === 'random' && !match.negate && match.probability >= 2 ** 31;
    default:
      return false;
  }
}

function holds({ operator, value }: TtlMatch, ttl: number): boolean {
  switch (operator) {
    case 'eq':
      return ttl === value;
    case 'ne':
      return ttl !== value;
    case 'lt':
      return ttl < value;
    case 'gt':
      return ttl > value;
  }
}

const EVERY_TTL = Array.from({ length: 256 }, (_, ttl) => ttl);

function impliesTtl(have: TtlMatch, want: TtlMatch): boolean {
  return have.kind === want.kind && EVERY_TTL.every((ttl) => !holds(have, ttl) || holds(want, ttl));
}

function sameText(narrow: readonly Match[], wide: Match): boolean {
  const text = formatMatch(wide);
  return narrow.some((match) => match.kind === wide.kind && formatMatch(match) === text);
}

/** Whether packets that pass all of `narrow` pass `wide`. */
export function impliesMatch(narrow: readonly Match[], wide: Match): boolean {
  if (isAlwaysTrue(wide)) return true;
  switch (wide.kind) {
    case 'source':
    case 'destination':
      return impliesAddress(narrow, wide);
    case 'in-device':
    case 'out-device':
      return impliesDevice(narrow, wide);
    case 'protocol':
      return impliesProtocol(narrow, wide);
    case 'iprange':
      return impliesIprange(narrow, wide);
    case 'tcp':
      return impliesTcp(narrow, wide);
    case 'udp':
    case 'udplite':
    case 'sctp':
    case 'dccp':
      return impliesPorts(narrow, wide);
    case 'multiport':
      return impliesMultiport(narrow, wide);
    case 'icmp':
    case 'icmp6':
      return impliesIcmp(narrow, wide);
    case 'mark':
    case 'connmark':
      return impliesMark(narrow, wide);
    case 'conntrack':
      return impliesConntrack(narrow, wide);
    case 'state':
      return impliesState(narrow, wide);
    case 'addrtype':
      return impliesAddrtype(narrow, wide);
    case 'pkttype':
      return impliesPkttype(narrow, wide);
    case 'length':
      return narrow.some(
        (match) =>
          match.kind === 'length' && impliesSet(match, wide, relateRanges([match.length], [wide.length])),
      );
    case 'ttl':
    case 'hl':
      return narrow.some((match) => (match.kind === 'ttl' || match.kind === 'hl') && impliesTtl(match, wide));
    case 'tos':
      return narrow.some(
        (match) => match.kind === 'tos' && impliesSet(match, wide, relateMasked(match, wide)),
      );
    case 'dscp':
      return narrow.some((match) => {
        if (match.kind !== 'dscp') return false;
        const same = match.value === wide.value;
        return impliesSet(match, wide, { within: same, contains: same, disjoint: !same });
      });
    default:
      return isSteady(wide) && sameText(narrow, wide);
  }
}

/** Whether packets that pass all of `narrow` pass all of `wide`. */
export function impliesAll(narrow: readonly Match[], wide: readonly Match[]): boolean {
  return wide.every((match) => impliesMatch(narrow, match));
}
