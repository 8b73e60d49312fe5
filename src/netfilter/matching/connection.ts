/** Matches on conntrack's view of the packet, and on its marks. */

import type { IpAddress } from '../../wire/ip-address.ts';
import type { ConntrackEntry } from '../conntrack/entry.ts';
import type {
  ConntrackMatch,
  CtStateName,
  CtStatusName,
  MarkMatch,
  NegatableAddress,
  PortTest,
  StateMatch,
} from '../match.ts';
import type { CtAttachment, Skb } from '../skb.ts';
import type { Evaluator } from './environment.ts';
import { addressMatches, inRange, portMatches } from './headers.ts';

export const matchMark: Evaluator<MarkMatch> = (match, skb) => {
  // Without an entry there is no ctmark to compare: the match fails, negated or not.
  if (match.kind === 'connmark' && skb.ct === undefined) return false;
  const mark = match.kind === 'mark' ? skb.mark : (skb.ct?.entry.mark ?? 0);
  return ((mark & match.mask) >>> 0 === match.value) !== match.negate;
};

function hasState(skb: Skb, states: readonly CtStateName[]): boolean {
  if (states.includes(skb.ctState())) return true;
  const entry = skb.ct?.entry;
  if (entry === undefined) return false;
  return (entry.sourceNat && states.includes('SNAT')) || (entry.destinationNat && states.includes('DNAT'));
}

export const matchState: Evaluator<StateMatch> = (match, skb) =>
  match.states.includes(skb.ctState()) !== match.negate;

/** NONE is the empty mask: it never matches (xt_conntrack tests bits). */
const STATUS_BIT: Readonly<Record<CtStatusName, (entry: ConntrackEntry) => boolean>> = {
  NONE: () => false,
  EXPECTED: () => false,
  SEEN_REPLY: (entry) => entry.seenReply,
  ASSURED: (entry) => entry.assured,
  CONFIRMED: (entry) => entry.confirmed,
};

function tupleAddressMatches(address: IpAddress, test: NegatableAddress | undefined): boolean {
  return test === undefined || addressMatches(address, test.address, test.mask) !== test.negate;
}

function entryPasses({ entry, direction }: CtAttachment, match: ConntrackMatch, now: number): boolean {
  const { original, reply } = entry;
  const { protocol, status, expire } = match;
  if (match.direction !== undefined && match.direction.toLowerCase() !== direction) return false;
  if (protocol !== undefined && (original.protocol === protocol.protocol) === protocol.negate) return false;
  const addresses: [IpAddress, NegatableAddress | undefined][] = [
    [original.src, match.origSrc],
    [original.dst, match.origDst],
    [reply.src, match.replSrc],
    [reply.dst, match.replDst],
  ];
  if (!addresses.every(([address, test]) => tupleAddressMatches(address, test))) return false;
  const ports: [number, PortTest | undefined][] = [
    [original.sport, match.origSrcPort],
    [original.dport, match.origDstPort],
    [reply.sport, match.replSrcPort],
    [reply.dport, match.replDstPort],
  ];
  if (!ports.every(([port, test]) => portMatches(port, test))) return false;
  if (status !== undefined) {
    const set = status.statuses.some((name) => STATUS_BIT[name](entry));
    if (set === status.negate) return false;
  }
  if (expire === undefined) return true;
  // The time of an entry that is not in the table yet does not run: it counts as none left.
  const left = entry.confirmed ? Math.max(0, Math.floor(entry.expires - now)) : 0;
  return inRange(left, expire) !== expire.negate;
}

export const matchConntrack: Evaluator<ConntrackMatch> = (match, skb, env) => {
  const { state } = match;
  if (state !== undefined && hasState(skb, state.states) === state.negate) return false;
  // Without an entry only the state can be judged; the other tests are skipped with a state and fail without.
  if (skb.ct === undefined) return state !== undefined;
  return entryPasses(skb.ct, match, env.now);
};
