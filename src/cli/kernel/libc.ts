/**
 * The few system calls that Node does not offer, through koffi: an optional dependency that is loaded only
 * here, when `verify` or `bench` asks the kernel.
 */
import { createRequire } from 'node:module';

/** Why the kernel cannot be asked on this machine; `message` is one line for the user. */
export class KernelUnavailable extends Error {
  override readonly name = 'KernelUnavailable';
}

export interface Libc {
  open(path: string, flags: number): number;
  close(fd: number): number;
  /** `argument` is a struct in memory, read and written. */
  ioctl(fd: number, request: number, argument: Buffer): number;
  /** `argument` is a number itself. */
  ioctlNumber(fd: number, request: number, argument: number): number;
  read(fd: number, buffer: Buffer, length: number): number;
  write(fd: number, buffer: Uint8Array, length: number): number;
  socket(domain: number, type: number, protocol: number): number;
  setsockopt(fd: number, level: number, option: number, value: Buffer, length: number): number;
  bind(fd: number, address: Buffer, length: number): number;
  sendto(
    fd: number,
    buffer: Uint8Array,
    length: number,
    flags: number,
    address: Buffer,
    addressLength: number,
  ): number;
  /** `address` and its length in `addressLength` (a native 32-bit number) are written. */
  recvfrom(
    fd: number,
    buffer: Buffer,
    length: number,
    flags: number,
    address: Buffer,
    addressLength: Buffer,
  ): number;
  /** Maps `length` bytes of `fd` from its start, read and write, shared with the kernel. */
  mapShared(fd: number, length: number): SharedMemory;
  unshare(flags: number): number;
  setns(fd: number, flags: number): number;
  /** errno of the call just made. */
  errno(): number;
}

/** Memory that the kernel sees too. */
export interface SharedMemory {
  readonly bytes: ArrayBuffer;
  /** Gives it back; `bytes` must not be touched any more. */
  unmap(): void;
}

/** The slice of koffi's interface that is used. */
interface Koffi {
  load(path: null): { func(prototype: string): (...args: unknown[]) => number };
  view(pointer: unknown, length: number): ArrayBuffer;
  errno(): number;
}

function loadKoffi(): Koffi {
  try {
    return createRequire(import.meta.url)('koffi') as Koffi;
  } catch (error) {
    const cause = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new KernelUnavailable(
      `the optional package koffi could not be loaded (${cause}): npm install koffi`,
    );
  }
}

const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
/** MAP_FAILED, (void *) -1. */
const FAILED = 2n ** 64n - 1n;

type Library = ReturnType<Koffi['load']>;

function mapper(koffi: Koffi, library: Library): Libc['mapShared'] {
  const mmap = library.func('void *mmap(void *, size_t, int, int, int, long)') as (
    ...args: unknown[]
  ) => unknown;
  const munmap = library.func('int munmap(void *, size_t)');
  return (fd, length) => {
    const pointer = mmap(null, length, PROT_READ_WRITE, MAP_SHARED, fd, 0);
    if (pointer === null || pointer === FAILED) throw new Error(`map memory: ${errnoName(koffi.errno())}`);
    return { bytes: koffi.view(pointer, length), unmap: () => void munmap(pointer, length) };
  };
}

let loaded: Libc | undefined;

/** The C library of this process. Throws KernelUnavailable off Linux and without koffi. */
export function loadLibc(): Libc {
  if (loaded !== undefined) return loaded;
  if (process.platform !== 'linux') {
    throw new KernelUnavailable(`a Linux kernel is needed to compare with; this is ${process.platform}`);
  }
  const koffi = loadKoffi();
  // null: the symbols of the running program, so that no C library needs to be named.
  const library = koffi.load(null);
  const ioctl = library.func('int ioctl(int, unsigned long, ...)');
  loaded = {
    open: library.func('int open(const char *, int)'),
    close: library.func('int close(int)'),
    ioctl: (fd, request, argument) => ioctl(fd, request, 'void *', argument),
    ioctlNumber: (fd, request, argument) => ioctl(fd, request, 'unsigned long', argument),
    read: library.func('long read(int, void *, size_t)'),
    write: library.func('long write(int, const void *, size_t)'),
    socket: library.func('int socket(int, int, int)'),
    setsockopt: library.func('int setsockopt(int, int, int, const void *, unsigned int)'),
    bind: library.func('int bind(int, const void *, unsigned int)'),
    sendto: library.func('long sendto(int, const void *, size_t, int, const void *, unsigned int)'),
    recvfrom: library.func('long recvfrom(int, void *, size_t, int, void *, void *)'),
    mapShared: mapper(koffi, library),
    unshare: library.func('int unshare(int)'),
    setns: library.func('int setns(int, int)'),
    errno: () => koffi.errno(),
  };
  return loaded;
}

/** errno values with a meaning here. */
export const ERRNO = {
  EPERM: 1,
  EAGAIN: 11,
  EACCES: 13,
  EINVAL: 22,
  ENOBUFS: 105,
  ENETUNREACH: 101,
  EHOSTUNREACH: 113,
} as const;

/** The name of an errno value, or `errno N`. */
export function errnoName(errno: number): string {
  return Object.entries(ERRNO).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`;
}

/** `result` unless it is negative; then throws, saying what `action` failed with. */
export function check(libc: Libc, result: number, action: string): number {
  if (result < 0) throw new Error(`${action}: ${errnoName(libc.errno())}`);
  return result;
}
