/** All match modules, by the name after `-m`. */
import type { Match } from '../../netfilter/match.ts';
import type { MatchModule } from '../match-module.ts';
import { unmodelledMatches } from '../unmodelled-extensions.ts';
import { ADDRESS_MATCH_MODULES } from './address-matches.ts';
import { CONNTRACK_MATCH_MODULES } from './conntrack-matches.ts';
import { ICMP_MATCH_MODULES } from './icmp-matches.ts';
import { MARK_MATCH_MODULES } from './mark-matches.ts';
import { NOTE_MATCH_MODULES } from './note-matches.ts';
import { PACKET_MATCH_MODULES } from './packet-matches.ts';
import { PORT_MATCH_MODULES } from './port-matches.ts';
import { RATE_MATCH_MODULES } from './rate-matches.ts';
import { RECENT_MATCH_MODULE } from './recent-match.ts';
import { STATISTIC_MATCH_MODULE } from './statistic-match.ts';

const MODULES: readonly MatchModule[] = [
  ...PORT_MATCH_MODULES,
  ...MARK_MATCH_MODULES,
  ...CONNTRACK_MATCH_MODULES,
  ...ADDRESS_MATCH_MODULES,
  ...NOTE_MATCH_MODULES,
  ...ICMP_MATCH_MODULES,
  ...RATE_MATCH_MODULES,
  ...PACKET_MATCH_MODULES,
  RECENT_MATCH_MODULE,
  STATISTIC_MATCH_MODULE,
  ...unmodelledMatches<Match>(),
];

const BY_NAME: ReadonlyMap<string, MatchModule> = new Map(MODULES.map((module) => [module.name, module]));

/** Names that stand for another (libxtables/xtables.c, xtables_find_match). */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['icmpv6', 'icmp6'],
  ['ipv6-icmp', 'icmp6'],
  ['ipv6-mh', 'mh'],
  ['mobility-header', 'mh'],
]);

/** The module of `-m name`, or undefined when it is not known. */
export function findMatchModule(name: string): MatchModule | undefined {
  return BY_NAME.get(ALIASES.get(name) ?? name);
}
