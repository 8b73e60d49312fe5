/**
 * Whether a packet of a batch matches a record: the header words, then the tests. Parameters are positional
 * here, however many: an options object would be an allocation per rule.
 */
import { PROTOCOL } from '../../wire/protocol.ts';
import type { Choices } from '../choices.ts';
import { DCCP } from '../ports.ts';
import type { Batch } from './batch.ts';
import type { LinearImage } from './image.ts';
import { HEAD, RECORD, SIDE, TEST } from './layout.ts';

/** What a walk carries besides the columns. Reused from packet to packet. */
export interface Scratch {
  /** Where jumps return to: chain, ordinal. */
  readonly returns: Int32Array;
  /** DRAW: the interval of draws that takes the way taken so far. */
  readonly interval: Float64Array;
  /** Draws are made from here, one for every choice; absent: the packet's own draw decides them all. */
  readonly choices?: Choices;
}

/**
 * A draw u decides every random choice on its way: each splits the interval of draws that got this far.
 * `low` and `size` are that interval, `next` the smallest draw that would have decided some choice otherwise.
 */
export const DRAW = { low: 0, size: 1, next: 2 } as const;

export function newScratch(chains: number, choices?: Choices): Scratch {
  const returns = new Int32Array(2 * (chains + 1));
  return { returns, interval: new Float64Array(3), ...(choices === undefined ? {} : { choices }) };
}

/** `-m statistic` probabilities are fractions of this. */
export const ONE = 2 ** 31;

/** Whether `u` takes the branch of `probability` (in units of 2^-31); narrows the interval to it. */
export function drawBranch(interval: Float64Array, u: number, probability: number): boolean {
  // Certain outcomes are no choice.
  if (probability <= 0) return false;
  if (probability >= ONE) return true;
  const low = interval[DRAW.low] ?? 0;
  const size = interval[DRAW.size] ?? 0;
  const threshold = low + size * (probability / ONE);
  if (u < threshold) {
    interval[DRAW.size] = size * (probability / ONE);
    interval[DRAW.next] = threshold;
    return true;
  }
  interval[DRAW.low] = threshold;
  interval[DRAW.size] = size * ((ONE - probability) / ONE);
  return false;
}

export const NO_MATCH = 0;
export const MATCH = 1;
export const UNDECIDED = 2;

function hasPorts(protocol: number): boolean {
  return (
    protocol === PROTOCOL.tcp ||
    protocol === PROTOCOL.udp ||
    protocol === PROTOCOL.sctp ||
    protocol === PROTOCOL.udplite ||
    protocol === DCCP
  );
}

/** True when the address at `at`, masked with the mask behind the one at `wanted`, is that one. */
function maskedEquals(
  column: Uint32Array,
  at: number,
  words: Int32Array,
  wanted: number,
  width: number,
): boolean {
  for (let word = 0; word < width; word++) {
    const mask = words[wanted + width + word] ?? 0;
    if (((column[at + word] ?? 0) & mask) !== words[wanted + word]) return false;
  }
  return true;
}

