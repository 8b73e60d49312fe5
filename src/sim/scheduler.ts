/**
 * The event queue of an emulation, on a virtual clock. Events run in the order of their time, and in that of
 * their scheduling when the time is the same, so a run repeats itself exactly.
 *
 *   after(seconds, action) ─▶ queue by (time, insertion) ─▶ [pick] ─▶ action, with its cause restored
 *
 * Background events (ageing, garbage collection) run when time passes over them, but nobody waits for them.
 */
import { Clock } from './clock.ts';
import { EventHeap, EventQueue, type ScheduledEvent } from './event-queue.ts';

export interface Timer {
  /** The virtual time, in seconds, at which it is due. */
  readonly due: number;
  /** True until it has run or was cancelled. */
  readonly pending: boolean;
  /** Keeps it from running; has no effect on one that has run. */
  cancel(): void;
}

export interface TimerOptions {
  /** Housekeeping: does not keep the scheduler from being idle. */
  readonly background?: boolean;
  /** Says that the event is a delivery whose order against others may be changed, and what it delivers. */
  readonly delivery?: unknown;
}

/** A delivery that is due, as `pick` sees it. */
export interface Candidate {
  readonly due: number;
  readonly delivery: unknown;
  /** The tag of what led to it. */
  readonly cause: unknown;
}

/**
 * Chooses which of several deliveries comes first: an index into `candidates`, which are in their natural
 * order. Whatever is not chosen is offered again.
 */
export type Pick = (candidates: readonly Candidate[]) => number;

export interface SchedulerOptions {
  readonly clock?: Clock;
  readonly pick?: Pick;
  /** Deliveries due within this many seconds of the earliest are concurrent for `pick`; by default 0. */
  readonly window?: number;
}

export interface IdleLimits {
  /** Stop at this virtual time. */
  readonly until?: number;
  /** Stop after this many events. */
  readonly events?: number;
}

/** How a run ended. */
export interface RunResult {
  readonly events: number;
  /** False when a limit ended it while events were waiting. */
  readonly idle: boolean;
}

export class Scheduler {
  readonly clock: Clock;
  /** An opaque tag of what is going on: every event takes it along and has it back when it runs. */
  cause: unknown;
  pick: Pick | undefined;
  window: number;
  /** Due now: no need to sort. */
  readonly #now = new EventQueue();
  readonly #later = new EventHeap();
  #sequence = 0;
  #foreground = 0;

  constructor({ clock, pick, window }: SchedulerOptions = {}) {
    this.clock = clock ?? new Clock();
    this.pick = pick;
    this.window = window ?? 0;
  }

  /** Virtual time in seconds. */
  now(): number {
    return this.clock.now();
  }

  /** Runs `action` once, `seconds` (not negative) from now. */
  after(seconds: number, action: () => void, options: TimerOptions = {}): Timer {
    if (!(seconds >= 0)) throw new RangeError(`an event cannot be due ${-seconds} s ago`);
    const event: ScheduledEvent = {
      due: this.clock.now() + seconds,
      sequence: this.#sequence++,
      action,
      background: options.background === true,
      delivery: options.delivery,
      cause: this.cause,
    };
    if (!event.background) this.#foreground++;
    if (seconds === 0) this.#now.push(event);
    else this.#later.push(event);
    return new EventTimer(event, () => {
      if (!event.background) this.#foreground--;
    });
  }

  /** Runs `action` with `cause` as the tag of all that it schedules; returns what it returns. */
  withCause<T>(cause: unknown, action: () => T): T {
    const before = this.cause;
    this.cause = cause;
    try {
      return action();
    } finally {
      this.cause = before;
    }
  }

  /** True when only background events are left. */
  get idle(): boolean {
    return this.#foreground === 0;
  }

  /** When the next event is due, background ones included; undefined when there is none. */
  nextDue(): number | undefined {
    return this.#peek()?.due;
  }

  /** Runs everything due up to and at `time` (seconds), background events too, and leaves the clock there. */
  runUntil(time: number): RunResult {
    let events = 0;
    for (let next = this.#peek(); next !== undefined && next.due <= time; next = this.#peek()) {
      this.#runNext(time);
      events++;
    }
    const left = time - this.clock.now();
    if (left > 0) this.clock.advance(left);
    return { events, idle: this.idle };
  }

  /**
   * Runs until nothing but background events is left, or a limit is reached. The clock stands at the last
   * event, or at `until` when that ended it.
   */
  runUntilIdle({
    until = Number.POSITIVE_INFINITY,
    events: limit = Number.POSITIVE_INFINITY,
  }: IdleLimits = {}): RunResult {
    let events = 0;
    while (this.#foreground > 0 && events < limit) {
      const next = this.#peek();
      if (next === undefined) break;
      if (next.due > until) {
        const left = until - this.clock.now();
        if (left > 0) this.clock.advance(left);
        break;
      }
      this.#runNext(until);
      events++;
    }
    return { events, idle: this.idle };
  }

  /** Runs the next event; false when there is none. */
  step(): boolean {
    if (this.#peek() === undefined) return false;
    this.#runNext(Number.POSITIVE_INFINITY);
    return true;
  }

  #peek(): ScheduledEvent | undefined {
    const later = this.#later.peek();
    // What is in the heap and due was scheduled before the clock came here: it goes first.
    if (later !== undefined && later.due <= this.clock.now()) return later;
    return this.#now.peek() ?? later;
  }

  #takeFirst(): ScheduledEvent | undefined {
    const first = this.#peek();
    if (first === undefined) return undefined;
    return first === this.#later.peek() ? this.#later.pop() : this.#now.shift();
  }

  /** Runs one event that is due at `limit` or before; the caller has seen that there is one. */
  #runNext(limit: number): void {
    let event = this.#takeFirst();
    if (event === undefined) return;
    if (this.pick !== undefined && event.delivery !== undefined)
      event = this.#choose(event, this.pick, limit);
    const ahead = event.due - this.clock.now();
    if (ahead > 0) this.clock.advance(ahead);
    const { action } = event;
    event.action = undefined;
    if (!event.background) this.#foreground--;
    this.cause = event.cause;
    try {
      action?.();
    } finally {
      this.cause = undefined;
    }
  }

  /** Offers `first` and the deliveries concurrent with it; those not chosen go back where they were. */
  #choose(first: ScheduledEvent, pick: Pick, limit: number): ScheduledEvent {
    // Counted from the time the first was due, so that nothing is passed over for ever.
    const horizon = Math.min(first.due + this.window, limit);
    const taken = [first, ...this.#now.takeDeliveries(horizon), ...this.#later.takeDeliveries(horizon)];
    taken.sort((a, b) => a.due - b.due || a.sequence - b.sequence);
    const index = taken.length === 1 ? 0 : pick(taken);
    const chosen = taken[index];
    if (chosen === undefined) throw new RangeError(`pick chose ${index} of ${taken.length} deliveries`);
    for (const event of taken) if (event !== chosen) this.#later.push(event);
    return chosen;
  }
}

class EventTimer implements Timer {
  readonly due: number;
  readonly #event: ScheduledEvent;
  readonly #forget: () => void;

  constructor(event: ScheduledEvent, forget: () => void) {
    this.due = event.due;
    this.#event = event;
    this.#forget = forget;
  }

  get pending(): boolean {
    return this.#event.action !== undefined;
  }

  cancel(): void {
    if (this.#event.action === undefined) return;
    this.#event.action = undefined;
    this.#forget();
  }
}
