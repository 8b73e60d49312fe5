/** A timer that is set again and again, as TCP's are: moving it later costs nothing until it would go off. */
import type { Scheduler, Timer } from '../../sim/scheduler.ts';

export class Alarm {
  readonly #scheduler: Scheduler;
  readonly #action: () => void;
  #timer: Timer | undefined;
  #background = false;
  /** Virtual time in seconds at which it goes off; undefined when it is not set. */
  due: number | undefined;

  constructor(scheduler: Scheduler, action: () => void) {
    this.#scheduler = scheduler;
    this.#action = action;
  }

  /** Goes off `seconds` from now, instead of whenever it was set for. `background`: nobody waits for it. */
  set(seconds: number, background = false): void {
    const due = this.#scheduler.now() + seconds;
    this.due = due;
    const pending = this.#timer;
    if (pending !== undefined && this.#background === background && pending.due <= due) return;
    pending?.cancel();
    this.#background = background;
    this.#arm(seconds);
  }

  clear(): void {
    this.due = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(seconds: number): void {
    this.#timer = this.#scheduler.after(seconds, this.#ring, this.#background ? BACKGROUND : FOREGROUND);
  }

  readonly #ring = () => {
    this.#timer = undefined;
    if (this.due === undefined) return;
    const left = this.due - this.#scheduler.now();
    if (left > 0) {
      this.#arm(left);
      return;
    }
    this.due = undefined;
    this.#action();
  };
}

const BACKGROUND = { background: true } as const;
const FOREGROUND = {} as const;
