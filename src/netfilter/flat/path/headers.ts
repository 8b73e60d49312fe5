/**
 * The headers of a packet in a batch: read into a few numbers, and rewritten in place with checksums adjusted
 * (RFC 1624). Only what the flat path takes is read: IPv4 without options or fragments, TCP or UDP, whole, with
 * right checksums.
 */
import { PROTOCOL, TCP_FLAG } from '../../../wire/protocol.ts';
import type { PathBatch } from './path-batch.ts';

const IP_HEADER = 20;
const TCP_HEADER = 20;
const UDP_HEADER = 8;
/** More-fragments bit and fragment offset. */
const FRAGMENT = 0x3fff;
const DONT_FRAGMENT = 0x40;

/** Folds a sum of 16-bit words; right checksums make it 0xffff. */
function fold(sum: number): number {
  let folded = (sum & 0xffff) + Math.floor(sum / 0x10000);
  folded = (folded & 0xffff) + (folded >>> 16);
  return (folded & 0xffff) + (folded >>> 16);
}

/** Adds up `length` bytes at `start`, a multiple of four, in the machine's own byte order. */
function sumBytes({ words, bytes }: PathBatch, start: number, length: number): number {
  let sum = 0;
  const first = start >> 2;
  const last = first + (length >> 2);
  for (let at = first; at < last; at++) {
    const word = words[at] ?? 0;
    sum += (word & 0xffff) + (word >>> 16);
  }
  // The odd end, as the bytes would lie in a word.
  const end = start + length;
  let at = start + (length & ~3);
  if (end - at >= 2) {
    sum += inMachineOrder(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0));
    at += 2;
  }
  return at < end ? sum + inMachineOrder((bytes[at] ?? 0) << 8) : sum;
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** A 16-bit word of the network as this machine reads it from memory. */
function inMachineOrder(word: number): number {
  return LITTLE_ENDIAN ? ((word & 0xff) << 8) | (word >>> 8) : word;
}

export class PathHeaders {
  src = 0;
  dst = 0;
  protocol = 0;
  sport = 0;
  dport = 0;
  ttl = 0;
  /** The IP header's total length. */
  totalLength = 0;
  dontFragment = false;
  /** TCP only. */
  seq = 0;
  ack = 0;
  flags = 0;
  window = 0;
  /** Where TCP's options begin in the batch's bytes, and how many bytes they are. */
  options = 0;
  optionsLength = 0;
  payloadLength = 0;

  /** Reads packet `row` of `batch`. False: it is not one that the path takes. */
  read(batch: PathBatch, row: number): boolean {
    const { bytes } = batch;
    const start = batch.offset[row] ?? 0;
    const available = batch.length[row] ?? 0;
    if (available < IP_HEADER + UDP_HEADER || bytes[start] !== 0x45) return false;
    const total = ((bytes[start + 2] ?? 0) << 8) | (bytes[start + 3] ?? 0);
    if (total > available || total < IP_HEADER + UDP_HEADER) return false;
    const fragment = ((bytes[start + 6] ?? 0) << 8) | (bytes[start + 7] ?? 0);
    if ((fragment & FRAGMENT) !== 0 || fold(sumBytes(batch, start, IP_HEADER)) !== 0xffff) return false;
    this.protocol = bytes[start + 9] ?? 0;
    this.totalLength = total;
    this.dontFragment = ((bytes[start + 6] ?? 0) & DONT_FRAGMENT) !== 0;
    this.ttl = bytes[start + 8] ?? 0;
    this.src = networkWord(bytes, start + 12);
    this.dst = networkWord(bytes, start + 16);
    const transport = start + IP_HEADER;
    this.sport = half(bytes, transport);
    this.dport = half(bytes, transport + 2);
    const length = total - IP_HEADER;
    if (this.protocol === PROTOCOL.tcp) return this.#readTcp(batch, transport, length);
    return this.protocol === PROTOCOL.udp && this.#readUdp(batch, transport, length);
  }

  /** True for a segment that begins a connection and nothing else (ECN's bits aside). */
  get isSyn(): boolean {
    const counted = this.flags & (TCP_FLAG.FIN | TCP_FLAG.SYN | TCP_FLAG.RST | TCP_FLAG.ACK | TCP_FLAG.URG);
    return counted === TCP_FLAG.SYN;
  }

