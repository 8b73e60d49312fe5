/**
 * Batches of packets through a host that passes them on: bytes in, bytes out, with everything in between that the
 * reference does (netstack's Host over netfilter): all tables, connection tracking, NAT, routing, counters.
 *
 *   bytes ─▶ headers ─▶ raw ─▶ conntrack ─▶ mangle ─▶ nat ─▶ route ─▶ mangle ─▶ filter ─▶ mangle ─▶ nat ─▶ confirm ─▶ bytes
 *              └──────────┴───────┴───────────┴────────┴───── at any of these: refer to the reference, which goes on
 *
 * Answers cannot differ by history: both engines use one conntrack table (FlowTable), one source of choices, one
 * clock, the same counters and trackers. What the path does not do the reference takes over at that very step:
 * IPv6, fragments, other protocols than TCP and UDP, broken headers, packets for the host or that need an answer,
 * matches and targets that remember or change more than the mark, NAT into ranges, port clashes. Packets go one
 * after another; nothing is allocated for a flow's first, its entry and tracker's state come with the second.
 */
import { parsePacket } from '../../../wire/headers.ts';
import { WireError } from '../../../wire/wire-error.ts';
import type { LoadedRules } from '../../loaded-rules.ts';
import type { Netfilter } from '../../netfilter.ts';
import { CT_BIT } from '../layout.ts';
import { newScratch } from '../match-record.ts';
import { Connection, TRACKED } from './connection.ts';
import { FLOW_BIT } from './flow-layout.ts';
import { FlowStore } from './flow-store.ts';
import { FlowTable } from './flow-table.ts';
import { rewriteHeaders } from './headers.ts';
import { FATE, type PathBatch } from './path-batch.ts';
import { PathCounters } from './path-counters.ts';
import { PathPacket } from './path-packet.ts';
import {
  type FlatPathOptions,
  type PathHook,
  type PathReference,
  type StepName,
  stepNumber,
} from './path-reference.ts';
import { AHEAD, ReadAhead } from './read-ahead.ts';
import type { FlatRouting } from './routing.ts';
import { PASSES, REFERRED, SAID, TRANSLATES } from './said.ts';
import { type Stage, type Stages, stagesOf } from './stages.ts';
import type { TapedChoices } from './taped-choices.ts';
import { Binder, isTaken } from './translate.ts';
import { Walker } from './walk-lines.ts';

export class FlatPath<P> {
  /** What the reference says of the packets of the last batch that it took, by row. */
  readonly passages = new Map<number, P>();
  readonly #netfilter: Netfilter;
  readonly #choices: TapedChoices;
  readonly #routing: FlatRouting;
  readonly #reference: PathReference<P>;
  readonly #counters = new PathCounters();
  readonly #packet: PathPacket;
  readonly #binder: Binder;
  readonly #ahead = new ReadAhead();
  #walker: Walker;
  #table: FlowTable;
  #rules: LoadedRules | undefined;
  #stages: Stages | undefined;
  #now = 0;

  /** Throws RangeError when `netfilter` draws from elsewhere or has flows already. */
  constructor({ netfilter, choices, routing, reference, expectedFlows = 0 }: FlatPathOptions<P>) {
    if (netfilter.choices !== choices) throw new RangeError('netfilter draws from other choices');
    if (netfilter.conntrack.size > 0) throw new RangeError('netfilter tracks flows already');
    this.#netfilter = netfilter;
    this.#choices = choices;
    this.#routing = routing;
    this.#reference = reference;
    this.#packet = new PathPacket(new Connection(netfilter.sysctls));
    this.#binder = new Binder(this.#packet, choices, routing);
    this.#walker = new Walker(newScratch(0, choices), 0);
    this.#table = new FlowTable(netfilter.sysctls, new FlowStore(expectedFlows));
    netfilter.conntrack = this.#table;
    netfilter.counters = this.#counters;
  }

  /**
   * Begins with an empty conntrack table, with room for `expectedFlows`, and returns it. The one before is not to be
   * used any more: its memory is the new one's.
   */
  forgetFlows(expectedFlows = 0): FlowTable {
    this.#table = new FlowTable(this.#netfilter.sysctls, this.#table.store.emptied(expectedFlows));
    this.#netfilter.conntrack = this.#table;
    return this.#table;
  }

