/** Sends whole IP packets as a program on the host would: raw sockets that take the IP header too. */

import { emitPacket } from '../../wire/headers.ts';
import { familyOf, type IpAddress, type IpFamily } from '../../wire/ip-address.ts';
import type { Packet } from '../../wire/packet.ts';
import { check, type Libc } from './libc.ts';

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
/** Implies IP_HDRINCL. */
const IPPROTO_RAW = 255;
const SOL_SOCKET = 1;
const SO_BROADCAST = 6;

function socketAddress(address: IpAddress): Buffer {
  if (typeof address === 'number') {
    const out = Buffer.alloc(16);
    out.writeUInt16LE(AF_INET, 0);
    out.writeUInt32BE(address, 4);
    return out;
  }
  const out = Buffer.alloc(28);
  out.writeUInt16LE(AF_INET6, 0);
  for (const [index, word] of [address.w0, address.w1, address.w2, address.w3].entries()) {
    out.writeUInt32BE(word, 8 + index * 4);
  }
  return out;
}

export class RawSender {
  readonly #libc: Libc;
  readonly #sockets = new Map<IpFamily, number>();

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /** Makes the socket for a family, in the current namespace. */
  open(family: IpFamily): void {
    const domain = family === 'ipv4' ? AF_INET : AF_INET6;
    const fd = check(this.#libc, this.#libc.socket(domain, SOCK_RAW_CLOEXEC, IPPROTO_RAW), 'raw socket');
    this.#sockets.set(family, fd);
    const on = Buffer.from([1, 0, 0, 0]);
    this.#libc.setsockopt(fd, SOL_SOCKET, SO_BROADCAST, on, on.length);
  }

  /** Sends `bytes`, the bytes of `packet`. Returns 0, or the errno with which the kernel refused it. */
  send(packet: Packet, bytes: Uint8Array = emitPacket(packet)): number {
    const family = familyOf(packet.src);
    const fd = this.#sockets.get(family);
    if (fd === undefined) throw new RangeError(`no ${family} socket was opened`);
    const address = socketAddress(packet.dst);
    const sent = this.#libc.sendto(fd, bytes, bytes.length, 0, address, address.length);
    return sent < 0 ? this.#libc.errno() : 0;
  }

  close(): void {
    for (const fd of this.#sockets.values()) this.#libc.close(fd);
    this.#sockets.clear();
  }
}
