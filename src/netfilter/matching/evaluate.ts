/** One evaluator a kind of match: the table that says what the engine supports. */
import type { Match } from '../match.ts';
import type { Skb } from '../skb.ts';
import { matchConntrack, matchMark, matchState } from './connection.ts';
import type { Evaluator, MatchEnvironment, MatchResult } from './environment.ts';
import * as headers from './headers.ts';
import { matchAddrtype, matchPhysdev } from './host.ts';
import { matchSet } from './set-match.ts';
import * as stateful from './stateful.ts';
import * as transport from './transport.ts';

type EvaluatorTable = { readonly [K in Match['kind']]: Evaluator<Extract<Match, { kind: K }>> };

export const EVALUATORS: EvaluatorTable = {
  source: headers.matchAddress,
  destination: headers.matchAddress,
  'in-device': headers.matchDevice,
  'out-device': headers.matchDevice,
  protocol: headers.matchProtocol,
  fragment: headers.matchFragment,
  tcp: transport.matchTcp,
  udp: transport.matchPorts,
  udplite: transport.matchPorts,
  sctp: transport.matchPorts,
  dccp: transport.matchPorts,
  icmp: transport.matchIcmp,
  icmp6: transport.matchIcmp,
  multiport: transport.matchMultiport,
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
  set: matchSet,
  pkttype: headers.matchPkttype,
  nfacct: stateful.matchNfacct,
  unknown: () => 'unsupported',
};

/** The kinds of match that are decided; the others make a packet's fate unknown when it reaches them. */
export const SUPPORTED_MATCHES: readonly Match['kind'][] = Object.keys(EVALUATORS).filter(
  (kind): kind is Match['kind'] => kind !== 'unknown',
);

/** Decides one match. Evaluation may have side effects (counters, lists), so it runs once, in rule order. */
export function evaluateMatch<M extends Match>(match: M, skb: Skb, env: MatchEnvironment): MatchResult {
  // The table is keyed by kind, so its entry takes exactly this match; TypeScript cannot correlate the two.
  const evaluator = EVALUATORS[match.kind] as Evaluator<M>;
  return evaluator(match, skb, env);
}