/** Compares `width` unsigned words at `at` of `column` with those at `from` of `words`. */
function compareWords(
  column: Uint32Array,
  at: number,
  words: Int32Array | Uint32Array,
  from: number,
  width: number,
): number {
  for (let word = 0; word < width; word++) {
    const difference = (column[at + word] ?? 0) - ((words[from + word] ?? 0) >>> 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** True when the address at `at` of `column` lies in one of the ascending `locals`. */
function isLocal(column: Uint32Array, at: number, { locals, width }: LinearImage): boolean {
  for (let range = 0; range < locals.length; range += 2 * width) {
    if (compareWords(column, at, locals, range, width) < 0) return false;
    if (compareWords(column, at, locals, range + width, width) <= 0) return true;
  }
  return false;
}

/** The tests at `offset` for packet `row`, which has `mark` by now: NO_MATCH, MATCH or UNDECIDED. */
export function runTests(
  image: LinearImage,
  batch: Batch,
  row: number,
  offset: number,
  mark: number,
  scratch: Scratch,
): number {
  const { tests, width } = image;
  let next = offset;
  for (;;) {
    const negate = tests[next + 1] === 1;
    const a = tests[next + 2] ?? 0;
    const b = tests[next + 3] ?? 0;
    let holds: boolean;
    let size: number;
    switch (tests[next]) {
      case TEST.end:
        return MATCH;
      case TEST.never:
        return NO_MATCH;
      case TEST.protocol:
        holds = batch.protocol[row] === a;
        size = 1;
        break;
      case TEST.dport:
      case TEST.sport: {
        const port = (tests[next] === TEST.dport ? batch.dport[row] : batch.sport[row]) ?? 0;
        holds = port >= a && port <= b;
        size = 2;
        break;
      }
      case TEST.multiport: {
        const count = b;
        if (!hasPorts(batch.protocol[row] ?? 0)) return NO_MATCH;
        holds = false;
        for (let range = 0; range < count; range++) {
          const from = tests[next + 4 + 2 * range] ?? 0;
          const to = tests[next + 5 + 2 * range] ?? 0;
          const sport = batch.sport[row] ?? 0;
          const dport = batch.dport[row] ?? 0;
          if (a & SIDE.source && sport >= from && sport <= to) holds = true;
          if (a & SIDE.destination && dport >= from && dport <= to) holds = true;
        }
        size = 2 + 2 * count;
        break;
      }
      case TEST.mark:
        holds = (mark & b) === a;
        size = 2;
        break;
      case TEST.state:
        holds = ((batch.state[row] ?? 0) & a) !== 0;
        size = 1;
        break;
      case TEST.local:
        holds = isLocal(a === SIDE.source ? batch.src : batch.dst, row * width, image);
        size = 1;
        break;
      case TEST.device:
        holds = image.devices[a] === 1;
        size = 1;
        break;
      case TEST.address: {
        const column = a === SIDE.source ? batch.src : batch.dst;
        holds = maskedEquals(column, row * width, tests, next + 3, width);
        size = 1 + 2 * width;
        break;
      }
      case TEST.range: {
        const column = a === SIDE.source ? batch.src : batch.dst;
        const at = row * width;
        holds =
          compareWords(column, at, tests, next + 3, width) >= 0 &&
          compareWords(column, at, tests, next + 3 + width, width) <= 0;
        size = 1 + 2 * width;
        break;
      }
      case TEST.random:
        holds =
          scratch.choices === undefined
            ? drawBranch(scratch.interval, batch.draw[row] ?? 0, a >>> 0)
            : scratch.choices.chance(a >>> 0);
        size = 1;
        break;
      default:
        return UNDECIDED;
    }
    if (holds === negate) return NO_MATCH;
    next += 2 + size;
  }
}

/** The header part of the record at word `at` for packet `row`. */
export function matchHead(image: LinearImage, batch: Batch, row: number, at: number): boolean {
  const { records, width } = image;
  const head = records[at + RECORD.head] ?? 0;
  if ((head & HEAD.anyProtocol) === 0 && (head & 0xff) !== batch.protocol[row]) return false;
  const dports = records[at + RECORD.dports] ?? 0;
  const dport = batch.dport[row] ?? 0;
  if (dport < (dports & 0xffff) || dport > dports >>> 16) return false;
  const sports = records[at + RECORD.sports] ?? 0;
  const sport = batch.sport[row] ?? 0;
  if (sport < (sports & 0xffff) || sport > sports >>> 16) return false;
  const address = row * width;
  const dst = at + RECORD.addresses;
  const src = dst + 2 * width;
  const toDestination = maskedEquals(batch.dst, address, records, dst, width);
  if (toDestination === ((head & HEAD.notDestination) !== 0)) return false;
  const fromSource = maskedEquals(batch.src, address, records, src, width);
  return fromSource !== ((head & HEAD.notSource) !== 0);
}
