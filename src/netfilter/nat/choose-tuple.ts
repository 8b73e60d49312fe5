/**
 * Which tuple a translated flow gets (nf_nat_core.c get_unique_tuple): the address out of the range, and a
 * port nobody uses. Pure but for the random numbers it draws.
 */
import { compareAddress, type IpAddress, ipv6, sameAddress } from '../../wire/ip-address.ts';
import type { ConntrackEntry } from '../conntrack/entry.ts';
import type { ConntrackTable } from '../conntrack/table.ts';
import type { TcpState } from '../conntrack/timeouts.ts';
import type { Manip } from '../hooks.ts';
import type { AddressRange } from '../match.ts';
import type { NatFlags, NatPorts } from '../target.ts';
import { hasPorts, invertTuple, isIcmp, sameTuple, type Tuple } from '../tuple.ts';
import { jhash2, reciprocalScale } from './jhash.ts';

/** Where a binding may map to. No `addresses`: the address stays; no `ports`: the port is kept if it can be. */
export interface NatBindingRange extends Partial<NatFlags> {
  readonly addresses?: AddressRange;
  readonly ports?: NatPorts;
}

export interface TupleChoice {
  readonly table: ConntrackTable;
  readonly entry: ConntrackEntry;
  readonly manip: Manip;
  readonly range: NatBindingRange;
  readonly now: number;
  /** A uniform unsigned 16-bit number. */
  readonly random16: () => number;
}

export interface ChosenTuple {
  readonly tuple: Tuple;
  /** The port (or id) was searched from a random start. */
  readonly random: boolean;
}

/** The search tries this many ports, then half as many from another random start, and so on. */
const MAX_ATTEMPTS = 128;
/** In the last attempts a finished TCP flow may be evicted (NF_NAT_HARDER_THRESH). */
const HARDER_THRESHOLD = 32;

/** TIME_WAIT and what comes after it in the kernel's numbering (nf_nat_may_kill). */
const MAY_EVICT: ReadonlySet<TcpState> = new Set(['TIME_WAIT', 'CLOSE', 'SYN_SENT2']);

/** True when the answers to `tuple` would be mistaken for another flow's packets (nf_nat_used_tuple). */
function isUsed(tuple: Tuple, { table, entry, now }: TupleChoice): boolean {
  const reply = invertTuple(tuple);
  const found = reply && table.find(reply, entry.zone, now);
  if (found === undefined || found.entry === entry) return false;
  // The very same flow from a second packet is for the insertion at confirm to sort out.
  return !sameTuple(found.entry.original, entry.original);
}

/** isUsed, but a closed TCP flow that this SYN has overtaken is evicted (nf_nat_used_tuple_harder). */
function isUsedHarder(tuple: Tuple, choice: TupleChoice, attemptsLeft: number): boolean {
  const { table, entry, now } = choice;
  if (attemptsLeft > HARDER_THRESHOLD || entry.tcp?.state !== 'SYN_SENT') return isUsed(tuple, choice);
  const reply = invertTuple(tuple);
  const found = reply && table.find(reply, entry.zone, now);
  if (found === undefined) return false;
  const old = found.entry;
  if (found.direction === 'original' || !old.sourceNat || old.tcp === undefined) return true;
  if (!MAY_EVICT.has(old.tcp.state)) return true;
  const advanced = (entry.tcp.seen.original.end - old.tcp.seen.original.end) | 0;
  if (advanced <= 0) return true;
  table.delete(old);
  return false;
}

function portOf(tuple: Tuple, manip: Manip): number {
  return manip === 'source' || isIcmp(tuple.protocol) ? tuple.sport : tuple.dport;
}

function withPort(tuple: Tuple, manip: Manip, port: number): Tuple {
  return manip === 'source' || isIcmp(tuple.protocol) ? { ...tuple, sport: port } : { ...tuple, dport: port };
}

function portInRange(tuple: Tuple, manip: Manip, ports: NatPorts): boolean {
  if (!hasPorts(tuple.protocol) && !isIcmp(tuple.protocol)) return true;
  const port = portOf(tuple, manip);
  return port >= ports.from && port <= ports.to;
}

function sourceInRange(tuple: Tuple, range: NatBindingRange): boolean {
  if (range.addresses !== undefined) {
    const { from, to } = range.addresses;
    if (compareAddress(tuple.src, from) < 0 || compareAddress(tuple.src, to) > 0) return false;
  }
  return range.ports === undefined || portInRange(tuple, 'source', range.ports);
}

/** The mapping that another flow from the same source has, the latest that suits (find_appropriate_src). */
function stickySource(tuple: Tuple, choice: TupleChoice): Tuple | undefined {
  for (const other of choice.table.withSource(tuple, choice.entry.zone, choice.now)) {
    const mapped = invertTuple(other.reply);
    if (mapped === undefined) continue;
    const proposal = { ...tuple, src: mapped.src, sport: mapped.sport };
    if (sourceInRange(proposal, choice.range)) return proposal;
  }
  return undefined;
}

