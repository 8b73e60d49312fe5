/** TCP options (RFC 9293 §3.1, RFC 7323, RFC 2018), laid out as Linux lays them out (tcp_options_write). */
import { read16, read32, write16, write32 } from '../../../wire/byte-order.ts';

const KIND = { end: 0, nop: 1, mss: 2, windowScale: 3, sackPermitted: 4, sack: 5, timestamps: 8 } as const;

/** RFC 7323 §2.3: no shift is larger. */
const MAX_WINDOW_SCALE = 14;
/** Bytes that time stamps take of every segment, padding included. */
export const TIMESTAMPS_LENGTH = 12;
/** What fits into 40 bytes of options, without and with time stamps. */
const MAX_SACK_BLOCKS = { plain: 4, withTimestamps: 3 } as const;

/** Sequence numbers [start, end) that arrived out of order. */
export interface SackBlock {
  readonly start: number;
  readonly end: number;
}

export interface TcpOptions {
  /** Largest payload the sender takes in one segment, without options. */
  readonly mss?: number;
  readonly windowScale?: number;
  readonly sackPermitted: boolean;
  readonly sack: readonly SackBlock[];
  /** The sender's clock, milliseconds; absent without time stamps. */
  readonly tsValue?: number;
  readonly tsEcho: number;
}

const NO_SACK: readonly SackBlock[] = [];
const NO_OPTIONS: TcpOptions = { sackPermitted: false, sack: NO_SACK, tsEcho: 0 };

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function parseSack(bytes: Uint8Array, start: number, end: number): SackBlock[] {
  const blocks: SackBlock[] = [];
  for (let at = start; at + 8 <= end; at += 8) {
    blocks.push({ start: read32(bytes, at), end: read32(bytes, at + 4) });
  }
  return blocks;
}

/** The options in `bytes`. Unknown ones are passed over; nothing is read behind one whose length is wrong. */
export function parseTcpOptions(bytes: Uint8Array): TcpOptions {
  if (bytes.length === 0) return NO_OPTIONS;
  const found: Mutable<TcpOptions> = { sackPermitted: false, sack: NO_SACK, tsEcho: 0 };
  let at = 0;
  while (at < bytes.length) {
    const kind = bytes[at];
    if (kind === KIND.end) break;
    if (kind === KIND.nop) {
      at++;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    if (length < 2 || at + length > bytes.length) break;
    if (kind === KIND.mss && length === 4) found.mss = read16(bytes, at + 2);
    else if (kind === KIND.windowScale && length === 3)
      found.windowScale = Math.min(bytes[at + 2] ?? 0, MAX_WINDOW_SCALE);
    else if (kind === KIND.sackPermitted && length === 2) found.sackPermitted = true;
    else if (kind === KIND.sack) found.sack = parseSack(bytes, at + 2, at + length);
    else if (kind === KIND.timestamps && length === 10) {
      found.tsValue = read32(bytes, at + 2);
      found.tsEcho = read32(bytes, at + 6);
    }
    at += length;
  }
  return found;
}

export interface SynOptions {
  readonly mss: number;
  readonly windowScale?: number | undefined;
  readonly sackPermitted: boolean;
  readonly timestamps?: { readonly value: number; readonly echo: number } | undefined;
}

/** The options of a SYN or SYN-ACK: `mss, sackOK, TS, nop, wscale`, padded to whole words. */
export function synOptions({ mss, windowScale, sackPermitted, timestamps }: SynOptions): Uint8Array {
  const length =
    4 + (timestamps === undefined ? (sackPermitted ? 4 : 0) : 12) + (windowScale === undefined ? 0 : 4);
  const out = new Uint8Array(length);
  out[0] = KIND.mss;
  out[1] = 4;
  write16(out, 2, mss);
  let at = 4;
  if (timestamps !== undefined) {
    out[at] = sackPermitted ? KIND.sackPermitted : KIND.nop;
    out[at + 1] = sackPermitted ? 2 : KIND.nop;
    writeTimestamps(out, at + 2, timestamps.value, timestamps.echo);
    at += 12;
  } else if (sackPermitted) {
    out[at] = KIND.nop;
    out[at + 1] = KIND.nop;
    out[at + 2] = KIND.sackPermitted;
    out[at + 3] = 2;
    at += 4;
  }
  if (windowScale !== undefined) {
    out[at] = KIND.nop;
    out[at + 1] = KIND.windowScale;
    out[at + 2] = 3;
    out[at + 3] = windowScale;
  }
  return out;
}

function writeTimestamps(out: Uint8Array, at: number, value: number, echo: number): void {
  out[at] = KIND.timestamps;
  out[at + 1] = 10;
  write32(out, at + 2, value);
  write32(out, at + 6, echo);
}

/** `nop, nop, TS`: what most segments carry. */
export function timestampOptions(value: number, echo: number): Uint8Array {
  const out = new Uint8Array(TIMESTAMPS_LENGTH);
  out[0] = KIND.nop;
  out[1] = KIND.nop;
  writeTimestamps(out, 2, value, echo);
  return out;
}

/** The options of an ACK with `blocks`, as many of which go in as fit; `timestamps` as `timestampOptions` made them. */
export function sackOptions(timestamps: Uint8Array, blocks: readonly SackBlock[]): Uint8Array {
  const room = timestamps.length > 0 ? MAX_SACK_BLOCKS.withTimestamps : MAX_SACK_BLOCKS.plain;
  const sent = blocks.slice(0, room);
  if (sent.length === 0) return timestamps;
  const out = new Uint8Array(timestamps.length + 4 + sent.length * 8);
  out.set(timestamps);
  let at = timestamps.length;
  out[at] = KIND.nop;
  out[at + 1] = KIND.nop;
  out[at + 2] = KIND.sack;
  out[at + 3] = 2 + sent.length * 8;
  at += 4;
  for (const { start, end } of sent) {
    write32(out, at, start);
    write32(out, at + 4, end);
    at += 8;
  }
  return out;
}
