/** Comments on captured packets: what rules, connection tracking and routing made of them, a line each. */
import type { NetfilterEvent, RuleEffect } from '../../netfilter/events.ts';
import type { Rule } from '../../netfilter/rule-set.ts';
import type { Tuple } from '../../netfilter/tuple.ts';
import { isIcmp } from '../../netfilter/tuple.ts';
import { DROP_REASONS } from '../../netfilter/verdict.ts';
import { type Fate, formatRefusal } from '../../netstack/fate.ts';
import type { NamespaceEvent } from '../../netstack/namespace-events.ts';
import { formatRuleBody } from '../../ruletext/format-rule.ts';
import { formatIpAddress, type IpAddress } from '../../wire/ip-address.ts';
import type { Packet } from '../../wire/packet.ts';
import type { NameBook } from './name-book.ts';

/** `10.0.0.1:80`, `[fd00::1]:80`, or the address alone. */
export function socketText(address: IpAddress, port?: number): string {
  const text = formatIpAddress(address);
  if (port === undefined) return text;
  return typeof address === 'number' ? `${text}:${port}` : `[${text}]:${port}`;
}

function tupleText({ src, dst, sport, dport, protocol }: Tuple): string {
  if (isIcmp(protocol)) return `${socketText(src)} → ${socketText(dst)} id ${sport}`;
  return `${socketText(src, sport)} → ${socketText(dst, dport)}`;
}

function conntrackText(event: Extract<NetfilterEvent, { kind: 'conntrack' }>): string {
  const { state, direction, entry } = event;
  if (entry === undefined) return `conntrack ${state}`;
  const marks = [entry.assured ? ' [ASSURED]' : '', entry.tcpState === undefined ? '' : ` ${entry.tcpState}`];
  const way = direction === 'reply' ? ', in reply direction' : '';
  return `conntrack ${state}${way}: ${tupleText(entry.original)}, replies as ${tupleText(entry.reply)}${marks.join('')}`;
}

/** Rules that decide or change something are worth a line; those that only lead on are not. */
function isDecisive(effect: RuleEffect): boolean {
  return !['jump', 'goto', 'return', 'continue', 'log'].includes(effect.kind);
}

function ruleText(
  { table, chain, number }: { readonly table: string; readonly chain: string; readonly number: number },
  rule: Rule,
): string {
  return `${table} ${chain} ${number}:${formatRuleBody(rule)}`;
}

function endText(packet: Packet, manip: 'source' | 'destination'): string {
  const { transport } = packet;
  const ports = 'sport' in transport ? transport : undefined;
  return manip === 'source' ? socketText(packet.src, ports?.sport) : socketText(packet.dst, ports?.dport);
}

const TRANSLATION = {
  rule: { source: 'SNAT', destination: 'DNAT' },
  flow: { source: 'SNAT', destination: 'DNAT' },
  'null-binding': { source: 'SNAT', destination: 'DNAT' },
  'un-nat': { source: 'un-DNAT', destination: 'un-SNAT' },
} as const;

/** How a packet ended; undefined for what its leaving shows anyway. */
function fateText(fate: Fate): string | undefined {
  switch (fate.kind) {
    case 'dropped':
      return `dropped (${fate.reason}): ${DROP_REASONS[fate.reason]}`;
    case 'rejected':
      return `rejected with ${formatRefusal(fate.refusal)}`;
    case 'unknown':
      return fate.reason;
    case 'delivered':
      return 'delivered to this host';
    case 'forwarded':
    case 'sent':
      return undefined;
  }
}

/** The comment that `event` is worth. */
export function commentOf(event: NamespaceEvent): string | undefined {
  switch (event.kind) {
    case 'conntrack':
      return conntrackText(event);
    case 'rule':
      return isDecisive(event.effect) ? `rule ${ruleText(event, event.rule)}` : undefined;
    case 'policy':
      return event.policy === 'DROP' ? `policy ${event.table} ${event.chain} DROP` : undefined;
    case 'translate': {
      const { manip, cause, before, after } = event;
      return `${TRANSLATION[cause][manip]} ${endText(before, manip)} ⇒ ${endText(after, manip)}`;
    }
    case 'fate':
      return fateText(event.fate);
    case 'frame-dropped':
    case 'frame-lost':
    case 'packet-dropped':
      return `dropped (${event.reason}): ${DROP_REASONS[event.reason]}`;
    case 'neighbour-wait':
      return `waits for the neighbour ${formatIpAddress(event.address)} on ${event.device}`;
    default:
      return undefined;
  }
}

/** `pod/default/client → svc/default/web:http`: who a packet is from and for, as far as anybody knows. */
export function whoText({ src, dst, transport }: Packet, names: NameBook): string | undefined {
  const ports = 'sport' in transport ? transport : undefined;
  const from = names.nameOf(src, ports?.sport);
  const to = names.nameOf(dst, ports?.dport);
  if (from === undefined && to === undefined) return undefined;
  return `${from ?? formatIpAddress(src)} → ${to ?? formatIpAddress(dst)}`;
}
