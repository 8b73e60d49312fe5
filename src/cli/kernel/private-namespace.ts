/**
 * A network namespace that belongs to this thread alone and has no name: the kernel removes it, with every
 * device and rule in it, when the thread leaves it and the last descriptor into it is closed. So nothing is
 * left behind however the process ends, and nothing outside can be touched from inside.
 *
 * Node starts child processes from its main thread, so programs run inside the namespace too, and the
 * files under /proc/sys/net are the namespace's. Threads of Node's pool stay outside: inside, use the
 * synchronous calls of node:fs only.
 */
import { isMainThread } from 'node:worker_threads';
import { check, KernelUnavailable, type Libc } from './libc.ts';

const CLONE_NEWNET = 0x40000000;
const O_RDONLY_CLOEXEC = 0o2000000;

export class PrivateNamespace {
  readonly #libc: Libc;
  readonly #home: number;
  #left = false;

  private constructor(libc: Libc, home: number) {
    this.#libc = libc;
    this.#home = home;
  }

  /** Moves this thread into a new, empty namespace. Throws KernelUnavailable when that is not allowed. */
  static enter(libc: Libc): PrivateNamespace {
    if (!isMainThread) throw new KernelUnavailable('verify runs on the main thread only');
    if (process.getuid?.() !== 0) {
      throw new KernelUnavailable('verify needs root, to make network namespaces: run it with sudo');
    }
    const home = check(libc, libc.open('/proc/self/ns/net', O_RDONLY_CLOEXEC), 'open /proc/self/ns/net');
    if (libc.unshare(CLONE_NEWNET) !== 0) {
      const errno = libc.errno();
      libc.close(home);
      throw new KernelUnavailable(
        `verify may not make network namespaces here (errno ${errno}): it needs CAP_SYS_ADMIN`,
      );
    }
    return new PrivateNamespace(libc, home);
  }

  /** Goes back to the namespace the thread came from. Doing so twice is harmless. */
  leave(): void {
    if (this.#left) return;
    this.#left = true;
    check(this.#libc, this.#libc.setns(this.#home, CLONE_NEWNET), 'setns');
    this.#libc.close(this.#home);
  }
}
