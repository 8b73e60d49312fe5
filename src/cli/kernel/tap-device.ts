/**
 * An Ethernet device whose cable ends in this process: a frame written to it arrives at the host, and what
 * the host sends through it is read back. The kernel handles a written frame before write() returns, so
 * everything it causes can be read at once and belongs to it.
 */
import { check, type Libc } from './libc.ts';

const O_RDWR_NONBLOCK_CLOEXEC = 0o2 | 0o4000 | 0o2000000;
const TUNSETIFF = 0x400454ca;
const TUNSETPERSIST = 0x400454cb;
const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;
/** sizeof(struct ifreq), with room for the name in its first 16 bytes. */
const IFREQ = 40;
const IFNAMSIZ = 16;

const readBuffer = Buffer.alloc(65536);

export class TapDevice {
  readonly ifname: string;
  readonly #libc: Libc;
  readonly #fd: number;

  private constructor(libc: Libc, ifname: string, fd: number) {
    this.#libc = libc;
    this.ifname = ifname;
    this.#fd = fd;
  }

  /**
   * Makes the device in the current namespace, with which it vanishes: closing would take it down alone, and
   * wait some 25 ms for every CPU to notice, device after device. `ifname` is at most 15 bytes.
   */
  static open(libc: Libc, ifname: string): TapDevice {
    const fd = check(libc, libc.open('/dev/net/tun', O_RDWR_NONBLOCK_CLOEXEC), 'open /dev/net/tun');
    const request = Buffer.alloc(IFREQ);
    request.write(ifname, 'latin1');
    request.writeUInt16LE(IFF_TAP | IFF_NO_PI, IFNAMSIZ);
    try {
      check(libc, libc.ioctl(fd, TUNSETIFF, request), `make device ${ifname}`);
      check(libc, libc.ioctlNumber(fd, TUNSETPERSIST, 1), `keep device ${ifname}`);
    } catch (error) {
      libc.close(fd);
      throw error;
    }
    return new TapDevice(libc, ifname, fd);
  }

  /** Lets `frame` (from the Ethernet header on) arrive at the host. */
  inject(frame: Uint8Array): void {
    check(this.#libc, this.#libc.write(this.#fd, frame, frame.length), `write to ${this.ifname}`);
  }

  /** The frames that the host has sent since the last call. */
  drain(): Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (;;) {
      const length = this.#libc.read(this.#fd, readBuffer, readBuffer.length);
      if (length < 0) return frames;
      frames.push(new Uint8Array(readBuffer.subarray(0, length)));
    }
  }

  close(): void {
    this.#libc.close(this.#fd);
  }
}
