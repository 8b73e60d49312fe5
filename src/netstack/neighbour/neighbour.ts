/**
 * One neighbour's life (net/core/neighbour.c; RFC 4861 §7.3.2). Pure of protocols: who is asked and how is the
 * table's business.
 *
 *   NONE ─▶ INCOMPLETE ─▶ REACHABLE ─▶ STALE ─▶ DELAY ─▶ PROBE ─▶ FAILED
 *              └──────────────── nobody answers ────────────────────▶┘
 */
import type { Timer } from '../../sim/scheduler.ts';
import type { IpAddress } from '../../wire/ip-address.ts';
import type { MacAddress } from '../../wire/mac.ts';
import type { Transmission } from '../fate.ts';
import type { Interface } from '../link/interface.ts';
import type { NeighbourState } from './entry.ts';
import type { NeighbourSettings } from './settings.ts';

/** States in which the link address is known. */
const VALID: ReadonlySet<NeighbourState> = new Set([
  'PERMANENT',
  'NOARP',
  'REACHABLE',
  'PROBE',
  'STALE',
  'DELAY',
]);
/** States in which it is known without doubt. */
const CONNECTED: ReadonlySet<NeighbourState> = new Set(['PERMANENT', 'NOARP', 'REACHABLE']);
/** States in which packets leave without a question. */
const SENDING: ReadonlySet<NeighbourState> = new Set(['PERMANENT', 'NOARP', 'REACHABLE', 'DELAY', 'PROBE']);

/** What a neighbour needs of the table it is in. */
export interface NeighbourTableSide {
  now(): number;
  settings(device: Interface): NeighbourSettings;
  /** Runs `action` after `seconds`; `background`: nobody waits for it. */
  after(seconds: number, action: () => void, background: boolean): Timer;
  /** Asks who has the address: `mac` alone when that is known, else everybody. */
  solicit(neighbour: Neighbour, mac: MacAddress | undefined): void;
  /** Sends a packet whose neighbour is known. */
  emit(neighbour: Neighbour, mac: MacAddress, transmission: Transmission): void;
  /** Nobody answers: these packets will not be sent. */
  fail(neighbour: Neighbour, waiting: readonly Transmission[]): void;
  /** There is no more room: the packet that has waited longest is dropped. */
  overflow(neighbour: Neighbour, transmission: Transmission): void;
  waits(neighbour: Neighbour, transmission: Transmission): void;
  changed(neighbour: Neighbour): void;
}

/** What was heard about a neighbour. */
export interface Update {
  readonly mac: MacAddress | undefined;
  readonly state: 'REACHABLE' | 'STALE';
  /** A different link address replaces the known one. */
  readonly override: boolean;
  /** A different link address only makes the known one doubtful. */
  readonly weakOverride?: boolean;
  readonly router?: boolean;
}

/** How much memory a waiting packet of `length` bytes takes (skb->truesize). */
function trueSize(length: number): number {
  const head = length + 16 + 64 + 320;
  return 256 + 2 ** Math.ceil(Math.log2(Math.max(head, 512)));
}

export class Neighbour {
  readonly address: IpAddress;
  readonly device: Interface;
  state: NeighbourState = 'NONE';
  mac: MacAddress | undefined;
  isRouter = false;
  used: number;
  confirmed: number;
  updated: number;
  /** A packet has been sent to it: its header is ready for the next (hh_cache). */
  headerReady = false;
  readonly #table: NeighbourTableSide;
  #probes = 0;
  #waiting: { readonly transmission: Transmission; readonly size: number }[] = [];
  #waitingBytes = 0;
  #timer: Timer | undefined;

  constructor(address: IpAddress, device: Interface, table: NeighbourTableSide) {
    this.address = address;
    this.device = device;
    this.#table = table;
    const now = table.now();
    this.used = now;
    this.updated = now;
    this.confirmed = now - 2 * table.settings(device).baseReachable;
  }

  get isValid(): boolean {
    return VALID.has(this.state);
  }

  get isConnected(): boolean {
    return CONNECTED.has(this.state);
  }

  /** The packet that waits since the shortest time: its source is the one to ask in the name of. */
  get lastWaiting(): Transmission | undefined {
    return this.#waiting.at(-1)?.transmission;
  }

