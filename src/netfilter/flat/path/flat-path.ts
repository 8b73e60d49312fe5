/**
 * Batches of packets through a host that passes them on: bytes in, bytes out, with everything in between that the
 * reference does (netstack's Host over netfilter): all tables, connection tracking, NAT, routing, counters.
 *
 *   bytes ─▶ headers ─▶ raw ─▶ conntrack ─▶ mangle ─▶ nat ─▶ route ─▶ mangle ─▶ filter ─▶ mangle ─▶ nat ─▶ confirm ─▶ bytes
 *              └──────────┴───────┴───────────┴────────┴───── at any of these: refer to the reference, which goes on
 *
 * There is one truth, so answers cannot differ by history: both engines use the same conntrack table (FlowTable),
 * the same counters, the same source of random choices, the same clock and the same trackers. Each packet is the
 * path's own until it meets something the path does not do; then the reference takes it from that very step on:
 * IPv6, fragments, protocols other than TCP and UDP, broken headers, packets for the host itself or that need an
 * answer, REJECT, matches and targets that remember or change more than the mark, NAT into ranges, port clashes.
 *
 * Packets go one after another, since one may confirm the flow that the next belongs to. Nothing is allocated for
 * the first packet of a flow; its entry and its tracker's state are made with the second.
 */
import type { Clock } from '../../../sim/clock.ts';
import { parsePacket } from '../../../wire/headers.ts';
import type { Packet } from '../../../wire/packet.ts';
import { WireError } from '../../../wire/wire-error.ts';
import { HOOK_STEPS, type Hook, type HookStep } from '../../hooks.ts';
import type { LoadedRules } from '../../loaded-rules.ts';
import type { Netfilter } from '../../netfilter.ts';
import { Skb } from '../../skb.ts';
import { type Batch, makeBatch } from '../batch.ts';
import { CT_BIT } from '../layout.ts';
import { newScratch } from '../match-record.ts';
import { Connection, TRACKED } from './connection.ts';
import { FLOW_BIT } from './flow-layout.ts';
import { FlowTable } from './flow-table.ts';
import { PathHeaders, PathTuple, rewriteHeaders } from './headers.ts';
import { FATE, type PathBatch } from './path-batch.ts';
import { PathCounters } from './path-counters.ts';
import { NAT_KIND } from './path-table.ts';
import type { FlatRouting } from './routing.ts';
import { NO_DEVICE, type Stage, type Stages, stagesOf } from './stages.ts';
import type { TapedChoices } from './taped-choices.ts';
import { bindDestination, isTaken, masquerade } from './translate.ts';
import { OUTCOME, Walker } from './walk-lines.ts';

/** The reference engine, which knows how to go on with a packet from any step (netstack's Host). */
export interface PathReference<P> {
  /** A packet that came in by the device with this number. */
  receive(packet: Packet, inDevice: number): P;
  /** One that has come as far as before step `step` of `hook`. */
  resume(skb: Skb, inDevice: number, hook: PathHook, step: number): P;
}

/** The hooks that a forwarded packet passes. */
export type PathHook = Extract<Hook, 'prerouting' | 'forward' | 'postrouting'>;

export interface FlatPathOptions<P> {
  /** Its conntrack table and counters are replaced by the path's: nothing may be in them. */
  readonly netfilter: Netfilter;
  /** The choices that `netfilter` was made with. */
  readonly choices: TapedChoices;
  readonly clock: Clock;
  readonly routing: FlatRouting;
  readonly reference: PathReference<P>;
  /** How many flows to make room for at once. */
  readonly expectedFlows?: number;
}

/** What a stage says besides a FATE: the packet goes on; the reference takes it; a NAT rule matched. */
const PASSES = 0;
const REFERRED = -1;
const TRANSLATES = -2;

/** A step of a hook by what it is: `confirm`, `nat`, `conntrack`, or the name of its table. */
function stepNumber(steps: readonly HookStep[], name: string): number {
  return steps.findIndex((step) => step.kind === name || (step.kind === 'table' && step.table === name));
}

export class FlatPath<P> {
  /** What the reference says of the packets of the last batch that it took, by row. */
  readonly passages = new Map<number, P>();
  readonly #netfilter: Netfilter;
  readonly #choices: TapedChoices;
  readonly #clock: Clock;
  readonly #routing: FlatRouting;
  readonly #reference: PathReference<P>;
  readonly #counters = new PathCounters();
  readonly #registers: Batch = makeBatch('ipv4', 1);
  readonly #headers = new PathHeaders();
  readonly #tuple = new PathTuple();
  readonly #connection: Connection;
  #walker: Walker;
  #table: FlowTable;
  #rules: LoadedRules | undefined;
  #stages: Stages | undefined;
  #now = 0;
  /** Of the packet on its way: whether conntrack knows it, and the range it is routed to. */
  #isTracked = false;
  #range = 0;
  #outDevice = NO_DEVICE;

