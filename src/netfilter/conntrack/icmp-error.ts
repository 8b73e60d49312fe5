/** ICMP and ICMPv6 errors: which packet they are about, and which flow that packet belongs to. */
import { parseQuotedPacket } from '../../wire/headers.ts';
import { isIcmpError } from '../../wire/icmp.ts';
import { familyOf, sameAddress } from '../../wire/ip-address.ts';
import type { IcmpMessage, Packet } from '../../wire/packet.ts';
import type { CtAttachment } from '../skb.ts';
import { invertTuple, tupleOf } from '../tuple.ts';
import type { ConntrackTable } from './table.ts';

/** ICMPv6 types below this are errors, known or not (RFC 4443 §2.1). */
const FIRST_INFORMATIONAL = 128;
/** Neighbour discovery's redirect, and its option that quotes the redirected packet (RFC 4861 §4.5, §4.6.3). */
const REDIRECT = 137;
const REDIRECTED_HEADER = 4;
const REDIRECT_BODY = 32;
const OPTION_PREFACE = 8;

/** True when `packet` is an ICMP or ICMPv6 error message of a known type. */
export function isIcmpErrorPacket(packet: Packet): boolean {
  const { transport, src } = packet;
  return transport.kind === 'icmp' && isIcmpError(familyOf(src), transport.type);
}

/** True for what conntrack takes for an error: it looks for a flow in the quote and never opens one. */
export function isTrackedAsError({ src }: Packet, message: IcmpMessage): boolean {
  if (typeof src === 'number') return isIcmpError('ipv4', message.type);
  return message.type < FIRST_INFORMATIONAL || isRedirectWithQuote(message);
}

function isRedirectWithQuote({ type, code, data }: IcmpMessage): boolean {
  const length = data[REDIRECT_BODY + 1] ?? 0;
  return type === REDIRECT && code === 0 && data[REDIRECT_BODY] === REDIRECTED_HEADER && length > 0;
}

function quotedBy(message: IcmpMessage): Packet | undefined {
  if (message.quoted !== undefined) return message.quoted;
  const start = message.type === REDIRECT ? REDIRECT_BODY + OPTION_PREFACE : 0;
  return parseQuotedPacket(message.data.subarray(start));
}

export interface Lookup {
  readonly table: ConntrackTable;
  readonly zone: number;
  readonly now: number;
}

/**
 * The flow that an ICMP error is about, and the error's direction in it; undefined when its quote names no
 * known flow or the error is addressed to somebody else (nf_conntrack_inet_error).
 */
export function relatedFlow(
  packet: Packet,
  message: IcmpMessage,
  { table, zone, now }: Lookup,
): CtAttachment | undefined {
  const quoted = quotedBy(message);
  if (quoted === undefined || familyOf(quoted.src) !== familyOf(packet.src)) return undefined;
  const tuple = tupleOf(quoted);
  const inverted = tuple && invertTuple(tuple);
  const found = inverted && table.find(inverted, zone, now);
  if (found === undefined) return undefined;
  if (!sameAddress(packet.dst, found.entry.tuple(found.direction).dst)) return undefined;
  return { entry: found.entry, direction: found.direction, state: 'RELATED' };
}
