/**
 * A packet socket on all devices of the namespace in which it is made (packet(7)): every frame that any of them
 * receives or sends, in order, and a way to send frames past the IP layer.
 */
import { check, type Libc } from '../../../src/cli/kernel/libc.ts';

const AF_PACKET = 17;
const SOCK_RAW_NONBLOCK_CLOEXEC = 3 | 0o4000 | 0o2000000;
/** ETH_P_ALL in network byte order. */
const ALL_PROTOCOLS = 0x0300;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const PACKET_OUTGOING = 4;
const PACKET_LOOPBACK = 5;
const SOCKADDR_LL = 20;
const ETHERNET = 1;

export interface SeenFrame {
  readonly ifindex: number;
  readonly direction: 'in' | 'out';
  readonly bytes: Uint8Array;
}

const buffer = Buffer.alloc(65536);
const address = Buffer.alloc(SOCKADDR_LL);
const addressLength = Buffer.alloc(4);

export class PacketSocket {
  readonly #libc: Libc;
  readonly #reader: number;
  readonly #writer: number;

  /** Opens it in the current namespace. */
  constructor(libc: Libc) {
    this.#libc = libc;
    this.#reader = check(
      libc,
      libc.socket(AF_PACKET, SOCK_RAW_NONBLOCK_CLOEXEC, ALL_PROTOCOLS),
      'packet socket',
    );
    const size = Buffer.alloc(4);
    size.writeInt32LE(8 << 20);
    check(libc, libc.setsockopt(this.#reader, SOL_SOCKET, SO_RCVBUFFORCE, size, 4), 'SO_RCVBUFFORCE');
    // A socket that reads nothing: the reader must see what it sends.
    this.#writer = check(libc, libc.socket(AF_PACKET, SOCK_RAW_NONBLOCK_CLOEXEC, 0), 'packet socket');
  }

  /** What was seen since the last call; frames of devices that are not Ethernet (lo) are left out. */
  drain(): SeenFrame[] {
    const frames: SeenFrame[] = [];
    for (;;) {
      addressLength.writeUInt32LE(SOCKADDR_LL);
      const length = this.#libc.recvfrom(this.#reader, buffer, buffer.length, 0, address, addressLength);
      if (length < 0) return frames;
      const type = address.readUInt8(10);
      if (address.readUInt16LE(8) !== ETHERNET || type === PACKET_LOOPBACK) continue;
      frames.push({
        ifindex: address.readInt32LE(4),
        direction: type === PACKET_OUTGOING ? 'out' : 'in',
        bytes: new Uint8Array(buffer.subarray(0, length)),
      });
    }
  }

  /** Sends `frame` through the device with this index. */
  send(ifindex: number, frame: Uint8Array): void {
    const to = Buffer.alloc(SOCKADDR_LL);
    to.writeUInt16LE(AF_PACKET, 0);
    to.writeInt32LE(ifindex, 4);
    to.writeUInt8(6, 11);
    Buffer.from(frame.subarray(0, 6)).copy(to, 12);
    check(this.#libc, this.#libc.sendto(this.#writer, frame, frame.length, 0, to, to.length), 'send a frame');
  }

  close(): void {
    this.#libc.close(this.#reader);
    this.#libc.close(this.#writer);
  }
}
