/** A trace as a Mermaid sequence diagram: hosts as participants, packets as arrows, translations as notes. */

import type { Hop } from '../../cluster/trace/hop.ts';
import type { TraceReport } from '../../cluster/trace/trace.ts';
import { DROP_REASONS } from '../../netfilter/verdict.ts';
import { formatRefusal } from '../../netstack/fate.ts';
import type { NamespaceEvent } from '../../netstack/namespace-events.ts';
import type { Packet } from '../../wire/packet.ts';
import { endsText, kindText } from './phrases.ts';
import { rowsOf } from './rows.ts';

/** Mermaid ends statements at `;` and `#` begins an entity. */
function mermaidText(text: string): string {
  return text.replaceAll('#', '#35;').replaceAll(';', '#59;');
}

function packetLabel(packet: Packet): string {
  return mermaidText(`${endsText(packet)} ${kindText(packet)}`);
}

/** The lines worth a note: translations, and the tables' decisions behind them. */
function noteLines(events: readonly NamespaceEvent[]): string[] {
  const changes = rowsOf(events).filter(
    ({ effect }) => / ⇒ |REJECT|DROP/.test(effect) && !effect.startsWith('mark'),
  );
  return changes.map(({ stage, place, effect }) => mermaidText(`${stage}: ${place} ${effect}`));
}

function endLine({ fate, host, loss }: Hop, alias: (host: string) => string): string | undefined {
  if (loss !== undefined) {
    return `  ${alias(host)}-x${alias(host)}: ${mermaidText(`lost: ${DROP_REASONS[loss.reason]}`)}`;
  }
  if (fate.kind === 'dropped') {
    return `  ${alias(host)}-x${alias(host)}: ${mermaidText(`dropped: ${DROP_REASONS[fate.reason]}`)}`;
  }
  if (fate.kind === 'rejected') {
    return `  Note over ${alias(host)}: ${mermaidText(`rejected with ${formatRefusal(fate.refusal)}`)}`;
  }
  return fate.kind === 'unknown' ? `  Note over ${alias(host)}: ${mermaidText(fate.reason)}` : undefined;
}

/** Where the packet that `hop` sent went: the next hop of the same leg. */
function nextOf(hops: readonly Hop[], index: number): Hop | undefined {
  const hop = hops[index];
  return hops
    .slice(index + 1)
    .find(({ leg, events }) => leg === hop?.leg && events.some(({ kind }) => kind === 'receive'));
}

function sentPacket({ events }: Hop): Packet | undefined {
  const sent = events.findLast((event) => event.kind === 'transmit');
  return sent?.kind === 'transmit' ? sent.packet : undefined;
}

/** `report` as a Mermaid `sequenceDiagram`, ending in a newline. */
export function renderMermaid({ hops, explanation }: TraceReport): string {
  const aliases = new Map<string, string>();
  for (const { host } of hops) if (!aliases.has(host)) aliases.set(host, `h${aliases.size + 1}`);
  const alias = (host: string) => aliases.get(host) ?? host;
  const lines = ['sequenceDiagram'];
  for (const [host, name] of aliases) lines.push(`  participant ${name} as ${mermaidText(host)}`);
  for (const [index, hop] of hops.entries()) {
    const notes = noteLines(hop.events);
    if (notes.length > 0) lines.push(`  Note over ${alias(hop.host)}: ${notes.join('<br/>')}`);
    const packet = sentPacket(hop);
    const next = nextOf(hops, index);
    const arrow = hop.leg === 'request' ? '->>' : '-->>';
    if (packet !== undefined && next !== undefined) {
      lines.push(`  ${alias(hop.host)}${arrow}${alias(next.host)}: ${packetLabel(packet)}`);
    }
    const end = endLine(hop, alias);
    if (end !== undefined) lines.push(end);
  }
  const [first] = aliases.values();
  const last = [...aliases.values()].at(-1);
  lines.push(`  Note over ${first === last ? first : `${first},${last}`}: ${mermaidText(explanation)}`);
  return `${lines.join('\n')}\n`;
}