  /** Throws RangeError when `netfilter` draws from elsewhere or has flows already. */
  constructor({ netfilter, choices, clock, routing, reference, expectedFlows = 0 }: FlatPathOptions<P>) {
    if (netfilter.choices !== choices) throw new RangeError('netfilter draws from other choices');
    if (netfilter.conntrack.size > 0) throw new RangeError('netfilter tracks flows already');
    this.#netfilter = netfilter;
    this.#choices = choices;
    this.#clock = clock;
    this.#routing = routing;
    this.#reference = reference;
    this.#connection = new Connection(netfilter.sysctls);
    this.#walker = new Walker(newScratch(0, choices), 0);
    this.#table = this.forgetFlows(expectedFlows);
    netfilter.counters = this.#counters;
  }

  /** Begins with an empty conntrack table, with room for `expectedFlows`, and returns it. */
  forgetFlows(expectedFlows = 0): FlowTable {
    this.#table = new FlowTable(this.#netfilter.sysctls, expectedFlows);
    this.#netfilter.conntrack = this.#table;
    return this.#table;
  }

  /** Lets all packets of `batch` pass through the host, in order, and fills the batch's result columns. */
  run(batch: PathBatch): void {
    this.passages.clear();
    const stages = this.#refresh();
    this.#now = this.#clock.now();
    for (let row = 0; row < batch.count; row++) batch.fate[row] = this.#pass(batch, row, stages);
  }

  /** Follows the rules that are loaded. */
  #refresh(): Stages {
    const rules = this.#netfilter.rules('ipv4');
    if (this.#stages !== undefined && this.#rules === rules) return this.#stages;
    const stages = stagesOf(rules, this.#routing);
    this.#rules = rules;
    this.#stages = stages;
    this.#walker = new Walker(newScratch(0, this.#choices), stages.depth);
    this.#counters.setTables(stages.tables);
    return stages;
  }

  #pass(batch: PathBatch, row: number, stages: Stages): number {
    const inDevice = batch.inDevice[row] ?? 0;
    if (this.#netfilter.trace !== undefined || !this.#headers.read(batch, row)) {
      return this.#fromStart(batch, row, inDevice);
    }
    this.#tuple.begin(this.#headers);
    this.#fillRegisters();
    this.#outDevice = NO_DEVICE;
    return (
      this.#prerouting(batch, row, stages) ||
      this.#route(batch, row) ||
      this.#forward(batch, row, stages) ||
      this.#postrouting(batch, row, stages) ||
      this.#transmit(batch, row)
    );
  }

