/** What a tool that runs inside the emulated cluster is given, and what it leaves behind. */
import type { Namespace } from '../../netstack/namespace.ts';
import type { Scheduler } from '../../sim/scheduler.ts';

export interface ToolContext {
  /** The network namespace it runs in. */
  readonly namespace: Namespace;
  readonly scheduler: Scheduler;
  /** Its standard output, in pieces as they are; lines bring their own newline. */
  readonly print: (text: string) => void;
  /** Its standard error. */
  readonly complain: (text: string) => void;
}

/** Runs with the arguments behind its name, on the virtual clock; returns its exit code. */
export type Tool = (args: readonly string[], context: ToolContext) => number;

/** Ends a tool from anywhere inside it, as exit(3) does. */
export class ToolExit extends Error {
  override readonly name = 'ToolExit';
  readonly code: number;

  /** `message` goes to standard error, a line of its own. */
  constructor(code: number, message = '') {
    super(message);
    this.code = code;
  }
}
