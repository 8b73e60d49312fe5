/**
 * The conntrack table of a host with a flat path: the one truth for both engines. Flows of IPv4's TCP and UDP are
 * records in a FlowStore; a flow's ConntrackEntry is made when somebody asks for it for the first time, and then
 * is what counts. All other flows are kept as the reference keeps them.
 *
 *   first packet ──▶ record ──(second packet, or the reference looks)──▶ record + entry
 */
import { PROTOCOL } from '../../../wire/protocol.ts';
import { EvictionBuckets } from '../../conntrack/early-drop.ts';
import { ConntrackEntry } from '../../conntrack/entry.ts';
import { ConntrackTable, type TupleMatch } from '../../conntrack/table.ts';
import type { ConntrackSysctls } from '../../conntrack/timeouts.ts';
import type { Tuple } from '../../tuple.ts';
import { runTracker, ScratchContext, ScratchSegment } from './first-packet.ts';
import { FLOW, FLOW_BIT, FLOW_TIME, REPLY } from './flow-layout.ts';
import { type FlowStore, recordedExpiry } from './flow-store.ts';

interface FlatTuple extends Tuple {
  readonly src: number;
  readonly dst: number;
}

function isFlat(tuple: Tuple, zone: number): tuple is FlatTuple {
  if (zone !== 0 || typeof tuple.src !== 'number') return false;
  return tuple.protocol === PROTOCOL.tcp || tuple.protocol === PROTOCOL.udp;
}

function portsOf({ sport, dport }: Tuple): number {
  return (sport << 16) | dport;
}

export class FlowTable extends ConntrackTable {
  readonly store: FlowStore;
  /** By flow number; the entries of flows of which more than the first packet was seen. */
  readonly #entries: (ConntrackEntry | undefined)[] = [];
  /** The order of the flows that are not in the store. */
  readonly #others = new Map<ConntrackEntry, number>();
  readonly #segment = new ScratchSegment();
  readonly #context: ScratchContext;
  readonly #devices: string[] = [];
  readonly #deviceNumbers = new Map<string, number>();
  /** Built when the table is full for the first time; from then on every flow has an entry. */
  #evictable: EvictionBuckets | undefined;

  /** `sysctls` are those of the Netfilter whose table it is; `store` is empty, and its own from now on. */
  constructor(sysctls: ConntrackSysctls, store: FlowStore) {
    super();
    this.#context = new ScratchContext(sysctls);
    this.store = store;
  }

  override get size(): number {
    return this.store.size + this.#others.size;
  }

  /** A number for the device called `name`, from 0. */
  deviceNumber(name: string): number {
    const known = this.#deviceNumbers.get(name);
    if (known !== undefined) return known;
    this.#deviceNumbers.set(name, this.#devices.length);
    return this.#devices.push(name) - 1;
  }

