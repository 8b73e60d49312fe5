/** Whether a test of conntrack's view, of marks or of the host's view follows from another. */
import type {
  AddressTypeTest,
  AddrtypeMatch,
  ConntrackMatch,
  CtStateName,
  MarkMatch,
  Match,
  NegatableAddress,
  PkttypeMatch,
  PortTest,
} from '../../../netfilter/match.ts';
import { impliesSet, type Negatable, relateAddresses, relateMasked, type SetRelation } from './bit-tests.ts';
import { relateRanges } from './number-sets.ts';

function relateNames(a: readonly string[], b: readonly string[], exclusive: boolean): SetRelation {
  return {
    within: a.every((name) => b.includes(name)),
    contains: b.every((name) => a.includes(name)),
    // Names that may hold together say nothing about each other.
    disjoint: exclusive && !a.some((name) => b.includes(name)),
  };
}

/** Flags of the flow on top of its state, so not exclusive. */
const VIRTUAL: readonly CtStateName[] = ['SNAT', 'DNAT'];

interface StateTest extends Negatable {
  readonly states: readonly CtStateName[];
}

function impliesStates(have: StateTest, want: StateTest): boolean {
  const exclusive =
    !want.states.some((name) => VIRTUAL.includes(name)) &&
    !have.states.some((name) => VIRTUAL.includes(name));
  return impliesSet(have, want, relateNames(have.states, want.states, exclusive));
}

/** Whether `narrow` implies the states of `wide`, of `-m conntrack` or `-m state`. */
export function impliesState(narrow: readonly Match[], wide: StateTest): boolean {
  return narrow.some((match) => {
    if (match.kind === 'state') return impliesStates(match, wide);
    return match.kind === 'conntrack' && match.state !== undefined && impliesStates(match.state, wide);
  });
}

const ADDRESSES = ['origSrc', 'origDst', 'replSrc', 'replDst'] as const;
const RANGES = ['origSrcPort', 'origDstPort', 'replSrcPort', 'replDstPort', 'expire'] as const;

function impliesTupleAddress(
  have: NegatableAddress | undefined,
  want: NegatableAddress | undefined,
): boolean {
  if (want === undefined) return true;
  return have !== undefined && impliesSet(have, want, relateAddresses(have, want));
}

function impliesTest(have: PortTest | undefined, want: PortTest | undefined): boolean {
  if (want === undefined) return true;
  return have !== undefined && impliesSet(have, want, relateRanges([have], [want]));
}

/** Whether one conntrack match implies what another says besides the state. */
function impliesEntry(have: ConntrackMatch, want: ConntrackMatch): boolean {
  // Without an entry, tests beside a state are skipped and tests without one fail (conntrack_mt).
  if (want.state === undefined && have.state !== undefined) return false;
  if (want.direction !== undefined && have.direction !== want.direction) return false;
  const { protocol, status } = want;
  if (protocol !== undefined) {
    if (have.protocol === undefined) return false;
    const same = have.protocol.protocol === protocol.protocol;
    if (!impliesSet(have.protocol, protocol, { within: same, contains: same, disjoint: !same })) return false;
  }
  if (status !== undefined) {
    const given = have.status;
    if (given === undefined) return false;
    if (!impliesSet(given, status, relateNames(given.statuses, status.statuses, false))) return false;
  }
  return (
    ADDRESSES.every((key) => impliesTupleAddress(have[key], want[key])) &&
    RANGES.every((key) => impliesTest(have[key], want[key]))
  );
}

function saysMoreThanState({ kind, state, ...rest }: ConntrackMatch): boolean {
  return kind === 'conntrack' && Object.keys(rest).length > 0;
}

/** Whether `narrow` implies a conntrack match. */
export function impliesConntrack(narrow: readonly Match[], wide: ConntrackMatch): boolean {
  if (wide.state !== undefined && !impliesState(narrow, wide.state)) return false;
  if (!saysMoreThanState(wide)) return wide.state !== undefined;
  return narrow.some((match) => match.kind === 'conntrack' && impliesEntry(match, wide));
}

/** Whether some match of `narrow` implies `-m mark` or `-m connmark`. */
export function impliesMark(narrow: readonly Match[], wide: MarkMatch): boolean {
  return narrow.some(
    (match) => match.kind === wide.kind && impliesSet(match, wide, relateMasked(match, wide)),
  );
}

function impliesTypes(have: AddressTypeTest | undefined, want: AddressTypeTest | undefined): boolean {
  if (want === undefined) return true;
  // An address is of one type.
  return have !== undefined && impliesSet(have, want, relateNames(have.types, want.types, true));
}

/** Whether some match of `narrow` implies an addrtype match. */
export function impliesAddrtype(narrow: readonly Match[], wide: AddrtypeMatch): boolean {
  return narrow.some(
    (match) =>
      match.kind === 'addrtype' &&
      match.limitDevice === wide.limitDevice &&
      impliesTypes(match.source, wide.source) &&
      impliesTypes(match.destination, wide.destination),
  );
}

/** Whether some match of `narrow` implies `-m pkttype`. */
export function impliesPkttype(narrow: readonly Match[], wide: PkttypeMatch): boolean {
  return narrow.some((match) => {
    if (match.kind !== 'pkttype') return false;
    const same = match.type === wide.type;
    return impliesSet(match, wide, { within: same, contains: same, disjoint: !same });
  });
}
