/**
 * The conntrack side of the packet that is on its way: its flow, or the one it opens, and the tuple that NAT makes
 * of it. One object, filled anew for every packet.
 */
import type { IpAddress } from '../../../wire/ip-address.ts';
import { PROTOCOL } from '../../../wire/protocol.ts';
import { ConntrackEntry } from '../../conntrack/entry.ts';
import type { ConntrackSysctls } from '../../conntrack/timeouts.ts';
import type { CtAttachment } from '../../skb.ts';
import { invertTuple, type Tuple } from '../../tuple.ts';
import { CT_BIT } from '../layout.ts';
import { runTracker, ScratchContext, ScratchSegment } from './first-packet.ts';
import { FLOW, FLOW_BIT, FLOW_TIME, REPLY } from './flow-layout.ts';
import type { FlowTable } from './flow-table.ts';
import type { PathHeaders, PathTuple } from './headers.ts';
import type { PathBatch } from './path-batch.ts';

/** What conntrack says of a packet. */
export const TRACKED = {
  /** It opens a flow. */
  begins: 0,
  /** It belongs to `entry`'s flow. */
  belongs: 1,
  invalid: 2,
  /** The reference has to look. */
  refer: 3,
} as const;

function tupleOf(src: number, dst: number, ports: number, protocol: number): Tuple {
  return { protocol, src: src >>> 0, dst: dst >>> 0, sport: ports >>> 16, dport: ports & 0xffff };
}

/** An IPv4 address as a signed word. */
function wordOf(address: IpAddress): number {
  return typeof address === 'number' ? address | 0 : 0;
}

export class Connection {
  /** Of a packet that belongs to a flow. */
  entry: ConntrackEntry | undefined;
  isReply = false;
  /** CT_BIT bits for rules that ask. */
  state = 0;
  /** FLOW_BIT bits of a flow that begins. */
  status = 0;
  /** The number (FlowTable.deviceNumber) + 1 of the device a new flow is masqueraded by. */
  device = 0;
  readonly #sysctls: ConntrackSysctls;
  readonly #segment = new ScratchSegment();
  readonly #context: ScratchContext;
  readonly #timeouts: { readonly tcp: number; readonly udp: number };

  constructor(sysctls: ConntrackSysctls) {
    this.#sysctls = sysctls;
    this.#context = new ScratchContext(sysctls);
    this.#timeouts = { tcp: this.#firstTimeout(PROTOCOL.tcp), udp: this.#firstTimeout(PROTOCOL.udp) };
  }