  /** neigh_output, neigh_event_send: sends, or keeps the packet and asks. */
  output(transmission: Transmission, length: number): void {
    const { mac } = this;
    if (mac !== undefined && this.isConnected && this.headerReady) {
      this.#table.emit(this, mac, transmission);
      return;
    }
    this.used = this.#table.now();
    if (!SENDING.has(this.state)) this.#ask();
    if (this.state === 'INCOMPLETE') this.#queue(transmission, trueSize(length));
    else if (this.mac !== undefined) {
      this.headerReady = true;
      this.#table.emit(this, this.mac, transmission);
    } else this.#table.fail(this, [transmission]);
    if (this.state === 'INCOMPLETE' && this.#timer === undefined) this.#probe();
  }

  /** The neighbour has proved to be there (TCP made progress through it). */
  confirm(): void {
    this.confirmed = this.#table.now();
  }

  /** `ip neigh replace … nud STATE`. */
  setByHand(mac: MacAddress, state: 'PERMANENT' | 'NOARP' | 'REACHABLE' | 'STALE'): void {
    this.mac = mac;
    this.confirmed = this.#table.now();
    this.#enter(state);
    this.#flush();
  }

  /** neigh_update: somebody said something. */
  update({ mac: said, state: asked, override, weakOverride, router }: Update): void {
    if (this.state === 'PERMANENT' || this.state === 'NOARP') return;
    const wasValid = this.isValid;
    if (said === undefined && !wasValid) return;
    let mac = said ?? this.mac;
    let state: NeighbourState = asked;
    const now = this.#table.now();
    if (asked === 'REACHABLE') this.confirmed = now;
    if (router !== undefined) this.isRouter = router;
    if (wasValid && mac !== this.mac && !override) {
      if (weakOverride !== true || !this.isConnected) return;
      mac = this.mac;
      state = 'STALE';
    } else if (wasValid && mac === this.mac && asked === 'STALE') state = this.state;
    if (state !== this.state || mac !== this.mac) this.updated = now;
    if (mac !== this.mac) {
      this.mac = mac;
      // A new address is no proof that packets reach it.
      if (state !== 'REACHABLE') this.confirmed = now - 2 * this.#table.settings(this.device).baseReachable;
      if (state === this.state) this.#table.changed(this);
    }
    if (state === this.state) return;
    this.#enter(state);
    if (!wasValid) this.#flush();
  }

  /** Ends its life without a word to those who wait (neigh_flush_dev). */
  destroy(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  /** Begins to look for it, or to doubt it. */
  #ask(): void {
    const { multicastProbes, unicastProbes, delayFirstProbe } = this.#table.settings(this.device);
    if (this.state === 'STALE') {
      this.#enter('DELAY');
      this.#arm(delayFirstProbe);
    } else if (this.state === 'NONE' || this.state === 'FAILED') {
      if (multicastProbes === 0) this.#enter('FAILED');
      else {
        this.#enter('INCOMPLETE');
        // Unicast questions are for known addresses: their number counts as asked already.
        this.#probes = unicastProbes;
      }
    }
  }

  #queue(transmission: Transmission, size: number): void {
    const { queueBytes } = this.#table.settings(this.device);
    while (this.#waiting.length > 0 && this.#waitingBytes + size > queueBytes) {
      const oldest = this.#waiting.shift();
      if (oldest === undefined) break;
      this.#waitingBytes -= oldest.size;
      this.#table.overflow(this, oldest.transmission);
    }
    this.#waiting.push({ transmission, size });
    this.#waitingBytes += size;
    this.#table.waits(this, transmission);
  }

  /** neigh_probe, and the next time to act. */
  #probe(): void {
    const { unicastProbes, retransmit } = this.#table.settings(this.device);
    const known = this.#probes < unicastProbes ? this.mac : undefined;
    this.#probes++;
    this.#arm(retransmit);
    this.#table.solicit(this, known);
  }

  #arm(seconds: number): void {
    this.#timer?.cancel();
    // Nobody waits for doubts to be settled; packets wait for an address.
    const background = this.state !== 'INCOMPLETE';
    this.#timer = this.#table.after(seconds, () => this.#due(), background);
  }

  /** neigh_timer_handler. */
  #due(): void {
    this.#timer = undefined;
    const now = this.#table.now();
    const settings = this.#table.settings(this.device);
    const { reachable, delayFirstProbe } = settings;
    if (this.state === 'REACHABLE') {
      if (now < this.confirmed + reachable) this.#arm(this.confirmed + reachable - now);
      else if (now < this.used + delayFirstProbe) {
        this.#enter('DELAY');
        this.#arm(delayFirstProbe);
      } else this.#enter('STALE');
      return;
    }
    if (this.state === 'DELAY') {
      if (now < this.confirmed + delayFirstProbe) {
        this.#enter('REACHABLE');
        return;
      }
      this.#enter('PROBE');
    }
    if (this.state !== 'PROBE' && this.state !== 'INCOMPLETE') return;
    const { unicastProbes, multicastProbes, multicastReprobes } = settings;
    const most = unicastProbes + (this.state === 'PROBE' ? multicastReprobes : multicastProbes);
    if (this.#probes >= most) this.#giveUp();
    else this.#probe();
  }

  #giveUp(): void {
    const waiting = this.#waiting.map(({ transmission }) => transmission);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.mac = undefined;
    this.headerReady = false;
    this.#enter('FAILED');
    if (waiting.length > 0) this.#table.fail(this, waiting);
  }

  #enter(state: NeighbourState): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (state === 'PROBE') this.#probes = 0;
    this.state = state;
    this.updated = this.#table.now();
    if (state === 'REACHABLE') {
      const { reachable } = this.#table.settings(this.device);
      this.#arm(Math.max(0, this.confirmed + reachable - this.#table.now()));
    }
    this.#table.changed(this);
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const { transmission, size } of waiting) this.output(transmission, size);
  }
}