  #readTcp(batch: PathBatch, at: number, length: number): boolean {
    const { bytes } = batch;
    if (length < TCP_HEADER) return false;
    const header = ((bytes[at + 12] ?? 0) >>> 4) * 4;
    if (header < TCP_HEADER || header > length) return false;
    if (!this.#checksumMatches(batch, at, length)) return false;
    this.seq = networkWord(bytes, at + 4) >>> 0;
    this.ack = networkWord(bytes, at + 8) >>> 0;
    this.flags = bytes[at + 13] ?? 0;
    this.window = half(bytes, at + 14);
    this.options = at + TCP_HEADER;
    this.optionsLength = header - TCP_HEADER;
    this.payloadLength = length - header;
    return true;
  }

  #readUdp(batch: PathBatch, at: number, length: number): boolean {
    const { bytes } = batch;
    if (half(bytes, at + 4) !== length) return false;
    this.seq = 0;
    this.flags = 0;
    this.window = 0;
    this.optionsLength = 0;
    this.payloadLength = 0;
    // No checksum is a right one (RFC 768).
    return half(bytes, at + 6) === 0 || this.#checksumMatches(batch, at, length);
  }

  #checksumMatches(batch: PathBatch, at: number, length: number): boolean {
    const { src, dst, protocol } = this;
    const pseudo = (src >>> 16) + (src & 0xffff) + (dst >>> 16) + (dst & 0xffff) + protocol + length;
    return fold(sumBytes(batch, at, length) + inMachineOrder(fold(pseudo))) === 0xffff;
  }
}

function half(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** The signed 32-bit word of the network at `at`. */
export function networkWord(bytes: Uint8Array, at: number): number {
  return (half(bytes, at) << 16) | half(bytes, at + 2);
}

function putHalf(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

function putWord(bytes: Uint8Array, at: number, value: number): void {
  putHalf(bytes, at, (value >>> 16) & 0xffff);
  putHalf(bytes, at + 2, value & 0xffff);
}

/** What goes into a one's complement sum when `before` becomes `after`: ~before + after, of both halves. */
function change(before: number, after: number): number {
  return (~before >>> 16) + (~before & 0xffff) + (after >>> 16) + (after & 0xffff);
}

/** Adjusts the checksum at `at` by the sum of changes `delta` (RFC 1624, equation 3). */
function adjust(bytes: Uint8Array, at: number, delta: number): void {
  putHalf(bytes, at, ~fold((~half(bytes, at) & 0xffff) + delta) & 0xffff);
}

/** The addresses and ports of a packet on its way, as NAT has left them so far. */
export class PathTuple {
  src = 0;
  dst = 0;
  sport = 0;
  dport = 0;

  /** Starts as the packet came. */
  begin({ src, dst, sport, dport }: PathHeaders): void {
    this.src = src;
    this.dst = dst;
    this.sport = sport;
    this.dport = dport;
  }
}

/** Writes `to` into packet `row`, whose headers were `from`, and counts its ttl down. */
export function rewriteHeaders(batch: PathBatch, row: number, from: PathHeaders, to: PathTuple): void {
  const { bytes } = batch;
  const start = batch.offset[row] ?? 0;
  const { protocol } = from;
  bytes[start + 8] = from.ttl - 1;
  // The ttl is the high byte of its word: one less is 0x100 less, which is 0xfeff more.
  let delta = 0xfeff;
  const addresses = change(from.src, to.src) + change(from.dst, to.dst);
  const moved = from.src !== to.src || from.dst !== to.dst;
  if (moved) {
    delta += addresses;
    putWord(bytes, start + 12, to.src);
    putWord(bytes, start + 16, to.dst);
  }
  adjust(bytes, start + 10, delta);
  if (!moved && from.sport === to.sport && from.dport === to.dport) return;
  const transport = start + IP_HEADER;
  putHalf(bytes, transport, to.sport);
  putHalf(bytes, transport + 2, to.dport);
  const ports = change((from.sport << 16) | from.dport, (to.sport << 16) | to.dport);
  const checksum = transport + (protocol === PROTOCOL.tcp ? 16 : 6);
  if (protocol === PROTOCOL.udp && half(bytes, checksum) === 0) return;
  adjust(bytes, checksum, addresses + ports);
  // A computed zero of UDP's is sent as 0xffff, because zero means "none" (RFC 768).
  if (protocol === PROTOCOL.udp && half(bytes, checksum) === 0) putHalf(bytes, checksum, 0xffff);
}
