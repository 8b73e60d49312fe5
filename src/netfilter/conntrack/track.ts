/**
 * Connection tracking of one packet (nf_conntrack_core.c nf_conntrack_in): finds or makes its entry, lets
 * the protocol's tracker judge it, and attaches the result to the skb. A new entry stays unconfirmed, seen
 * by this packet only, until `confirm` at the last hook.
 */
import type { IcmpMessage, Packet } from '../../wire/packet.ts';
import type { CtAttachment, Skb } from '../skb.ts';
import { type Direction, invertTuple, type Tuple, tupleOf } from '../tuple.ts';
import type { DropReason } from '../verdict.ts';
import { trackGeneric, trackIcmp, trackUdp } from './datagram.ts';
import { ConntrackEntry } from './entry.ts';
import { isTrackedAsError, relatedFlow } from './icmp-error.ts';
import { trackSctp } from './sctp.ts';
import type { ConntrackTable } from './table.ts';
import { trackTcp } from './tcp.ts';
import type { ConntrackSysctls } from './timeouts.ts';
import type { TrackVerdict } from './track-verdict.ts';
import { trackUdplite } from './udplite.ts';

export interface TrackEnvironment {
  readonly table: ConntrackTable;
  readonly sysctls: ConntrackSysctls;
  /** Virtual time, seconds. */
  readonly now: number;
  /** Transport checksums count: only those of packets that come in are judged (nf_conntrack_checksum). */
  readonly judgesChecksums: boolean;
}

/** Types beyond this are not tracked at all (NR_ICMP_TYPES). */
const MAX_ICMP_TYPE = 18;

/** Neighbour discovery and group membership (icmpv6_error's noct_valid_new): 130 to 136, and 143. */
function isNeverTracked(type: number): boolean {
  return (type >= 130 && type <= 136) || type === 143;
}

function runTracker(
  entry: ConntrackEntry,
  packet: Packet,
  direction: Direction,
  env: TrackEnvironment,
): TrackVerdict {
  const { now, sysctls, judgesChecksums } = env;
  const context = { direction, now, sysctls, judgesChecksums };
  const { transport } = packet;
  switch (transport.kind) {
    case 'tcp':
      return trackTcp(entry, transport, context);
    case 'udp':
      return trackUdp(entry, context);
    case 'icmp':
      return trackIcmp(entry, transport, context);
    case 'sctp':
      return trackSctp(entry, transport, context);
    case 'opaque':
      return trackUdplite(entry, packet, context) ?? trackGeneric(entry, context);
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

/** ICMP is decided by its type first. True when that settles what the packet is. */
function trackIcmpMessage(skb: Skb, message: IcmpMessage, zone: number, env: TrackEnvironment): boolean {
  const { packet } = skb;
  if (typeof packet.src === 'number') {
    if (message.type > MAX_ICMP_TYPE) return true;
  } else if (isNeverTracked(message.type)) {
    skb.untracked = true;
    return true;
  }
  if (!isTrackedAsError(packet, message)) return false;
  skb.ct = relatedFlow(packet, message, { table: env.table, zone, now: env.now });
  return true;
}

/**
 * Attaches conntrack's view to `skb`: `skb.ct`, or nothing for INVALID and untracked packets.
 * Returns why the packet must be dropped instead, when the table is full.
 */
export function track(skb: Skb, env: TrackEnvironment): DropReason | undefined {
  // Over loopback and for answers to a tracked packet the entry is attached already.
  if (skb.ct !== undefined || skb.untracked) return undefined;
  const zone = skb.zone ?? 0;
  skb.zone = undefined;
  const { packet } = skb;
  if (packet.corrupt === 'transport-checksum' && env.judgesChecksums) return undefined;
  if (packet.transport.kind === 'icmp' && trackIcmpMessage(skb, packet.transport, zone, env))
    return undefined;
  const tuple = tupleOf(packet);
  if (tuple === undefined) return undefined;
  for (;;) {
    const found = env.table.find(tuple, zone, env.now);
    let entry = found?.entry;
    const direction = found?.direction ?? 'original';
    if (entry === undefined) {
      entry = newEntry(tuple, zone);
      if (entry === undefined) return undefined;
      if (!env.table.makeRoom(tuple, env.sysctls.max, env.now)) return 'conntrack-full';
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
 * Enters the packet's new entry into the table at its last hook. Returns why the packet must be dropped
 * instead. Answers to an unconfirmed flow (a REJECT's) do not confirm it.
 */
export function confirm(skb: Skb, { table, now }: TrackEnvironment): DropReason | undefined {
  const { ct } = skb;
  if (ct === undefined || ct.entry.confirmed || ct.direction !== 'original') return undefined;
  if (ct.entry.dying) return undefined;
  return table.confirm(ct.entry, now) ? undefined : 'conntrack-clash';
}