  /** Finds the packet's flow and lets its tracker judge it; a TRACKED. */
  track(table: FlowTable, batch: PathBatch, headers: PathHeaders, now: number): number {
    const { src, dst, protocol, sport, dport } = headers;
    this.entry = undefined;
    this.isReply = false;
    for (;;) {
      const reference = table.lookup(src, dst, (sport << 16) | dport, protocol, now);
      if (reference < 0) return this.#begin(table, headers);
      const entry = table.entryOf(reference >> 1);
      const isReply = (reference & REPLY) !== 0;
      const established = isReply || entry.seenReply;
      this.#context.direction = isReply ? 'reply' : 'original';
      this.#context.now = now;
      this.#fillSegment(batch, headers);
      const verdict = runTracker(entry, this.#segment, this.#context);
      if (verdict === 'reopen') {
        table.delete(entry);
        continue;
      }
      if (verdict === 'invalid') {
        this.state = CT_BIT.INVALID;
        return TRACKED.invalid;
      }
      if (verdict === 'delete') table.delete(entry);
      if (isReply) entry.seenReply = true;
      this.entry = entry;
      this.isReply = isReply;
      this.state =
        (established ? CT_BIT.ESTABLISHED : CT_BIT.NEW) |
        (entry.sourceNat ? CT_BIT.SNAT : 0) |
        (entry.destinationNat ? CT_BIT.DNAT : 0);
      return TRACKED.belongs;
    }
  }

  /** Makes `tuple`'s destination what the packet's flow has it translated to, if it does. */
  translateDestination(tuple: PathTuple): void {
    const { entry, isReply } = this;
    if (entry === undefined || !(isReply ? entry.sourceNat : entry.destinationNat)) return;
    tuple.dst = wordOf(isReply ? entry.original.src : entry.reply.src);
    tuple.dport = isReply ? entry.original.sport : entry.reply.sport;
  }

  /** The same for its source. */
  translateSource(tuple: PathTuple): void {
    const { entry, isReply } = this;
    if (entry === undefined || !(isReply ? entry.destinationNat : entry.sourceNat)) return;
    tuple.src = wordOf(isReply ? entry.original.dst : entry.reply.dst);
    tuple.sport = isReply ? entry.original.dport : entry.reply.dport;
  }

  /** Enters the flow that the packet begins; `to` are the headers as they leave. */
  confirm(table: FlowTable, batch: PathBatch, headers: PathHeaders, to: PathTuple, now: number): void {
    const { store } = table;
    const flow = store.allocate();
    const { words, times } = store;
    const at = flow * FLOW.words;
    words[at + FLOW.src] = headers.src;
    words[at + FLOW.dst] = headers.dst;
    words[at + FLOW.ports] = (headers.sport << 16) | headers.dport;
    words[at + FLOW.reply] = to.dst;
    words[at + FLOW.reply + FLOW.dst] = to.src;
    words[at + FLOW.reply + FLOW.ports] = (to.dport << 16) | to.sport;
    words[at + FLOW.status] = headers.protocol | this.status;
    words[at + FLOW.device] = this.device;
    words[at + FLOW.sequence] = headers.seq;
    words[at + FLOW.window] = (headers.flags << 16) | headers.window;
    words[at + FLOW.lengths] = (headers.payloadLength << 16) | headers.optionsLength;
    const options = 4 * (at + FLOW.options);
    for (let index = 0; index < headers.optionsLength; index++) {
      store.octets[options + index] = batch.bytes[headers.options + index] ?? 0;
    }
    const timeout = headers.protocol === PROTOCOL.tcp ? this.#timeouts.tcp : this.#timeouts.udp;
    times[flow * FLOW_TIME.doubles + FLOW_TIME.expires] = now + timeout;
    times[flow * FLOW_TIME.doubles + FLOW_TIME.begun] = now;
    table.insert(flow);
  }

  /** What the reference attaches to such a packet; `to` are the headers as they are by now. */
  attachment(batch: PathBatch, headers: PathHeaders, to: PathTuple, now: number): CtAttachment {
    const established = (this.state & CT_BIT.ESTABLISHED) !== 0;
    if (this.entry !== undefined) {
      const direction = this.isReply ? 'reply' : 'original';
      return { entry: this.entry, direction, state: established ? 'ESTABLISHED' : 'NEW' };
    }
    const { protocol } = headers;
    const original = tupleOf(headers.src, headers.dst, (headers.sport << 16) | headers.dport, protocol);
    const current = tupleOf(to.src, to.dst, (to.sport << 16) | to.dport, protocol);
    const entry = new ConntrackEntry(original, invertTuple(current) ?? original);
    this.#context.direction = 'original';
    this.#context.now = now;
    this.#fillSegment(batch, headers);
    runTracker(entry, this.#segment, this.#context);
    entry.sourceNat = (this.status & FLOW_BIT.sourceNat) !== 0;
    entry.destinationNat = (this.status & FLOW_BIT.destinationNat) !== 0;
    entry.sourceDone = (this.status & FLOW_BIT.sourceDone) !== 0;
    entry.destinationDone = (this.status & FLOW_BIT.destinationDone) !== 0;
    return { entry, direction: 'original', state: 'NEW' };
  }

  /** A packet of no known flow: it opens one if its protocol lets it and there is room. */
  #begin(table: FlowTable, headers: PathHeaders): number {
    const { max } = this.#sysctls;
    if (max !== 0 && table.size >= max) return TRACKED.refer;
    if (headers.protocol === PROTOCOL.tcp && !headers.isSyn) return TRACKED.refer;
    this.status = 0;
    this.device = 0;
    this.state = CT_BIT.NEW;
    return TRACKED.begins;
  }

  #fillSegment(batch: PathBatch, headers: PathHeaders): void {
    const segment = this.#segment;
    segment.sport = headers.sport;
    segment.dport = headers.dport;
    segment.seq = headers.seq;
    segment.ack = headers.ack;
    segment.flags = headers.flags;
    segment.window = headers.window;
    segment.setOptions(batch.bytes, headers.options, headers.optionsLength);
    segment.setPayloadLength(headers.payloadLength);
  }

  /** How long the reference's tracker lets a flow live after its first packet, seconds. */
  #firstTimeout(protocol: number): number {
    const tuple = tupleOf(1, 2, 0x10001, protocol);
    const entry = new ConntrackEntry(tuple, tuple);
    this.#segment.flags = 2;
    this.#context.now = 0;
    runTracker(entry, this.#segment, this.#context);
    return entry.expires;
  }
}