const swap32 = (word: number) =>
  ((word >>> 24) | ((word >>> 8) & 0xff00) | ((word << 8) & 0xff0000) | (word << 24)) >>> 0;

function wordsOf(address: IpAddress): number[] {
  return typeof address === 'number' ? [address] : [address.w0, address.w1, address.w2, address.w3];
}

/** How flows are spread over an address range. */
interface Spread {
  readonly persistent: boolean;
  readonly manip: Manip;
  readonly zone: number;
}

/**
 * The address of the range for this flow (find_best_ips_proto): a hash of both addresses, or of the source
 * alone with --persistent. The kernel hashes the words as a little-endian machine holds them.
 */
function bestAddress(tuple: Tuple, range: AddressRange, { persistent, manip, zone }: Spread): IpAddress {
  if (sameAddress(range.from, range.to)) return range.from;
  const source = wordsOf(tuple.src).map(swap32);
  const destination = wordsOf(tuple.dst).map(swap32);
  const low = wordsOf(range.from);
  const high = wordsOf(range.to);
  const padded = [...source, 0, 0, 0].slice(0, 4);
  let hash = jhash2(padded, persistent ? 0 : ((destination.at(-1) ?? 0) ^ zone) >>> 0);
  let fullRange = false;
  const chosen = low.map((min, index) => {
    const max = high[index] ?? 0;
    const base = fullRange ? 0 : min;
    const distance = fullRange ? 0xffffffff : (max - min + 1) >>> 0;
    const word = (base + reciprocalScale(hash, distance)) >>> 0;
    if (word !== max) fullRange = true;
    // The destination may be what is being chosen: then its words are mixed in as they become known.
    const mixed = manip === 'destination' ? swap32(word) : (destination[index] ?? 0);
    if (!persistent) hash = (hash ^ mixed) >>> 0;
    return word;
  });
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = chosen;
  return typeof tuple.src === 'number' ? w0 : ipv6(w0, w1, w2, w3);
}

/** The ports that a source may be moved to when no range is given: it keeps its class. */
function portClass(port: number): { readonly from: number; readonly to: number } {
  if (port < 512) return { from: 1, to: 511 };
  if (port < 1024) return { from: 600, to: 1023 };
  return { from: 1024, to: 65535 };
}

/** Moves the port until the tuple is free (nf_nat_l4proto_unique_tuple); the last try stays when none is. */
function searchPort(tuple: Tuple, choice: TupleChoice): ChosenTuple {
  const { manip, range, random16 } = choice;
  const kept: ChosenTuple = { tuple, random: false };
  if (!hasPorts(tuple.protocol) && !isIcmp(tuple.protocol)) return kept;
  const port = portOf(tuple, manip);
  let { ports } = range as { ports?: { from: number; to: number; base?: number } };
  if (ports === undefined) {
    if (isIcmp(tuple.protocol)) ports = { from: 0, to: 65535 };
    else if (manip === 'destination') return kept;
    else ports = portClass(port);
  }
  const size = ports.to - ports.from + 1;
  const randomised = range.random === true || range.randomFully === true;
  let random = false;
  let offset = 0;
  if (ports.base !== undefined) {
    offset = port - ports.base;
  } else if (randomised || manip === 'source') {
    offset = random16();
    random = size > 1;
  }
  let attempts = Math.min(size, MAX_ATTEMPTS);
  let last = tuple;
  for (;;) {
    for (let i = 0; i < attempts; i++, offset++) {
      last = withPort(tuple, manip, ports.from + ((offset & 0xffff) % size));
      if (!isUsedHarder(last, choice, attempts - i)) return { tuple: last, random };
    }
    if (attempts >= size || attempts < 16) return { tuple: last, random };
    attempts = Math.floor(attempts / 2);
    offset = random16();
    random = true;
  }
}

/** The tuple for `current` (the flow as it looks now, original direction) after this half's translation. */
export function chooseTuple(current: Tuple, choice: TupleChoice): ChosenTuple {
  const { manip, range } = choice;
  const randomised = range.random === true || range.randomFully === true;
  if (manip === 'source' && !randomised) {
    if (sourceInRange(current, range)) {
      if (!isUsed(current, choice)) return { tuple: current, random: false };
    } else {
      const sticky = stickySource(current, choice);
      if (sticky !== undefined && !isUsed(sticky, choice)) return { tuple: sticky, random: false };
    }
  }
  let tuple = current;
  if (range.addresses !== undefined) {
    const spread: Spread = { persistent: range.persistent === true, manip, zone: choice.entry.zone };
    const address = bestAddress(current, range.addresses, spread);
    tuple = manip === 'source' ? { ...current, src: address } : { ...current, dst: address };
  }
  if (!randomised) {
    const { ports } = range;
    if (ports === undefined) {
      if (!isUsed(tuple, choice)) return { tuple, random: false };
    } else if (
      ports.base === undefined &&
      portInRange(tuple, manip, ports) &&
      (ports.from === ports.to || !isUsed(tuple, choice))
    ) {
      return { tuple, random: false };
    }
  }
  return searchPort(tuple, choice);
}