  /** Lets all packets of `batch` pass through the host, in order, and fills the batch's result columns. */
  run(batch: PathBatch): void {
    this.passages.clear();
    const stages = this.#refresh();
    this.#now = this.#netfilter.clock.now();
    for (let start = 0; start < batch.count; start += AHEAD) {
      const end = Math.min(batch.count, start + AHEAD);
      this.#ahead.read(batch, start, end, this.#table.store, stages.natPrerouting);
      for (let row = start; row < end; row++) batch.fate[row] = this.#pass(batch, row, stages);
    }
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
    if (this.#netfilter.trace !== undefined || !this.#packet.begin(batch, row)) {
      return this.#fromStart(batch, row);
    }
    return (
      this.#prerouting(batch, row, stages) ||
      this.#route(batch, row) ||
      this.#forward(batch, row, stages) ||
      this.#postrouting(batch, row, stages) ||
      this.#transmit(batch, row)
    );
  }

  #prerouting(batch: PathBatch, row: number, stages: Stages): number {
    return (
      this.#chain(batch, row, stages.rawPrerouting, 'prerouting', 'raw') ||
      (stages.tracks ? this.#track(batch, row) : PASSES) ||
      this.#chain(batch, row, stages.manglePrerouting, 'prerouting', 'mangle') ||
      (stages.translates && this.#packet.isTracked ? this.#natDestination(batch, row, stages) : PASSES)
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
      (stages.translates && this.#packet.isTracked ? this.#natSource(batch, row, stages) : PASSES) ||
      (this.#packet.isTracked ? this.#confirm(batch, row, stages) : PASSES)
    );
  }

  /** Walks a chain that does not translate; a FATE, or PASSES. */
  #chain(batch: PathBatch, row: number, stage: Stage | undefined, hook: PathHook, table: StepName): number {
    if (stage === undefined) return PASSES;
    if (stage.passing >= 0) {
      stage.table.countPolicy(stage.passing, this.#packet.headers.totalLength);
      return PASSES;
    }
    const said = this.#walk(batch, row, stage);
    if (said < 0) return this.#refer(batch, row, hook, table);
    this.#settle(stage);
    return said;
  }

  /** Walks a chain without anything of it showing yet; PASSES, a FATE, REFERRED or TRANSLATES. */
  #walk(batch: PathBatch, row: number, stage: Stage): number {
    const inDevice = batch.inDevice[row] ?? 0;
    const { outDevice, registers } = this.#packet;
    const image = stage.image(inDevice, outDevice);
    if (image === undefined || stage.table.refers) return REFERRED;
    this.#choices.begin();
    const outcome = this.#walker.walk(stage.table, image, stage.memo(inDevice, outDevice), registers);
    return SAID[outcome] ?? REFERRED;
  }

  /** Lets the last walk stand. */
  #settle({ table }: Stage): void {
    this.#choices.settle();
    this.#walker.count(table, this.#packet.headers.totalLength);
    this.#packet.registers.mark[0] = this.#walker.mark;
  }

  #track(batch: PathBatch, row: number): number {
    const connection = this.#packet.connection;
    const tracked = connection.track(this.#table, batch, this.#packet.headers, this.#now);
    if (tracked === TRACKED.refer) return this.#refer(batch, row, 'prerouting', 'conntrack');
    this.#packet.isTracked = tracked !== TRACKED.invalid;
    this.#packet.registers.state[0] = connection.state;
    return PASSES;
  }

  #natDestination(batch: PathBatch, row: number, stages: Stages): number {
    const { connection, tuple } = this.#packet;
    const { entry } = connection;
    if (entry !== undefined) {
      const bound = (connection.state & CT_BIT.ESTABLISHED) !== 0 || entry.destinationDone;
      if (!bound) return this.#refer(batch, row, 'prerouting', 'nat');
      connection.translateDestination(tuple);
    } else {
      const stage = stages.natPrerouting;
      const said = stage === undefined ? PASSES : this.#walk(batch, row, stage);
      if (said === REFERRED) return this.#refer(batch, row, 'prerouting', 'nat');
      if (
        said === TRANSLATES &&
        !this.#binder.bindDestination(stage, this.#walker.decided, this.#table, this.#now)
      ) {
        return this.#refer(batch, row, 'prerouting', 'nat');
      }
      if (stage !== undefined) this.#settle(stage);
      if (said > 0) return said;
      // A null binding changes nothing here, but who looks for a flow that has expired is rid of it.
      if (said === PASSES) isTaken(this.#table, tuple, this.#packet.headers.protocol, this.#now);
      connection.status |= FLOW_BIT.destinationDone;
      if (connection.status & FLOW_BIT.destinationNat) connection.state |= CT_BIT.DNAT;
      this.#packet.registers.state[0] = connection.state;
    }
    this.#packet.registers.dst[0] = tuple.dst;
    this.#packet.registers.dport[0] = tuple.dport;
    return PASSES;
  }

  #route(batch: PathBatch, row: number): number {
    const routing = this.#routing;
    const { src, dst } = this.#packet.tuple;
    const { ttl, totalLength } = this.#packet.headers;
    const range = routing.rangeOf(dst);
    const outDevice = routing.deviceTo(range);
    const passesOn =
      outDevice >= 0 &&
      ttl > 1 &&
      totalLength <= routing.mtuTo(range) &&
      routing.takesFrom(routing.rangeOf(src), batch.inDevice[row] ?? 0);
    if (!passesOn) return this.#refer(batch, row, 'prerouting', 'end');
    this.#packet.range = range;
    this.#packet.outDevice = outDevice;
    return PASSES;
  }

