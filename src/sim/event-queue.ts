/** Where scheduled events wait: a binary heap by time, and a plain queue for those due at once. */

export interface ScheduledEvent {
  readonly due: number;
  /** Tells events of the same time apart: the lower was scheduled first. */
  readonly sequence: number;
  /** Undefined once it has run or was cancelled. */
  action: (() => void) | undefined;
  readonly background: boolean;
  readonly delivery: unknown;
  readonly cause: unknown;
}

function isBefore(a: ScheduledEvent, b: ScheduledEvent): boolean {
  return a.due < b.due || (a.due === b.due && a.sequence < b.sequence);
}

const isAlive = (event: ScheduledEvent) => event.action !== undefined;
const isDelivery = (event: ScheduledEvent) => isAlive(event) && event.delivery !== undefined;

/** First in, first out; cancelled events vanish when they reach the front. */
export class EventQueue {
  #events: ScheduledEvent[] = [];
  #head = 0;

  push(event: ScheduledEvent): void {
    this.#events.push(event);
  }

  /** The first live event. */
  peek(): ScheduledEvent | undefined {
    for (; this.#head < this.#events.length; this.#head++) {
      const event = this.#events[this.#head];
      if (event !== undefined && isAlive(event)) return event;
    }
    if (this.#head > 0) {
      this.#events.length = 0;
      this.#head = 0;
    }
    return undefined;
  }

  shift(): ScheduledEvent | undefined {
    const event = this.peek();
    if (event === undefined) return undefined;
    this.#head++;
    // What is behind us is let go of now and then, at a cost of one step an event.
    if (this.#head > 1024 && this.#head * 2 > this.#events.length) {
      this.#events.splice(0, this.#head);
      this.#head = 0;
    }
    return event;
  }

  /** Takes out the deliveries due at `horizon` or before. */
  takeDeliveries(horizon: number): ScheduledEvent[] {
    const isTaken = (event: ScheduledEvent) => isDelivery(event) && event.due <= horizon;
    const waiting = this.#events.slice(this.#head);
    this.#events = waiting.filter((event) => !isTaken(event));
    this.#head = 0;
    return waiting.filter(isTaken);
  }
}

/** Earliest first; cancelled events vanish when they reach the top. */
export class EventHeap {
  #heap: ScheduledEvent[] = [];

  push(event: ScheduledEvent): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  /** The earliest live event. */
  peek(): ScheduledEvent | undefined {
    let top = this.#heap[0];
    while (top !== undefined && !isAlive(top)) {
      this.#removeTop();
      top = this.#heap[0];
    }
    return top;
  }

  pop(): ScheduledEvent | undefined {
    const top = this.peek();
    if (top !== undefined) this.#removeTop();
    return top;
  }

  /** Takes out the deliveries due at `horizon` or before. */
  takeDeliveries(horizon: number): ScheduledEvent[] {
    const taken = this.#heap.filter((event) => isDelivery(event) && event.due <= horizon);
    if (taken.length === 0) return taken;
    const left = this.#heap.filter((event) => !(isDelivery(event) && event.due <= horizon));
    this.#heap = [];
    for (const event of left) this.push(event);
    return taken;
  }

  #removeTop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      let below = heap[child];
      if (below === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, below)) {
        child++;
        below = right;
      }
      if (!isBefore(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}
