/**
 * A packet socket on all devices of the namespace in which it is made (packet(7)): every frame that any of them
 * receives or sends, in order, and a way to send frames past the IP layer.
 *
 * Frames are read from a ring, into which the kernel copies them as they pass. A plain socket would share their
 * memory with the stack, which goes on writing to it: the next hop's addresses, the next router's TTL.
 */
import { check, type Libc, type SharedMemory } from '../../../src/cli/kernel/libc.ts';

const AF_PACKET = 17;
const SOCK_RAW_NONBLOCK_CLOEXEC = 3 | 0o4000 | 0o2000000;
/** ETH_P_ALL in network byte order. */
const ALL_PROTOCOLS = 0x0300;
const SOL_PACKET = 263;
const PACKET_RX_RING = 5;
const PACKET_VERSION = 10;
const TPACKET_V2 = 1;
const PACKET_OUTGOING = 4;
const PACKET_LOOPBACK = 5;
const SOCKADDR_LL = 20;
const ETHERNET = 1;

const FRAME = 2048;
const BLOCK = 65_536;
const BLOCKS = 16;
const FRAMES = (BLOCK / FRAME) * BLOCKS;

/** struct tpacket2_hdr, and the address behind it. */
const HEADER = { status: 0, length: 4, captured: 8, mac: 12, address: 32 } as const;
/** TP_STATUS_USER; TP_STATUS_LOSING: frames found no room. */
const STATUS = { kernel: 0, user: 1, losing: 4 } as const;

export interface SeenFrame {
  readonly ifindex: number;
  readonly direction: 'in' | 'out';
  readonly bytes: Uint8Array;
}

function word(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
}

export class PacketSocket {
  readonly #libc: Libc;
  readonly #reader: number;
  readonly #writer: number;
  readonly #memory: SharedMemory;
  #next = 0;

  /** Opens it in the current namespace. */
  constructor(libc: Libc) {
    this.#libc = libc;
    const open = (protocol: number) =>
      check(libc, libc.socket(AF_PACKET, SOCK_RAW_NONBLOCK_CLOEXEC, protocol), 'packet socket');
    this.#reader = open(ALL_PROTOCOLS);
    const set = (option: number, value: Buffer) =>
      check(libc, libc.setsockopt(this.#reader, SOL_PACKET, option, value, value.length), 'packet ring');
    set(PACKET_VERSION, word(TPACKET_V2));
    set(PACKET_RX_RING, Buffer.concat([BLOCK, BLOCKS, FRAME, FRAMES].map(word)));
    this.#memory = libc.mapShared(this.#reader, BLOCK * BLOCKS);
    // A socket that reads nothing: the reader must see what it sends.
    this.#writer = open(0);
  }

  /**
   * What was seen since the last call; frames of devices that are not Ethernet (lo) are left out. Throws when frames
   * were lost or cut off: then nothing can be said.
   */
  drain(): SeenFrame[] {
    const frames: SeenFrame[] = [];
    for (;;) {
      const slot = new DataView(this.#memory.bytes, this.#next * FRAME, FRAME);
      const status = slot.getUint32(HEADER.status, true);
      if ((status & STATUS.user) === 0) return frames;
      if (status & STATUS.losing) throw new Error('frames were lost: the ring is too small');
      const frame = readSlot(slot);
      if (frame !== undefined) frames.push(frame);
      slot.setUint32(HEADER.status, STATUS.kernel, true);
      this.#next = (this.#next + 1) % FRAMES;
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
    this.#memory.unmap();
    this.#libc.close(this.#reader);
    this.#libc.close(this.#writer);
  }
}

/** The frame in a slot of the ring, copied; undefined for one that is not looked at. */
function readSlot(slot: DataView): SeenFrame | undefined {
  const type = slot.getUint8(HEADER.address + 10);
  if (slot.getUint16(HEADER.address + 8, true) !== ETHERNET || type === PACKET_LOOPBACK) return undefined;
  const captured = slot.getUint32(HEADER.captured, true);
  if (captured < slot.getUint32(HEADER.length, true))
    throw new Error('a frame is longer than the ring takes');
  const start = slot.byteOffset + slot.getUint16(HEADER.mac, true);
  return {
    ifindex: slot.getInt32(HEADER.address + 4, true),
    direction: type === PACKET_OUTGOING ? 'out' : 'in',
    bytes: new Uint8Array(slot.buffer.slice(start, start + captured)),
  };
}