  /** The flow (`find` of FlowStore) that owns a tuple, or -1. What has expired is forgotten. */
  lookup(src: number, dst: number, ports: number, protocol: number, now: number): number {
    const reference = this.store.find(src, dst, ports, protocol);
    if (reference < 0) return -1;
    if (this.#expiry(reference >> 1) > now) return reference;
    this.#forget(reference >> 1);
    return -1;
  }

  /** Whether a live flow begins at this source (`sport << 16`). */
  hasSource(src: number, sport: number, protocol: number, now: number): boolean {
    const { store } = this;
    for (let flow = store.firstFrom(src, sport, protocol); flow >= 0; flow = store.nextFrom(flow)) {
      if (this.#expiry(flow) > now) return true;
    }
    return false;
  }

  /** Enters a flow whose record the caller has filled, and of which there is no entry yet. */
  insert(flow: number): void {
    this.store.insert(flow);
    this.#evictable?.add(this.entryOf(flow));
  }

  /** The entry of a live flow, which is made when there is none. */
  entryOf(flow: number): ConntrackEntry {
    const known = this.#entries[flow];
    if (known !== undefined) return known;
    const entry = this.#makeEntry(flow);
    this.#entries[flow] = entry;
    return entry;
  }

  override *entries(now: number): IterableIterator<ConntrackEntry> {
    for (const entry of this.#inOrder()) if (entry.expires > now) yield entry;
  }

  override find(tuple: Tuple, zone: number, now: number): TupleMatch | undefined {
    if (!isFlat(tuple, zone)) return super.find(tuple, zone, now);
    const { src, dst, protocol } = tuple;
    const reference = this.lookup(src | 0, dst | 0, portsOf(tuple), protocol, now);
    if (reference < 0) return undefined;
    const direction = reference & REPLY ? 'reply' : 'original';
    return { entry: this.entryOf(reference >> 1), direction };
  }

  override withSource(tuple: Tuple, zone: number, now: number): ConntrackEntry[] {
    if (!isFlat(tuple, zone)) return super.withSource(tuple, zone, now);
    const found: ConntrackEntry[] = [];
    const { store } = this;
    let flow = store.firstFrom(tuple.src | 0, tuple.sport << 16, tuple.protocol);
    for (; flow >= 0; flow = store.nextFrom(flow)) {
      const entry = this.entryOf(flow);
      if (entry.sourceDone && entry.expires > now) found.push(entry);
    }
    return found;
  }

  override confirm(entry: ConntrackEntry, now: number): boolean {
    const { original, reply, zone } = entry;
    if (!isFlat(original, zone) || !isFlat(reply, zone)) {
      if (!super.confirm(entry, now)) return false;
      this.#others.set(entry, this.store.nextOrder());
      this.#evictable?.add(entry);
      return true;
    }
    if (this.find(original, zone, now) !== undefined) return false;
    if (this.find(reply, zone, now) !== undefined) return false;
    entry.confirmed = true;
    const { store } = this;
    const flow = store.allocate();
    const at = flow * FLOW.words;
    for (const [offset, tuple] of [
      [0, original],
      [FLOW.reply, reply],
    ] as const) {
      store.words[at + offset] = tuple.src;
      store.words[at + offset + FLOW.dst] = tuple.dst;
      store.words[at + offset + FLOW.ports] = portsOf(tuple);
    }
    store.words[at + FLOW.status] = original.protocol | statusOf(entry);
    const device = entry.masqueradeDevice;
    store.words[at + FLOW.device] = device === undefined ? 0 : this.deviceNumber(device) + 1;
    this.#entries[flow] = entry;
    store.insert(flow);
    this.#evictable?.add(entry);
    return true;
  }

  override delete(entry: ConntrackEntry): void {
    entry.dying = true;
    const { original, zone } = entry;
    if (!isFlat(original, zone)) {
      super.delete(entry);
      if (this.#others.delete(entry)) this.#evictable?.remove(entry);
      return;
    }
    const { src, dst, protocol } = original;
    const reference = this.store.find(src | 0, dst | 0, portsOf(original), protocol);
    if (reference >= 0 && this.#entries[reference >> 1] === entry) this.#forget(reference >> 1);
  }

  override makeRoom(tuple: Tuple, max: number, now: number): boolean {
    if (max === 0 || this.size < max) return true;
    this.sweep(now);
    if (this.size < max) return true;
    if (this.#evictable?.size !== max) {
      this.#evictable = new EvictionBuckets(max);
      for (const entry of this.#inOrder()) this.#evictable.add(entry);
    }
    const victims = this.#evictable.victims(tuple);
    for (const victim of victims) this.delete(victim);
    return victims.length > 0;
  }

  override sweep(now: number): void {
    super.sweep(now);
    for (let flow = 0; flow < this.store.bound; flow++) {
      if (this.store.isLive(flow) && this.#expiry(flow) <= now) this.#forget(flow);
    }
  }

  /** An independent copy, as the reference keeps it; `copies` tells which entry became which. */
  override clone(copies: Map<ConntrackEntry, ConntrackEntry> = new Map()): ConntrackTable {
    const table = new ConntrackTable();
    for (const entry of this.#inOrder()) {
      const copy = entry.clone();
      copies.set(entry, copy);
      table.confirm(copy, Number.NEGATIVE_INFINITY);
    }
    return table;
  }

  #expiry(flow: number): number {
    return this.#entries[flow]?.expires ?? recordedExpiry(this.store, flow);
  }

  #forget(flow: number): void {
    const entry = this.#entries[flow];
    if (entry !== undefined) {
      entry.dying = true;
      this.#evictable?.remove(entry);
      this.#entries[flow] = undefined;
    }
    this.store.remove(flow);
  }

  /** All entries in the order in which they were confirmed. */
  #inOrder(): readonly ConntrackEntry[] {
    const ordered = [...this.#others].map(([entry, order]) => ({ entry, order }));
    const { store } = this;
    for (let flow = 0; flow < store.bound; flow++) {
      if (!store.isLive(flow)) continue;
      ordered.push({ entry: this.entryOf(flow), order: store.words[flow * FLOW.words + FLOW.order] ?? 0 });
    }
    return ordered.sort((a, b) => a.order - b.order).map(({ entry }) => entry);
  }

  #tupleAt(at: number, protocol: number): Tuple {
    const { words } = this.store;
    const ports = words[at + FLOW.ports] ?? 0;
    return {
      protocol,
      src: (words[at] ?? 0) >>> 0,
      dst: (words[at + FLOW.dst] ?? 0) >>> 0,
      sport: ports >>> 16,
      dport: ports & 0xffff,
    };
  }

  #makeEntry(flow: number): ConntrackEntry {
    const { words, times } = this.store;
    const at = flow * FLOW.words;
    const status = words[at + FLOW.status] ?? 0;
    const protocol = status & 0xff;
    const entry = new ConntrackEntry(this.#tupleAt(at, protocol), this.#tupleAt(at + FLOW.reply, protocol));
    this.#replay(entry, at, times[flow * FLOW_TIME.doubles + FLOW_TIME.begun] ?? 0);
    entry.confirmed = true;
    entry.sourceNat = (status & FLOW_BIT.sourceNat) !== 0;
    entry.destinationNat = (status & FLOW_BIT.destinationNat) !== 0;
    entry.sourceDone = (status & FLOW_BIT.sourceDone) !== 0;
    entry.destinationDone = (status & FLOW_BIT.destinationDone) !== 0;
    entry.randomSourcePort = (status & FLOW_BIT.randomSource) !== 0;
    entry.randomDestinationPort = (status & FLOW_BIT.randomDestination) !== 0;
    const device = words[at + FLOW.device] ?? 0;
    if (device > 0) entry.masqueradeDevice = this.#devices[device - 1];
    return entry;
  }

  /** Shows the tracker the flow's first packet. */
  #replay(entry: ConntrackEntry, at: number, begun: number): void {
    const { words } = this.store;
    const segment = this.#segment;
    const window = words[at + FLOW.window] ?? 0;
    const lengths = words[at + FLOW.lengths] ?? 0;
    segment.sport = entry.original.sport;
    segment.dport = entry.original.dport;
    segment.seq = (words[at + FLOW.sequence] ?? 0) >>> 0;
    segment.ack = 0;
    segment.flags = window >>> 16;
    segment.window = window & 0xffff;
    segment.setOptions(this.store.octets, 4 * (at + FLOW.options), lengths & 0xffff);
    segment.setPayloadLength(lengths >>> 16);
    this.#context.direction = 'original';
    this.#context.now = begun;
    runTracker(entry, segment, this.#context);
  }
}

function statusOf(entry: ConntrackEntry): number {
  return (
    (entry.sourceNat ? FLOW_BIT.sourceNat : 0) |
    (entry.destinationNat ? FLOW_BIT.destinationNat : 0) |
    (entry.sourceDone ? FLOW_BIT.sourceDone : 0) |
    (entry.destinationDone ? FLOW_BIT.destinationDone : 0) |
    (entry.randomSourcePort ? FLOW_BIT.randomSource : 0) |
    (entry.randomDestinationPort ? FLOW_BIT.randomDestination : 0)
  );
}
