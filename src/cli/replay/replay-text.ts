/** `kubewire replay` for people: a line a flow, and under it what became of its packets. */

import type { ReplayResult } from '../../cluster/replay/replay.ts';
import type { FlowOutcome, ReplayFlow } from '../../cluster/replay/replay-flow.ts';
import type { SkippedPacket } from '../../cluster/replay/replay-packets.ts';
import { isIcmp, type Tuple } from '../../netfilter/tuple.ts';
import { DROP_REASONS } from '../../netfilter/verdict.ts';
import { socketText } from '../trace/phrases.ts';
import { protocolName } from './replay-json.ts';

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function tupleText({ protocol, src, dst, sport, dport }: Tuple): string {
  const name = protocolName(protocol);
  if (isIcmp(protocol)) return `${name} ${socketText(src)} → ${socketText(dst)} id ${sport}`;
  return `${name} ${socketText(src, sport)} → ${socketText(dst, dport)}`;
}

function natText({ translations }: FlowOutcome): string {
  const parts = translations.map(({ manip, address, port }) => {
    return `${manip === 'source' ? 'SNAT' : 'DNAT'} to ${socketText(address, port)}`;
  });
  return parts.length === 0 ? '' : `${[...new Set(parts)].join(', ')}, `;
}

function endText({ outcome }: FlowOutcome): string {
  switch (outcome.kind) {
    case 'delivered':
      return `delivered to ${outcome.host}`;
    case 'rejected':
      return `rejected by ${outcome.host} with ${outcome.with}`;
    case 'dropped': {
      const rule = outcome.rule === undefined ? '' : ` by ${outcome.rule}`;
      return `dropped at ${outcome.host}${rule} (${outcome.reason}): ${DROP_REASONS[outcome.reason]}`;
    }
    case 'sent':
      return `forwarded by ${outcome.host} through ${outcome.device}, out of sight`;
    case 'unknown':
      return `unknown at ${outcome.host}: ${outcome.reason}`;
  }
}

function answerText({ outcomes, answers }: ReplayFlow): string {
  if (answers > 0) return `${count(answers, 'answer')} came back`;
  return outcomes.some(({ outcome }) => outcome.kind === 'delivered') ? 'unanswered' : '';
}

/** The table, ending in a newline. */
export function renderReplayText(
  { place, flows }: ReplayResult,
  { seed, skipped }: { readonly seed: number; readonly skipped: readonly SkippedPacket[] },
): string {
  const packets = flows.reduce((sum, { frames }) => sum + frames.length, 0);
  const lines = [
    `${count(packets, 'packet')} of ${count(flows.length, 'flow')} at ${place.host}:${place.device}   seed ${seed}`,
  ];
  for (const flow of flows) {
    lines.push('', `${tupleText(flow.tuple)}   ${count(flow.frames.length, 'packet')}`);
    for (const each of flow.outcomes) {
      lines.push(`  ${String(each.count).padStart(4)}  ${natText(each)}${endText(each)}`);
      if (each.path.length > 1) lines.push(`        by way of ${each.path.join(', ')}`);
    }
    const answers = answerText(flow);
    if (answers !== '') lines.push(`        ${answers}`);
  }
  if (skipped.length > 0) {
    lines.push('', `${count(skipped.length, 'frame')} not replayed`);
    for (const { frame, reason } of skipped) lines.push(`  frame ${frame}: ${reason}`);
  }
  return `${lines.join('\n')}\n`;
}
