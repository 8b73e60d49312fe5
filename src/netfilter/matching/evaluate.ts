/** One evaluator a kind of match: the table that says what the engine supports. */
import type { Match } from '../match.ts';
import type { Skb } from '../skb.ts';
import { matchConntrack, matchMark, matchState } from './connection.ts';
import type { Evaluator, MatchEnvironment, MatchResult } from './environment.ts';
import * as headers from './headers.ts';
import { matchAddrtype, matchPhysdev } from './host.ts';
import * as stateful from './stateful.ts';

type EvaluatorTable = { readonly [K in Match['kind']]: Evaluator<Extract<Match, { kind: K }>> };

export const EVALUATORS: EvaluatorTable = {
  source: headers.matchAddress,
  destination: headers.matchAddress,
  'in-device': headers.matchDevice,
  'out-device': headers.matchDevice,
  protocol: headers.matchProtocol,
  fragment: headers.matchFragment,
  tcp: headers.matchTcp,
  udp: headers.matchPorts,
  udplite: headers.matchPorts,
  sctp: headers.matchPorts,
  dccp: headers.matchPorts,
  icmp: headers.matchIcmp,
  icmp6: headers.matchIcmp,
  multiport: headers.matchMultiport,
  mark: matchMark,
  connmark: matchMark,
  conntrack: matchConntrack,
  state: matchState,
  addrtype: matchAddrtype,
  statistic: stateful.matchStatistic,
  recent: stateful.matchRecent,
  comment: () => true,
  limit: stateful.matchLimit,
  hashlimit: stateful.matchHashlimit,
  connlimit: stateful.matchConnlimit,
  iprange: headers.matchIprange,
  length: headers.matchLength,
  ttl: headers.matchTtl,
  hl: headers.matchTtl,
  tos: headers.matchTos,
  dscp: headers.matchDscp,
  physdev: matchPhysdev,
  set: () => 'unsupported',
  pkttype: headers.matchPkttype,
  nfacct: stateful.matchNfacct,
  unknown: () => 'unsupported',
};

/** Decides one match. Evaluation may have side effects (counters, lists), so it runs once, in rule order. */
export function evaluateMatch<M extends Match>(match: M, skb: Skb, env: MatchEnvironment): MatchResult {
  // The table is keyed by kind, so its entry takes exactly this match; TypeScript cannot correlate the two.
  const evaluator = EVALUATORS[match.kind] as Evaluator<M>;
  return evaluator(match, skb, env);
}
