/** Tests of the flow's state in the raw table, which comes before connection tracking. */
import type { Match } from '../../../netfilter/match.ts';
import { finding } from '../findings.ts';
import { type LintRule, placeOf } from '../lint-context.ts';

/** What a packet without an entry can be. */
const WITHOUT_ENTRY: readonly string[] = ['INVALID', 'UNTRACKED'];

/** Whether `match` needs an entry to hold. */
function needsEntry(match: Match): boolean {
  if (match.kind === 'connmark') return true;
  if (match.kind !== 'conntrack' && match.kind !== 'state') return false;
  const test = match.kind === 'state' ? match : match.state;
  if (test === undefined) return true;
  return !test.negate && !test.states.some((state) => WITHOUT_ENTRY.includes(state));
}

function onLoopback(matches: readonly Match[]): boolean {
  return matches.some((match) => match.kind === 'in-device' && match.ifname === 'lo' && !match.negate);
}

export const stateInRaw: LintRule = function* ({ tables }) {
  for (const { table } of tables) {
    if (table.name !== 'raw') continue;
    const chains = [...table.chains.values()];
    // A template of -j CT stands for a new flow until conntrack has seen the packet.
    if (chains.some(({ rules }) => rules.some(({ rule }) => rule.target.kind === 'ct'))) continue;
    for (const chain of chains) {
      for (const [index, { rule }] of chain.rules.entries()) {
        if (!rule.matches.some(needsEntry) || onLoopback(rule.matches)) continue;
        yield finding(
          'state-in-raw',
          placeOf(table, chain, index),
          'the raw table comes before connection tracking, so only packets over lo can match this; move the rule to *mangle',
        );
      }
    }
  }
};
