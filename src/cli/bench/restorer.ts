/** This machine's own iptables-restore programs, each with a network namespace of its own to fill. */

import type { IpFamily } from '../../wire/ip-address.ts';
import { KernelUnavailable, loadLibc } from '../kernel/libc.ts';
import { PrivateNamespace } from '../kernel/private-namespace.ts';
import { ProgramFailed, runProgram } from '../kernel/programs.ts';
import type { Backend } from './kernel-node.ts';

export type RestoreProgram = `${'iptables' | 'ip6tables'}-${Backend}-restore`;

export class Restorer {
  readonly program: RestoreProgram;
  readonly #namespace: PrivateNamespace;

  /** Throws KernelUnavailable, with a line for the user, where that cannot be done. */
  constructor(backend: Backend, family: IpFamily) {
    this.program = `${family === 'ipv4' ? 'iptables' : 'ip6tables'}-${backend}-restore`;
    this.#namespace = PrivateNamespace.make(loadLibc());
  }

  /** Loads `text` in the place of what is there. Throws KernelUnavailable when the program does not. */
  load(text: string): void {
    this.#run([], text);
  }

  /** Loads `text` on top of what is there. */
  add(text: string): void {
    this.#run(['--noflush'], text);
  }

  #run(args: readonly string[], text: string): void {
    try {
      this.#namespace.run(() => runProgram(this.program, args, text));
    } catch (error) {
      if (error instanceof ProgramFailed) throw new KernelUnavailable(error.message);
      throw error;
    }
  }

  /** Lets go of the namespace and all that is in it. */
  close(): void {
    this.#namespace.close();
  }
}
