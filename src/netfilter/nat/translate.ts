/**
 * NAT of one packet at one hook (nf_nat_core.c nf_nat_inet_fn): a new flow is bound once, by the first rule
 * of the nat chain that says so or else by a null binding; every packet is then rewritten by its entry.
 */
import type { ConntrackEntry } from '../conntrack/entry.ts';
import { isIcmpErrorPacket } from '../conntrack/icmp-error.ts';
import type { ConntrackTable } from '../conntrack/table.ts';
import type { Manip } from '../hooks.ts';
import type { Skb } from '../skb.ts';
import { type Direction, invertTuple, opposite, sameTuple, type Tuple } from '../tuple.ts';
import type { DropReason } from '../verdict.ts';
import { chooseTuple, type NatBindingRange } from './choose-tuple.ts';
import { rewrite, rewriteError, writtenBytes } from './manip.ts';

export interface NatEnvironment {
  readonly table: ConntrackTable;
  readonly now: number;
  readonly random16: () => number;
}

/** True once `manip`'s half of the flow's translation has been decided. */
export function isBound(entry: ConntrackEntry, manip: Manip): boolean {
  return manip === 'source' ? entry.sourceDone : entry.destinationDone;
}

/** Decides `manip`'s half of the translation of an unconfirmed `entry` (nf_nat_setup_info). */
export function bind(entry: ConntrackEntry, manip: Manip, range: NatBindingRange, env: NatEnvironment): void {
  if (entry.confirmed || isBound(entry, manip)) return;
  const current = invertTuple(entry.reply);
  if (current === undefined) return;
  const { tuple, random } = chooseTuple(current, { ...env, entry, manip, range });
  if (!sameTuple(tuple, current)) {
    entry.reply = invertTuple(tuple) ?? entry.reply;
    if (manip === 'source') entry.sourceNat = true;
    else entry.destinationNat = true;
  }
  if (manip === 'source') {
    entry.sourceDone = true;
    entry.randomSourcePort = random;
  } else {
    entry.destinationDone = true;
    entry.randomDestinationPort = random;
  }
}

/** The binding of a flow that no rule translates: the address stays, a clashing port may still move. */
export function bindNull(entry: ConntrackEntry, manip: Manip, env: NatEnvironment): void {
  const address = manip === 'source' ? entry.reply.dst : entry.reply.src;
  bind(entry, manip, { addresses: { from: address, to: address } }, env);
}

/** Whether packets of `direction` are rewritten at a `manip` hook: replies swap the two halves. */
function isRewritten(entry: ConntrackEntry, direction: Direction, manip: Manip): boolean {
  const sourceHalf = (manip === 'source') === (direction === 'original');
  return sourceHalf ? entry.sourceNat : entry.destinationNat;
}

/** What packets of `direction` look like after translation. */
function translated(entry: ConntrackEntry, direction: Direction): Tuple | undefined {
  return invertTuple(entry.tuple(opposite(direction)));
}

/** True for ICMP and ICMPv6 redirects. */
function isRedirect(skb: Skb): boolean {
  const { transport, src } = skb.packet;
  return transport.kind === 'icmp' && transport.type === (typeof src === 'number' ? 5 : 137);
}

/** True when a masqueraded flow is about to leave by another device than its address belongs to. */
export function leavesByOtherDevice(skb: Skb, entry: ConntrackEntry): boolean {
  return (
    skb.ct?.direction === 'original' &&
    entry.masqueradeDevice !== undefined &&
    entry.masqueradeDevice !== skb.outDevice
  );
}

/** Rewrites `skb.packet` as its entry says. Returns why it must be dropped instead. */
export function applyNat(skb: Skb, manip: Manip): DropReason | undefined {
  const { ct } = skb;
  if (ct === undefined) return undefined;
  const { entry, direction } = ct;
  const isError = ct.state === 'RELATED' && isIcmpErrorPacket(skb.packet);
  if (isError && isRedirect(skb)) {
    // Both ends would learn addresses that only exist behind the translation.
    const decided = entry.sourceDone && entry.destinationDone;
    if (!decided || entry.sourceNat || entry.destinationNat) return 'nat-untranslatable';
  }
  if (!isRewritten(entry, direction, manip)) return undefined;
  const outer = translated(entry, direction);
  if (outer === undefined) return undefined;
  skb.written = Math.max(skb.written, writtenBytes(skb.packet));
  skb.packet = isError
    ? rewriteError(skb.packet, { outer, inner: entry.tuple(opposite(direction)) }, manip)
    : rewrite(skb.packet, outer, manip);
  return undefined;
}
