/** Whether a test of ports, TCP flags or ICMP types follows from another. */
import type {
  IcmpMatch,
  Match,
  MultiportMatch,
  NumberRange,
  PortsMatch,
  PortTest,
  TcpMatch,
} from '../../../netfilter/match.ts';
import { impliesSet, relateMasked } from './bit-tests.ts';
import { relateRanges } from './number-sets.ts';

type End = 'sport' | 'dport';

interface PortSet {
  readonly negate: boolean;
  readonly ranges: readonly NumberRange[];
}

const MULTIPORT_SIDE = { sport: 'source', dport: 'destination' } as const;

function isPorts(match: Match): match is TcpMatch | PortsMatch {
  return (
    match.kind === 'tcp' ||
    match.kind === 'udp' ||
    match.kind === 'udplite' ||
    match.kind === 'sctp' ||
    match.kind === 'dccp'
  );
}

/** Every test of the port at `end` among `matches`. */
function portSets(matches: readonly Match[], end: End): readonly PortSet[] {
  const sets: PortSet[] = [];
  for (const match of matches) {
    if (isPorts(match)) {
      const test = match[end];
      if (test !== undefined) sets.push({ negate: test.negate, ranges: [test] });
    } else if (match.kind === 'multiport') {
      if (match.which === MULTIPORT_SIDE[end]) sets.push({ negate: match.negate, ranges: match.ports });
      // Neither port is listed.
      else if (match.which === 'either' && match.negate) sets.push({ negate: true, ranges: match.ports });
    }
  }
  return sets;
}

function impliesPortSet(narrow: readonly Match[], end: End, wide: PortSet): boolean {
  return portSets(narrow, end).some((have) => impliesSet(have, wide, relateRanges(have.ranges, wide.ranges)));
}

function impliesPort(narrow: readonly Match[], end: End, wide: PortTest | undefined): boolean {
  return wide === undefined || impliesPortSet(narrow, end, { negate: wide.negate, ranges: [wide] });
}

/**
 * Whether `narrow` implies the ports of `wide`. A match of the same module must be among them: it alone says
 * that the packet has such a header at all (a later fragment has not).
 */
export function impliesPorts(narrow: readonly Match[], wide: PortsMatch): boolean {
  if (!narrow.some(({ kind }) => kind === wide.kind)) return false;
  return impliesPort(narrow, 'sport', wide.sport) && impliesPort(narrow, 'dport', wide.dport);
}

/** Whether `narrow` implies a `-m tcp` match, ports, flags and option. */
export function impliesTcp(narrow: readonly Match[], wide: TcpMatch): boolean {
  const same = narrow.filter((match) => match.kind === 'tcp');
  if (same.length === 0) return false;
  if (!impliesPort(narrow, 'sport', wide.sport) || !impliesPort(narrow, 'dport', wide.dport)) return false;
  const { flags, option } = wide;
  if (flags !== undefined) {
    const want = { value: flags.set, mask: flags.mask };
    const implied = same.some(
      ({ flags: have }) =>
        have !== undefined &&
        impliesSet(have, flags, relateMasked({ value: have.set, mask: have.mask }, want)),
    );
    if (!implied) return false;
  }
  if (option === undefined) return true;
  return same.some(({ option: have }) => have?.number === option.number && have.negate === option.negate);
}

/** Whether `narrow` implies a multiport match. */
export function impliesMultiport(narrow: readonly Match[], wide: MultiportMatch): boolean {
  const want: PortSet = { negate: wide.negate, ranges: wide.ports };
  if (wide.which !== 'either') {
    return impliesPortSet(narrow, wide.which === 'source' ? 'sport' : 'dport', want);
  }
  const source = impliesPortSet(narrow, 'sport', want);
  const destination = impliesPortSet(narrow, 'dport', want);
  if (wide.negate ? source && destination : source || destination) return true;
  return narrow.some(
    (match) =>
      match.kind === 'multiport' &&
      match.which === 'either' &&
      !match.negate &&
      !wide.negate &&
      relateRanges(match.ports, wide.ports).within,
  );
}

/** `--icmp-type any`. ICMPv6 has no such value. */
const ANY_TYPE = 255;

/** Whether some match of `narrow` implies an ICMP match. */
export function impliesIcmp(narrow: readonly Match[], wide: IcmpMatch): boolean {
  const { test } = wide;
  const everything = (type: number) => wide.kind === 'icmp' && type === ANY_TYPE;
  return narrow.some((match) => {
    if (match.kind !== wide.kind) return false;
    if (test === undefined) return true;
    const have = match.test ?? { negate: false, type: ANY_TYPE, code: { from: 0, to: 255 } };
    if (match.test === undefined && wide.kind === 'icmp6') return false;
    if (everything(test.type)) return !test.negate;
    if (everything(have.type)) return false;
    const codes = relateRanges([have.code], [test.code]);
    const sameType = have.type === test.type;
    return impliesSet(have, test, {
      within: sameType && codes.within,
      contains: sameType && codes.contains,
      disjoint: !sameType || codes.disjoint,
    });
  });
}
