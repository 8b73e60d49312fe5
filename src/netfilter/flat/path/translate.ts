/**
 * NAT of a flow's first packet, as far as the path decides it: which tuple a binding leads to, when that takes no
 * search. What clashes with another flow is the reference's to sort out. Parameters are positional, since nothing is
 * to be allocated.
 */
import { PROTOCOL } from '../../../wire/protocol.ts';
import type { Connection } from './connection.ts';
import { FLOW_BIT } from './flow-layout.ts';
import type { FlowTable } from './flow-table.ts';
import type { PathTuple } from './headers.ts';
import type { PathPacket } from './path-packet.ts';
import { NAT_KIND } from './path-table.ts';
import type { FlatRouting } from './routing.ts';
import { LINE } from './rule-lines.ts';
import type { Stage } from './stages.ts';
import type { TapedChoices } from './taped-choices.ts';

/** The ports that a source may be moved to: it keeps its class (choose-tuple.ts portClass). */
const CLASSES = [
  { from: 1, to: 511 },
  { from: 600, to: 1023 },
  { from: 1024, to: 65_535 },
] as const;

/** Whether answers to `tuple` would be mistaken for another flow's packets. */
export function isTaken(table: FlowTable, tuple: PathTuple, protocol: number, now: number): boolean {
  return table.lookup(tuple.dst, tuple.src, (tuple.dport << 16) | tuple.sport, protocol, now) >= 0;
}

/**
 * Makes the target of DNAT rule number `rule` of `lines` the flow's destination. False, with nothing changed, when
 * another flow may have to make way for it.
 */
export function bindDestination(
  lines: Int32Array,
  rule: number,
  table: FlowTable,
  tuple: PathTuple,
  connection: Connection,
  protocol: number,
  now: number,
): boolean {
  const action = rule * LINE.words + LINE.action;
  const port = lines[action + 1] ?? -1;
  const { dst, dport } = tuple;
  if (lines[action + 2] === 1) tuple.dst = lines[action + 3] ?? 0;
  if (port >= 0) tuple.dport = port;
  // The reference does not look where the port stays as the rule wants it.
  const taken = port !== dport && isTaken(table, tuple, protocol, now);
  if (taken && port >= 0 && protocol === PROTOCOL.tcp) {
    tuple.dst = dst;
    tuple.dport = dport;
    return false;
  }
  if (dst !== tuple.dst || dport !== tuple.dport) connection.status |= FLOW_BIT.destinationNat;
  return true;
}

function classOf(port: number): (typeof CLASSES)[number] {
  return port < 512 ? CLASSES[0] : port < 1024 ? CLASSES[1] : CLASSES[2];
}

/**
 * Makes `address` the flow's source, with its own port, or with one drawn from `choices`. False, with nothing
 * changed, when that takes a search.
 */
export function masquerade(
  table: FlowTable,
  tuple: PathTuple,
  address: number,
  choices: TapedChoices | undefined,
  protocol: number,
  now: number,
): boolean {
  const { src, sport } = tuple;
  // Without a draw, what is the device's own already stays, and flows of one source stick together.
  if (choices === undefined && (address === src || table.hasSource(src, sport << 16, protocol, now)))
    return false;
  tuple.src = address;
  if (choices !== undefined) {
    const { from, to } = classOf(sport);
    tuple.sport = from + (choices.random16() % (to - from + 1));
  }
  if (!isTaken(table, tuple, protocol, now)) return true;
  tuple.src = src;
  tuple.sport = sport;
  return false;
}

/** Carries out the NAT rule that a walk ended with, for the packet on its way. */
export class Binder {
  readonly #packet: PathPacket;
  readonly #choices: TapedChoices;
  readonly #routing: FlatRouting;

  constructor(packet: PathPacket, choices: TapedChoices, routing: FlatRouting) {
    this.#packet = packet;
    this.#choices = choices;
    this.#routing = routing;
  }

  /** Before routing, by rule number `rule` of `stage`'s table; false when the reference has to. */
  bindDestination(stage: Stage | undefined, rule: number, table: FlowTable, now: number): boolean {
    if (stage === undefined || stage.table.natKinds[rule] !== NAT_KIND.dnat) return false;
    const { tuple, connection, headers } = this.#packet;
    return bindDestination(stage.table.lines, rule, table, tuple, connection, headers.protocol, now);
  }

  /** The same behind it. */
  masquerade(stage: Stage | undefined, rule: number, table: FlowTable, now: number): boolean {
    const { tuple, connection, headers, range, outDevice } = this.#packet;
    const kind = stage?.table.natKinds[rule] ?? NAT_KIND.refer;
    const address = this.#routing.masqueradeTo(range);
    if (address === 0 || (kind !== NAT_KIND.masquerade && kind !== NAT_KIND.masqueradeRandom)) return false;
    const choices = kind === NAT_KIND.masqueradeRandom ? this.#choices : undefined;
    if (!masquerade(table, tuple, address, choices, headers.protocol, now)) return false;
    if (tuple.src !== headers.src || tuple.sport !== headers.sport) connection.status |= FLOW_BIT.sourceNat;
    if (choices !== undefined) connection.status |= FLOW_BIT.randomSource;
    connection.device = table.deviceNumber(this.#routing.devices[outDevice] ?? '') + 1;
    return true;
  }
}
