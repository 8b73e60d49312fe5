/** One hop's events as rows of a table: at which hook, in which table, where, what it did, and why. */
import type { NetfilterEvent } from '../../netfilter/events.ts';
import type { TableName } from '../../netfilter/rule-set.ts';
import type { HostEvent } from '../../netstack/events.ts';
import type { NamespaceEvent } from '../../netstack/namespace-events.ts';
import { formatIpAddress, sameAddress } from '../../wire/ip-address.ts';
import type { Packet } from '../../wire/packet.ts';
import { linkRows } from './link-rows.ts';
import { effectText, endsText, entryText, noteText, routeText, socketText, tupleText } from './phrases.ts';

export interface Row {
  /** `prerouting`, `route`, `out eth0`. */
  readonly stage: string;
  /** `conntrack`, `nat`, …; empty for routing. */
  readonly table: string;
  /** `KUBE-SERVICES 4`. */
  readonly place: string;
  readonly effect: string;
  /** The rule's comment, or what it matched. */
  readonly note: string;
}

type RuleEvent = Extract<NetfilterEvent, { kind: 'rule' }>;

export function row(stage: string, table: string, place: string, effect = '', note = ''): Row {
  return { stage, table, place, effect, note };
}

/** Whether the chain that `events[index]` jumps to decided nothing: no rule in it matched. */
function isFruitless(events: readonly NamespaceEvent[], index: number): boolean {
  const jump = events[index];
  if (jump?.kind !== 'rule' || jump.effect.kind !== 'jump') return false;
  const { chain } = jump.effect;
  const next = events[index + 2];
  return !(next?.kind === 'rule' && next.table === jump.table && next.chain === chain);
}

/** Rows of one table at one hook, jumps that led to nothing gathered into the line of the policy. */
function tableRows(events: readonly NamespaceEvent[], hook: string, table: TableName): Row[] {
  const rows: Row[] = [];
  const fruitless: string[] = [];
  for (const [index, event] of events.entries()) {
    if (event.kind === 'rule') {
      if (isFruitless(events, index))
        fruitless.push((event as RuleEvent & { effect: { chain: string } }).effect.chain);
      else {
        const place = `${event.chain} ${event.number}`;
        rows.push(row(hook, table, place, effectText(event.effect, event.rule), noteText(event.rule)));
      }
    } else if (event.kind === 'policy') {
      const nothing = fruitless.length === 0 ? '' : `nothing matched in ${fruitless.join(', ')}`;
      if (rows.length === 0 && nothing === '' && event.policy === 'ACCEPT') continue;
      if (table === 'nat' && rows.length > 0 && event.policy === 'ACCEPT') continue;
      rows.push(row(hook, table, event.chain, `policy ${event.policy}`, nothing));
    }
  }
  return rows;
}

function conntrackRow(event: Extract<NetfilterEvent, { kind: 'conntrack' }>): Row {
  const { entry, state, direction } = event;
  if (entry === undefined) return row(event.hook, 'conntrack', state);
  if (state === 'NEW') return row(event.hook, 'conntrack', state, tupleText(entry.original));
  const which = direction === 'reply' ? 'reply of' : 'as';
  const tcp = entry.tcpState === undefined ? '' : `${entry.tcpState}, `;
  return row(event.hook, 'conntrack', state, `${tcp}${which} ${tupleText(entry.original)}`);
}

function end(packet: Packet, manip: 'source' | 'destination'): string {
  const ports = 'sport' in packet.transport ? packet.transport : undefined;
  return manip === 'source' ? socketText(packet.src, ports?.sport) : socketText(packet.dst, ports?.dport);
}

/** Replies are translated back: their destination is where the source was changed, and the reverse. */
const BACK_NAME = { source: 'un-DNAT source', destination: 'un-SNAT destination' } as const;
const FORTH_NAME = { source: 'SNAT source', destination: 'DNAT destination' } as const;

function translateRow(event: Extract<NetfilterEvent, { kind: 'translate' }>): Row | undefined {
  // What a rule decided stands in the rule's own row.
  if (event.cause === 'rule') return undefined;
  const { manip, before, after, cause, hook } = event;
  const name = cause === 'un-nat' ? BACK_NAME[manip] : FORTH_NAME[manip];
  const why = cause === 'null-binding' ? 'the port was taken by another flow' : '';
  return row(hook, 'nat', name, `${end(before, manip)} ⇒ ${end(after, manip)}`, why);
}

function routeRow(event: Extract<HostEvent, { kind: 'route' }>): Row {
  return row('route', '', routeText(event.route, event.destination));
}

function transmitRow({ device, nextHop, packet }: Extract<HostEvent, { kind: 'transmit' }>): Row {
  const to = sameAddress(nextHop, packet.dst) ? '' : ` to ${formatIpAddress(nextHop)}`;
  return row('out', '', `${device}${to}`, `${endsText(packet)}  ttl ${packet.ttl}`);
}

/** The rows of `events`, in the order in which things happened. */
export function rowsOf(events: readonly NamespaceEvent[]): Row[] {
  const rows: Row[] = [];
  for (let at = 0; at < events.length; at++) {
    const event = events[at];
    if (event === undefined) break;
    switch (event.kind) {
      case 'chain': {
        // Everything from here to the end of this table's walk is one block.
        let stop = at + 1;
        while (isOfTable(events[stop], event)) stop++;
        rows.push(...tableRows(events.slice(at, stop), event.hook, event.table));
        at = stop - 1;
        break;
      }
      case 'conntrack':
        rows.push(conntrackRow(event));
        break;
      case 'translate':
        rows.push(...[translateRow(event)].flatMap((each) => each ?? []));
        break;
      case 'confirm':
        rows.push(row(event.hook, 'conntrack', 'confirmed', entryText(event.entry)));
        break;
      case 'route':
        rows.push(routeRow(event));
        break;
      case 'transmit':
        rows.push(transmitRow(event));
        break;
      case 'loopback':
        rows.push(row('out', '', 'lo and in again'));
        break;
      case 'neighbour-wait':
      case 'neighbour':
      case 'bridge':
      case 'encapsulated':
      case 'decapsulated':
      case 'frame-sent':
      case 'frame-received':
        rows.push(...linkRows(event));
        break;
      // How a hop was lost is its last line.
      case 'frame-dropped':
      case 'frame-lost':
      case 'packet-dropped':
      case 'hook':
      case 'rule':
      case 'policy':
      case 'receive':
      case 'originate':
      case 'fate':
        break;
    }
  }
  return rows;
}

function isOfTable(
  event: NamespaceEvent | undefined,
  of: { readonly table: string; readonly hook: string },
): boolean {
  if (event?.kind !== 'chain' && event?.kind !== 'rule' && event?.kind !== 'policy') return false;
  return event.table === of.table && event.hook === of.hook;
}