  #natSource(batch: PathBatch, row: number, stages: Stages): number {
    const { connection, tuple } = this.#packet;
    const { entry, isReply } = connection;
    if (entry !== undefined) {
      const bound = (connection.state & CT_BIT.ESTABLISHED) !== 0 || entry.sourceDone;
      const device = isReply ? undefined : entry.masqueradeDevice;
      const otherDevice = device !== undefined && device !== this.#routing.devices[this.#packet.outDevice];
      if (!bound || otherDevice) return this.#refer(batch, row, 'postrouting', 'nat');
      connection.translateSource(tuple);
      return PASSES;
    }
    const stage = stages.natPostrouting;
    const said = stage === undefined ? PASSES : this.#walk(batch, row, stage);
    const { protocol } = this.#packet.headers;
    const bound =
      said === TRANSLATES
        ? this.#binder.masquerade(stage, this.#walker.decided, this.#table, this.#now)
        : said !== REFERRED && !isTaken(this.#table, tuple, protocol, this.#now);
    if (said <= 0 && !bound) return this.#refer(batch, row, 'postrouting', 'nat');
    if (stage !== undefined) this.#settle(stage);
    connection.status |= FLOW_BIT.sourceDone;
    return said > 0 ? said : PASSES;
  }

  #confirm(batch: PathBatch, row: number, { translates }: Stages): number {
    const connection = this.#packet.connection;
    const headers = this.#packet.headers;
    if (connection.entry !== undefined) return PASSES;
    // Where NAT is on, it has seen to it that the answers' tuple is free.
    if (!translates && isTaken(this.#table, this.#packet.tuple, headers.protocol, this.#now)) {
      return this.#refer(batch, row, 'postrouting', 'confirm');
    }
    connection.confirm(this.#table, batch, headers, this.#packet.tuple, this.#now);
    return PASSES;
  }

  #transmit(batch: PathBatch, row: number): number {
    rewriteHeaders(batch, row, this.#packet.headers, this.#packet.tuple);
    batch.length[row] = this.#packet.headers.totalLength;
    batch.outDevice[row] = this.#packet.outDevice;
    batch.nextHop[row] = this.#packet.nextHop(this.#routing);
    return FATE.forwarded;
  }

  /** Hands the packet over before it has met anything. */
  #fromStart(batch: PathBatch, row: number): number {
    try {
      const packet = parsePacket(batch.packet(row));
      this.passages.set(row, this.#reference.receive(packet, batch.inDevice[row] ?? 0));
      return FATE.passage;
    } catch (error) {
      if (error instanceof WireError) return FATE.unreadable;
      throw error;
    }
  }

  /** Hands the packet over before the step of `hook` called `name`. */
  #refer(batch: PathBatch, row: number, hook: PathHook, name: StepName): number {
    this.#choices.rewind();
    const skb = this.#packet.skb(batch, row, this.#routing, this.#now);
    const step = stepNumber(this.#netfilter.backend, hook, name);
    this.passages.set(row, this.#reference.resume(skb, batch.inDevice[row] ?? 0, hook, step));
    this.#choices.settle();
    return FATE.passage;
  }
}
