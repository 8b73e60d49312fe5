/** Packets cut into fragments, as a router on the way would have done. */
import { emitPacket, parsePacket } from '../../../src/wire/headers.ts';
import type { Packet } from '../../../src/wire/packet.ts';
import { protocolOf } from '../../../src/wire/packet.ts';
import type { Dice } from './dice.ts';

export interface Piece {
  readonly packet: Packet;
  /** With the checksum and length of the whole in the first piece. */
  readonly bytes: Uint8Array;
}

/** The longest transport header (TCP with all options), in the units of eight bytes in which packets are cut. */
const HEADER_UNITS = 8;
const FRAGMENT_HEADER = 8;
const NEXT_HEADER_FRAGMENT = 44;

/** The sum of a header's words, for its checksum. */
function headerChecksum(header: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) sum += ((header[at] ?? 0) << 8) | (header[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function pieceOfIpv4(whole: Uint8Array, from: number, to: number, more: boolean): Uint8Array {
  const headerLength = ((whole[0] ?? 0) & 15) * 4;
  const bytes = new Uint8Array(headerLength + to - from);
  bytes.set(whole.subarray(0, headerLength));
  bytes.set(whole.subarray(headerLength + from, headerLength + to), headerLength);
  const view = new DataView(bytes.buffer);
  view.setUint16(2, bytes.length);
  view.setUint16(6, (more ? 0x2000 : 0) | (from >>> 3));
  view.setUint16(10, 0);
  view.setUint16(10, headerChecksum(bytes.subarray(0, headerLength)));
  return bytes;
}

function pieceOfIpv6(whole: Uint8Array, id: number, from: number, to: number, more: boolean): Uint8Array {
  const header = 40;
  const bytes = new Uint8Array(header + FRAGMENT_HEADER + to - from);
  bytes.set(whole.subarray(0, header));
  bytes.set(whole.subarray(header + from, header + to), header + FRAGMENT_HEADER);
  const view = new DataView(bytes.buffer);
  view.setUint16(4, bytes.length - header);
  bytes[6] = NEXT_HEADER_FRAGMENT;
  bytes[header] = whole[6] ?? 0;
  view.setUint16(header + 2, from | (more ? 1 : 0));
  view.setUint32(header + 4, id);
  return bytes;
}

/**
 * `packet` (no extension headers) in two or three pieces, the first of them with the whole transport header, as
 * every sender cuts them; undefined when there is nothing to cut. They all carry `id`.
 */
export function cutUp(dice: Dice, packet: Packet, id: number): Piece[] | undefined {
  const v4 = typeof packet.src === 'number';
  const whole = emitPacket({ ...packet, id: v4 ? id : 0, dontFragment: false });
  const headerLength = v4 ? ((whole[0] ?? 0) & 15) * 4 : 40;
  const length = whole.length - headerLength;
  const units = Math.ceil(length / 8);
  if (units <= HEADER_UNITS || protocolOf(packet) === NEXT_HEADER_FRAGMENT) return undefined;
  const cuts = new Set([0, 1].map(() => dice.between(HEADER_UNITS, units - 1) * 8));
  return cutAt(
    whole,
    [...cuts].sort((a, b) => a - b),
    id,
  );
}

/**
 * The packet in `whole` (no extension headers) cut at `cuts`: offsets into its payload in ascending order, in
 * multiples of eight. IPv6 pieces carry `id`.
 */
export function cutAt(whole: Uint8Array, cuts: readonly number[], id: number): Piece[] {
  const v4 = (whole[0] ?? 0) >>> 4 === 4;
  const headerLength = v4 ? ((whole[0] ?? 0) & 15) * 4 : 40;
  const length = whole.length - headerLength;
  const bounds = [0, ...cuts, length];
  return bounds.slice(0, -1).map((from, index) => {
    const to = bounds[index + 1] ?? length;
    const more = to < length;
    const bytes = v4 ? pieceOfIpv4(whole, from, to, more) : pieceOfIpv6(whole, id, from, to, more);
    return { packet: parsePacket(bytes), bytes };
  });
}
