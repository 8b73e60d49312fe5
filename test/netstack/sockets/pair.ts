/** Two hosts' sockets on one wire, without anything between them but what a test asks for. */

import type { Path, SocketNetwork } from '../../../src/netstack/sockets/socket-network.ts';
import { Sockets } from '../../../src/netstack/sockets/sockets.ts';
import { SocketSysctls } from '../../../src/netstack/sockets/sysctls.ts';
import { Random } from '../../../src/sim/random.ts';
import { Scheduler } from '../../../src/sim/scheduler.ts';
import { type IpAddress, parseIpAddress, sameAddress } from '../../../src/wire/ip-address.ts';
import type { Packet, TcpSegment } from '../../../src/wire/packet.ts';
import { TCP_FLAG } from '../../../src/wire/protocol.ts';

/** What the wire does to a packet: the delays (seconds) of its copies, none for a lost one. */
export type Fate = (packet: Packet, sentBy: 'a' | 'b') => readonly number[];

export interface PairOptions {
  readonly seed?: number;
  readonly mtu?: number;
  readonly fate?: Fate;
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly addresses?: readonly [string, string];
}

export interface Sent {
  readonly at: number;
  readonly by: 'a' | 'b';
  readonly packet: Packet;
}

export class Pair {
  readonly scheduler = new Scheduler();
  readonly a: Sockets;
  readonly b: Sockets;
  readonly addressA: IpAddress;
  readonly addressB: IpAddress;
  /** Everything that was put on the wire. */
  readonly sent: Sent[] = [];
  fate: Fate;
  mtu: number;
  readonly pathMtu = new Map<string, number>();
  readonly #seed: number;
  readonly #sysctls: Readonly<Record<string, string>>;

  constructor({ seed = 1, mtu = 1500, fate = () => [0.001], sysctls = {}, addresses }: PairOptions = {}) {
    const [a, b] = addresses ?? ['10.0.0.1', '10.0.0.2'];
    this.#seed = seed;
    this.mtu = mtu;
    this.fate = fate;
    this.#sysctls = sysctls;
    this.addressA = parseIpAddress(a);
    this.addressB = parseIpAddress(b);
    this.a = this.#sockets('a');
    this.b = this.#sockets('b');
  }

  #sockets(side: 'a' | 'b'): Sockets {
    const own = side === 'a' ? this.addressA : this.addressB;
    const network: SocketNetwork = {
      scheduler: this.scheduler,
      random: new Random(this.#seed * 2 + (side === 'a' ? 0 : 1)),
      path: (): Path => ({ src: own, deviceMtu: this.mtu, mtu: this.pathMtu.get(side) ?? this.mtu }),
      send: (packet) => {
        this.put(side, packet);
        return undefined;
      },
      isLocal: (address) => sameAddress(address, own),
      sysctls: new SocketSysctls({ sysctl: (name) => this.#sysctls[name], sysctlVersion: 0 }),
    };
    return new Sockets(network);
  }

  /** Puts a packet on the wire, as if `by` had sent it. */
  put(by: 'a' | 'b', packet: Packet): void {
    this.sent.push({ at: this.scheduler.now(), by, packet });
    for (const delay of this.fate(packet, by)) {
      this.scheduler.after(delay, () => this.deliver(by === 'a' ? 'b' : 'a', packet));
    }
  }

  deliver(to: 'a' | 'b', packet: Packet): void {
    const answer = (to === 'a' ? this.a : this.b).answer(packet);
    if (answer !== undefined) this.put(to, answer);
  }
}

const FLAG_LETTERS = [
  [TCP_FLAG.FIN, 'F'],
  [TCP_FLAG.SYN, 'S'],
  [TCP_FLAG.RST, 'R'],
  [TCP_FLAG.PSH, 'P'],
  [TCP_FLAG.ACK, '.'],
] as const;

/** `a S 0`, `b S. 0`, `a P. 10`: who, tcpdump's flags, bytes. */
export function line({ by, packet }: Sent): string {
  const { transport } = packet;
  if (transport.kind !== 'tcp') return `${by} ${transport.kind}`;
  return `${by} ${flagsOf(transport)} ${transport.data.length}`;
}

export function flagsOf({ flags }: TcpSegment): string {
  return FLAG_LETTERS.filter(([bit]) => flags & bit)
    .map(([, letter]) => letter)
    .join('');
}

/** `length` bytes that differ from their neighbours, the same for one seed. */
export function bytesOf(length: number, seed: number): Uint8Array {
  const random = new Random(seed);
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = random.uint32();
  return bytes;
}

/** The bytes of `pieces` in one array. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
