/**
 * Connection tracking of one packet (nf_conntrack_core.c nf_conntrack_in): finds or makes its entry, lets
 * the protocol's tracker judge it, and attaches the result to the skb. A new entry stays unconfirmed, seen
 * by this packet only, until `confirm` at the last hook.
 */
import { isIcmpError } from '../../wire/icmp.ts';
import { familyOf, sameAddress } from '../../wire/ip-address.ts';
import type { Packet } from '../../wire/packet.ts';
import type { CtAttachment, Skb } from '../skb.ts';
import { type Direction, invertTuple, type Tuple, tupleOf } from '../tuple.ts';
import type { DropReason } from '../verdict.ts';
import { trackGeneric, trackIcmp, trackUdp } from './datagram.ts';
import { ConntrackEntry } from './entry.ts';
import type { ConntrackTable } from './table.ts';
import { trackTcp } from './tcp.ts';
import type { ConntrackSysctls } from './timeouts.ts';
import type { TrackVerdict } from './track-verdict.ts';

export interface TrackEnvironment {
  readonly table: ConntrackTable;
  readonly sysctls: ConntrackSysctls;
  /** Virtual time, seconds. */
  readonly now: number;
}

/** Types beyond this are not tracked at all (NR_ICMP_TYPES). */
const MAX_ICMP_TYPE = 18;
/** Neighbour discovery and multicast listener messages are never tracked (icmpv6_error: noct_valid_new). */
const isNeighbourDiscovery = (type: number) => type >= 130 && type <= 137;

/** True when `packet` is an ICMP or ICMPv6 error message. */
export function isIcmpErrorPacket(packet: Packet): boolean {
  const { transport, src } = packet;
  return transport.kind === 'icmp' && isIcmpError(familyOf(src), transport.type);
}

/**
 * The entry that an ICMP error is about, and the error's direction in it; undefined when its quote names
 * no known flow or the error is addressed to somebody else (nf_conntrack_inet_error).
 */
function relatedEntry(packet: Packet, zone: number, env: TrackEnvironment): CtAttachment | undefined {
  if (packet.transport.kind !== 'icmp' || packet.transport.quoted === undefined) return undefined;
  const quoted = tupleOf(packet.transport.quoted);
  const inverted = quoted && invertTuple(quoted);
  const found = inverted && env.table.find(inverted, zone, env.now);
  if (found === undefined) return undefined;
  if (!sameAddress(packet.dst, found.entry.tuple(found.direction).dst)) return undefined;
  return { entry: found.entry, direction: found.direction, state: 'RELATED' };
}

function runTracker(
  entry: ConntrackEntry,
  packet: Packet,
  direction: Direction,
  env: TrackEnvironment,
): TrackVerdict {
  const context = { direction, now: env.now, sysctls: env.sysctls };
  const { transport } = packet;
  switch (transport.kind) {
    case 'tcp':
      return trackTcp(entry, transport, context);
    case 'udp':
      return trackUdp(entry, context);
    case 'icmp':
      return trackIcmp(entry, transport, context);
    case 'sctp':
    case 'opaque':
      return trackGeneric(entry, context);
  }
}

/** A packet of direction reply is ESTABLISHED at once; one of direction original after the first reply. */
function stateIn(entry: ConntrackEntry, direction: Direction): CtAttachment['state'] {
  return direction === 'reply' || entry.seenReply ? 'ESTABLISHED' : 'NEW';
}

function newEntry(tuple: Tuple, zone: number): ConntrackEntry | undefined {
  const reply = invertTuple(tuple);
  return reply && new ConntrackEntry(tuple, reply, zone);
}

/**
 * Attaches conntrack's view to `skb`: `skb.ct`, or nothing for INVALID and untracked packets.
 * Returns why the packet must be dropped instead, when the table is full.
 */
export function track(skb: Skb, zone: number, env: TrackEnvironment): DropReason | undefined {
  // Over loopback and for answers to a tracked packet the entry is attached already.
  if (skb.ct !== undefined || skb.untracked) return undefined;
  const { packet } = skb;
  const { transport } = packet;
  if (packet.corrupt === 'transport-checksum') return undefined;
  if (transport.kind === 'icmp') {
    if (typeof packet.src === 'number') {
      if (transport.type > MAX_ICMP_TYPE) return undefined;
    } else if (isNeighbourDiscovery(transport.type)) {
      skb.untracked = true;
      return undefined;
    }
    if (isIcmpErrorPacket(packet)) {
      skb.ct = relatedEntry(packet, zone, env);
      return undefined;
    }
  }
  const tuple = tupleOf(packet);
  if (tuple === undefined) return undefined;
  for (;;) {
    const found = env.table.find(tuple, zone, env.now);
    let entry = found?.entry;
    const direction = found?.direction ?? 'original';
    if (entry === undefined) {
      entry = newEntry(tuple, zone);
      if (entry === undefined) return undefined;
      if (!makeRoom(env)) return 'conntrack-full';
    }
    const state = stateIn(entry, direction);
    const verdict = runTracker(entry, packet, direction, env);
    if (verdict === 'reopen') {
      env.table.delete(entry);
      continue;
    }
    if (verdict === 'invalid') return undefined;
    if (verdict === 'delete') env.table.delete(entry);
    if (direction === 'reply') entry.seenReply = true;
    skb.ct = { entry, direction, state };
    return undefined;
  }
}

/**
 * Early drop: with a full table a new flow may take the place of one that is not ASSURED. The kernel looks
 * at a few hash buckets; here every entry may be chosen, oldest first. Returns false when none can go.
 */
function makeRoom({ table, sysctls, now }: TrackEnvironment): boolean {
  if (sysctls.max === 0 || table.size < sysctls.max) return true;
  table.sweep(now);
  if (table.size < sysctls.max) return true;
  for (const entry of table.entries(now)) {
    if (entry.assured) continue;
    table.delete(entry);
    return true;
  }
  return false;
}

/**
 * Enters the packet's new entry into the table at its last hook. Returns why the packet must be dropped
 * instead. Answers to an unconfirmed flow (a REJECT's) do not confirm it.
 */
export function confirm(skb: Skb, { table, now }: TrackEnvironment): DropReason | undefined {
  const { ct } = skb;
  if (ct === undefined || ct.entry.confirmed || ct.direction !== 'original') return undefined;
  if (ct.entry.dying) return undefined;
  return table.confirm(ct.entry, now) ? undefined : 'conntrack-clash';
}