  #fillRegisters(): void {
    const registers = this.#registers;
    const { src, dst, protocol, sport, dport } = this.#headers;
    registers.src[0] = src;
    registers.dst[0] = dst;
    registers.protocol[0] = protocol;
    registers.sport[0] = sport;
    registers.dport[0] = dport;
    registers.mark[0] = 0;
    registers.state[0] = CT_BIT.INVALID;
    this.#isTracked = false;
  }

  #prerouting(batch: PathBatch, row: number, stages: Stages): number {
    return (
      this.#chain(batch, row, stages.rawPrerouting, 'prerouting', 'raw') ||
      (stages.tracks ? this.#track(batch, row) : PASSES) ||
      this.#chain(batch, row, stages.manglePrerouting, 'prerouting', 'mangle') ||
      (stages.translates && this.#isTracked ? this.#natDestination(batch, row, stages) : PASSES)
    );
  }

  #forward(batch: PathBatch, row: number, stages: Stages): number {
    return (
      this.#chain(batch, row, stages.mangleForward, 'forward', 'mangle') ||
      this.#chain(batch, row, stages.filterForward, 'forward', 'filter') ||
      this.#chain(batch, row, stages.securityForward, 'forward', 'security')
    );
  }

  #postrouting(batch: PathBatch, row: number, stages: Stages): number {
    return (
      this.#chain(batch, row, stages.manglePostrouting, 'postrouting', 'mangle') ||
      (stages.translates && this.#isTracked ? this.#natSource(batch, row, stages) : PASSES) ||
      (this.#isTracked ? this.#confirm(batch, row, stages) : PASSES)
    );
  }

  /** Walks a chain that does not translate; a FATE, or PASSES. */
  #chain(batch: PathBatch, row: number, stage: Stage | undefined, hook: PathHook, table: string): number {
    if (stage === undefined) return PASSES;
    if (stage.passing >= 0) {
      stage.table.countPolicy(stage.passing, this.#headers.totalLength);
      return PASSES;
    }
    const said = this.#walk(batch, row, stage);
    if (said < 0) return this.#refer(batch, row, hook, table);
    this.#settle(stage);
    return said;
  }

  /** Walks a chain without anything of it showing yet; PASSES, a FATE, REFERRED or TRANSLATES. */
  #walk(batch: PathBatch, row: number, stage: Stage): number {
    const image = stage.image(batch.inDevice[row] ?? 0, this.#outDevice);
    if (image === undefined || stage.table.refers) return REFERRED;
    this.#choices.begin();
    switch (this.#walker.walk(stage.table, image, this.#registers)) {
      case OUTCOME.accept:
        return PASSES;
      case OUTCOME.drop:
        return FATE.droppedByRule;
      case OUTCOME.policyDrop:
        return FATE.droppedByPolicy;
      case OUTCOME.nat:
        return TRANSLATES;
      default:
        return REFERRED;
    }
  }

  /** Lets the last walk stand. */
  #settle({ table }: Stage): void {
    this.#choices.settle();
    this.#walker.count(table, this.#headers.totalLength);
    this.#registers.mark[0] = this.#walker.mark;
  }

  #track(batch: PathBatch, row: number): number {
    const connection = this.#connection;
    const tracked = connection.track(this.#table, batch, this.#headers, this.#now);
    if (tracked === TRACKED.refer) return this.#refer(batch, row, 'prerouting', 'conntrack');
    this.#isTracked = tracked !== TRACKED.invalid;
    this.#registers.state[0] = connection.state;
    return PASSES;
  }

  #natDestination(batch: PathBatch, row: number, stages: Stages): number {
    const connection = this.#connection;
    const tuple = this.#tuple;
    const { entry, isReply } = connection;
    if (entry !== undefined) {
      const bound = (connection.state & CT_BIT.ESTABLISHED) !== 0 || entry.destinationDone;
      if (!bound) return this.#refer(batch, row, 'prerouting', 'nat');
      if (isReply ? entry.sourceNat : entry.destinationNat) {
        const { original, reply } = entry;
        tuple.dst = isReply ? (original.src as number) | 0 : (reply.src as number) | 0;
        tuple.dport = isReply ? original.sport : reply.sport;
      }
    } else {
      const stage = stages.natPrerouting;
      const said = stage === undefined ? PASSES : this.#walk(batch, row, stage);
      if (said === REFERRED) return this.#refer(batch, row, 'prerouting', 'nat');
      if (said === TRANSLATES && !this.#bindDestination(stage)) {
        return this.#refer(batch, row, 'prerouting', 'nat');
      }
      if (stage !== undefined) this.#settle(stage);
      if (said > 0) return said;
      // A null binding changes nothing here, but who looks for a flow that has expired is rid of it.
      if (said === PASSES) isTaken(this.#table, tuple, this.#headers.protocol, this.#now);
      connection.status |= FLOW_BIT.destinationDone;
      if (connection.status & FLOW_BIT.destinationNat) connection.state |= CT_BIT.DNAT;
      this.#registers.state[0] = connection.state;
    }
    this.#registers.dst[0] = tuple.dst;
    this.#registers.dport[0] = tuple.dport;
    return PASSES;
  }

  /** Carries out the rule that the walk of `stage` ended with; false when the reference has to. */
  #bindDestination(stage: Stage | undefined): boolean {
    const rule = this.#walker.decided;
    if (stage === undefined || stage.table.natKinds[rule] !== NAT_KIND.dnat) return false;
    const { protocol } = this.#headers;
    return bindDestination(
      stage.table.lines,
      rule,
      this.#table,
      this.#tuple,
      this.#connection,
      protocol,
      this.#now,
    );
  }

  #route(batch: PathBatch, row: number): number {
    const routing = this.#routing;
    const { src, dst } = this.#tuple;
    const { ttl, totalLength } = this.#headers;
    const range = routing.rangeOf(dst);
    const outDevice = routing.deviceTo(range);
    const passesOn =
      outDevice >= 0 &&
      ttl > 1 &&
      totalLength <= routing.mtuTo(range) &&
      routing.takesFrom(routing.rangeOf(src), batch.inDevice[row] ?? 0);
    if (!passesOn) return this.#refer(batch, row, 'prerouting', 'end');
    this.#range = range;
    this.#outDevice = outDevice;
    return PASSES;
  }

  #natSource(batch: PathBatch, row: number, stages: Stages): number {
    const connection = this.#connection;
    const tuple = this.#tuple;
    const { entry, isReply } = connection;
    if (entry !== undefined) {
      const bound = (connection.state & CT_BIT.ESTABLISHED) !== 0 || entry.sourceDone;
      const device = isReply ? undefined : entry.masqueradeDevice;
      const otherDevice = device !== undefined && device !== this.#routing.devices[this.#outDevice];
      if (!bound || otherDevice) return this.#refer(batch, row, 'postrouting', 'nat');
      if (isReply ? entry.destinationNat : entry.sourceNat) {
        const { original, reply } = entry;
        tuple.src = isReply ? (original.dst as number) | 0 : (reply.dst as number) | 0;
        tuple.sport = isReply ? original.dport : reply.dport;
      }
      return PASSES;
    }
    const stage = stages.natPostrouting;
    const said = stage === undefined ? PASSES : this.#walk(batch, row, stage);
    const { protocol } = this.#headers;
    const decided =
      said === TRANSLATES
        ? this.#masquerade(stage)
        : said !== REFERRED && !isTaken(this.#table, tuple, protocol, this.#now);
    if (said <= 0 && !decided) return this.#refer(batch, row, 'postrouting', 'nat');
    if (stage !== undefined) this.#settle(stage);
    connection.status |= FLOW_BIT.sourceDone;
    return said > 0 ? said : PASSES;
  }

  #masquerade(stage: Stage | undefined): boolean {
    const kind = stage?.table.natKinds[this.#walker.decided] ?? NAT_KIND.refer;
    if (kind !== NAT_KIND.masquerade && kind !== NAT_KIND.masqueradeRandom) return false;
    const address = this.#routing.masqueradeTo(this.#range);
    const choices = kind === NAT_KIND.masqueradeRandom ? this.#choices : undefined;
    const { protocol } = this.#headers;
    if (address === 0) return false;
    if (!masquerade(this.#table, this.#tuple, address, choices, protocol, this.#now)) return false;
    const connection = this.#connection;
    const { src, sport } = this.#headers;
    if (this.#tuple.src !== src || this.#tuple.sport !== sport) connection.status |= FLOW_BIT.sourceNat;
    if (choices !== undefined) connection.status |= FLOW_BIT.randomSource;
    connection.device = this.#table.deviceNumber(this.#routing.devices[this.#outDevice] ?? '') + 1;
    return true;
  }

  #confirm(batch: PathBatch, row: number, { translates }: Stages): number {
    const connection = this.#connection;
    const headers = this.#headers;
    if (connection.entry !== undefined) return PASSES;
    // Where NAT is on, it has seen to it that the answers' tuple is free.
    if (!translates && isTaken(this.#table, this.#tuple, headers.protocol, this.#now)) {
      return this.#refer(batch, row, 'postrouting', 'confirm');
    }
    connection.confirm(this.#table, batch, headers, this.#tuple, this.#now);
    return PASSES;
  }

  #transmit(batch: PathBatch, row: number): number {
    rewriteHeaders(batch, row, this.#headers, this.#tuple);
    batch.length[row] = this.#headers.totalLength;
    batch.outDevice[row] = this.#outDevice;
    batch.nextHop[row] = this.#nextHop();
    return FATE.forwarded;
  }

  #nextHop(): number {
    return this.#routing.gatewayTo(this.#range) || this.#tuple.dst;
  }

  /** Hands the packet over before it has met anything. */
  #fromStart(batch: PathBatch, row: number, inDevice: number): number {
    try {
      const packet = parsePacket(batch.packet(row));
      this.passages.set(row, this.#reference.receive(packet, inDevice));
      return FATE.passage;
    } catch (error) {
      if (error instanceof WireError) return FATE.unreadable;
      throw error;
    }
  }

  /** Hands the packet over before the step of `hook` called `name`; `end`: behind the last. */
  #refer(batch: PathBatch, row: number, hook: PathHook, name: string): number {
    this.#choices.rewind();
    const routing = this.#routing;
    const inDevice = batch.inDevice[row] ?? 0;
    const skb = new Skb(this.#packetNow(batch, row, hook), routing.devices[inDevice]);
    skb.mark = this.#registers.mark[0] ?? 0;
    if (hook !== 'prerouting') {
      skb.outDevice = routing.devices[this.#outDevice];
      skb.nextHop = this.#nextHop() >>> 0;
    }
    if (this.#isTracked) skb.ct = this.#connection.attachment(batch, this.#headers, this.#tuple, this.#now);
    const steps = HOOK_STEPS[this.#netfilter.backend][hook];
    const step = name === 'end' ? steps.length : stepNumber(steps, name);
    this.passages.set(row, this.#reference.resume(skb, inDevice, hook, step));
    this.#choices.settle();
    return FATE.passage;
  }

  /** The packet as it is by now. */
  #packetNow(batch: PathBatch, row: number, hook: PathHook): Packet {
    const { src, dst, sport, dport } = this.#tuple;
    const packet = parsePacket(batch.packet(row));
    const { transport } = packet;
    const ported = 'sport' in transport ? { ...transport, sport, dport } : transport;
    const ttl = hook === 'prerouting' ? packet.ttl : packet.ttl - 1;
    return { ...packet, src: src >>> 0, dst: dst >>> 0, ttl, transport: ported };
  }
}
