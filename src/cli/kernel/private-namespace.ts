/**
 * A network namespace that belongs to this process alone and has no name: the kernel removes it, with every
 * device and rule in it, once the last descriptor into it is closed. So nothing is left behind however the
 * process ends, and nothing outside can be touched from inside.
 *
 * The main thread goes in and out. Node starts child processes from it, so programs run inside too, and the
 * files under /proc/sys/net are the namespace's. Threads of Node's pool stay outside: what runs inside must
 * use the synchronous calls of node:fs.
 */
import { isMainThread } from 'node:worker_threads';
import { check, errnoName, KernelUnavailable, type Libc } from './libc.ts';

const CLONE_NEWNET = 0x40000000;
const O_RDONLY_CLOEXEC = 0o2000000;
const THIS_NAMESPACE = '/proc/thread-self/ns/net';

function openCurrent(libc: Libc): number {
  return check(libc, libc.open(THIS_NAMESPACE, O_RDONLY_CLOEXEC), `open ${THIS_NAMESPACE}`);
}

export class PrivateNamespace {
  readonly #libc: Libc;
  readonly #fd: number;

  private constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
  }

  /** Makes a new, empty namespace; the caller stays where it is. Throws KernelUnavailable when not allowed. */
  static make(libc: Libc): PrivateNamespace {
    if (!isMainThread) throw new KernelUnavailable('network namespaces are entered by the main thread only');
    if (process.getuid?.() !== 0) {
      throw new KernelUnavailable('root is needed to make network namespaces: run it with sudo');
    }
    const home = openCurrent(libc);
    try {
      if (libc.unshare(CLONE_NEWNET) !== 0) {
        const cause = errnoName(libc.errno());
        throw new KernelUnavailable(
          `no network namespace can be made here (${cause}): CAP_SYS_ADMIN is needed`,
        );
      }
      const fd = openCurrent(libc);
      check(libc, libc.setns(home, CLONE_NEWNET), 'leave the new network namespace');
      return new PrivateNamespace(libc, fd);
    } finally {
      libc.close(home);
    }
  }

  /** The path by which other programs find it while this process holds it: what `ip link … netns` takes. */
  get path(): string {
    return `/proc/${process.pid}/fd/${this.#fd}`;
  }

  /** Runs `action`, which must be synchronous, inside and returns what it does. Always comes back. */
  run<T>(action: () => T): T {
    const home = openCurrent(this.#libc);
    try {
      check(this.#libc, this.#libc.setns(this.#fd, CLONE_NEWNET), 'enter the network namespace');
      try {
        return action();
      } finally {
        check(this.#libc, this.#libc.setns(home, CLONE_NEWNET), 'leave the network namespace');
      }
    } finally {
      this.#libc.close(home);
    }
  }

  /** Lets go of it. What holds it still (a device's descriptor) keeps it alive. */
  close(): void {
    this.#libc.close(this.#fd);
  }
}
