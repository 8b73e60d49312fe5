/** ARP for IPv4 over Ethernet (RFC 826). */
import { read16, read32, write16, write32 } from './byte-order.ts';
import { ETHERTYPE } from './ethernet.ts';
import type { Ipv4Address } from './ip-address.ts';
import { type MacAddress, readMac, writeMac } from './mac.ts';

export const ARP_OPERATION = { request: 1, reply: 2 } as const;

export interface ArpMessage {
  /** ARP_OPERATION; others are kept as they are. */
  readonly operation: number;
  readonly senderMac: MacAddress;
  readonly senderIp: Ipv4Address;
  /** Zero in requests. */
  readonly targetMac: MacAddress;
  readonly targetIp: Ipv4Address;
}

export const ARP_LENGTH = 28;
const HARDWARE_ETHERNET = 1;

/** The message in `bytes`; undefined when it is cut off or not about IPv4 over Ethernet. */
export function parseArp(bytes: Uint8Array): ArpMessage | undefined {
  if (bytes.length < ARP_LENGTH) return undefined;
  const known =
    read16(bytes, 0) === HARDWARE_ETHERNET &&
    read16(bytes, 2) === ETHERTYPE.ipv4 &&
    read16(bytes, 4) === 0x0604;
  if (!known) return undefined;
  return {
    operation: read16(bytes, 6),
    senderMac: readMac(bytes, 8),
    senderIp: read32(bytes, 14),
    targetMac: readMac(bytes, 18),
    targetIp: read32(bytes, 24),
  };
}

/** The 28 bytes of `message`. */
export function emitArp(message: ArpMessage): Uint8Array {
  const out = new Uint8Array(ARP_LENGTH);
  write16(out, 0, HARDWARE_ETHERNET);
  write16(out, 2, ETHERTYPE.ipv4);
  write16(out, 4, 0x0604);
  write16(out, 6, message.operation);
  writeMac(out, 8, message.senderMac);
  write32(out, 14, message.senderIp);
  writeMac(out, 18, message.targetMac);
  write32(out, 24, message.targetIp);
  return out;
}
