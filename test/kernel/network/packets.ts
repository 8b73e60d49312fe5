/** Packets to send through small networks. */
import { emitPacket } from '../../../src/wire/headers.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';
import { NO_BYTES, type Packet, type Transport } from '../../../src/wire/packet.ts';
import { cutAt } from '../rig/fuzz-fragments.ts';
import type { Step } from './network-spec.ts';

export interface Headers {
  readonly ttl?: number;
  readonly df?: boolean;
  readonly id?: number;
  readonly tos?: number;
}

/** A packet from `src` to `dst`. */
export function packet(src: string, dst: string, transport: Transport, headers: Headers = {}): Packet {
  const { ttl = 64, df = false, id = 77, tos = 0 } = headers;
  const v6 = src.includes(':');
  return {
    src: parseIpAddress(src),
    dst: parseIpAddress(dst),
    ttl,
    tos,
    id: v6 ? 0 : id,
    dontFragment: df && !v6,
    transport,
  };
}

/** An echo request with `size` bytes of data and the identifier `echo`. */
export function ping(
  src: string,
  dst: string,
  { size = 8, echo = 7, ...headers }: Headers & { readonly size?: number; readonly echo?: number } = {},
): Packet {
  const type = src.includes(':') ? 128 : 8;
  const data = Uint8Array.from({ length: size }, (_, index) => index & 255);
  return packet(src, dst, { kind: 'icmp', type, code: 0, id: echo, sequence: 1, data }, headers);
}

export interface Ports {
  readonly sport?: number;
  readonly dport?: number;
}

/** A UDP datagram with `size` bytes of data. */
export function udp(
  src: string,
  dst: string,
  { sport = 4444, dport = 53, size = 4, ...headers }: Headers & Ports & { readonly size?: number } = {},
): Packet {
  return packet(src, dst, { kind: 'udp', sport, dport, data: new Uint8Array(size) }, headers);
}

/** A TCP segment; flags by default SYN. */
export function tcp(
  src: string,
  dst: string,
  options: Headers & Ports & { readonly flags?: number; readonly seq?: number; readonly ack?: number } = {},
): Packet {
  const { sport = 4444, dport = 80, flags = 2, seq = 100, ack = 0, ...headers } = options;
  const segment = { sport, dport, seq, ack, flags, window: 1000, options: NO_BYTES, data: NO_BYTES };
  return packet(src, dst, { kind: 'tcp', ...segment }, headers);
}

/** A raw socket of `at` sends `packet`. */
export function send(at: string, packet: Packet): Step {
  return { kind: 'send', at, packet };
}

export function wait(seconds: number): Step {
  return { kind: 'wait', seconds };
}

/** The packet in pieces, sent by a raw socket of `at` in this order; `cuts` and `id` as cutAt takes them. */
export function sendPieces(at: string, packet: Packet, cuts: readonly number[], id = 77): Step[] {
  return cutAt(emitPacket(packet), cuts, id).map((piece) => ({ kind: 'send', at, ...piece }));
}
