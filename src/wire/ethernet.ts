/** Ethernet II frames (IEEE 802.3): as much of them as it takes to carry IP packets in and out of captures. */
import { plainBytes, read16, write16 } from './byte-order.ts';
import { type MacAddress, readMac, writeMac } from './mac.ts';
import { WireError } from './wire-error.ts';

/** Bytes in front of an untagged frame's payload. */
export const ETHERNET_HEADER = 14;
const VLAN_TAG = 4;

export const ETHERTYPE = {
  ipv4: 0x0800,
  arp: 0x0806,
  vlan: 0x8100,
  serviceVlan: 0x88a8,
  ipv6: 0x86dd,
} as const;

export interface EthernetFrame {
  readonly destination: MacAddress;
  readonly source: MacAddress;
  /** The type behind any VLAN tags. */
  readonly etherType: number;
  readonly payload: Uint8Array;
}

/** The parts of `frame`, VLAN tags skipped. Throws WireError when the header is cut off. */
export function parseEthernet(frame: Uint8Array): EthernetFrame {
  const bytes = plainBytes(frame);
  let offset = ETHERNET_HEADER;
  let etherType = read16(bytes, 12);
  while (
    (etherType === ETHERTYPE.vlan || etherType === ETHERTYPE.serviceVlan) &&
    offset + VLAN_TAG <= bytes.length
  ) {
    etherType = read16(bytes, offset + 2);
    offset += VLAN_TAG;
  }
  if (bytes.length < offset) {
    throw new WireError(`Ethernet header cut off: ${bytes.length} of ${offset} bytes`, bytes.length);
  }
  return {
    destination: readMac(bytes, 0),
    source: readMac(bytes, 6),
    etherType,
    payload: bytes.slice(offset),
  };
}

/** The bytes of an untagged frame, neither padded to the minimum length nor followed by a check sequence. */
export function emitEthernet(frame: EthernetFrame): Uint8Array {
  const out = new Uint8Array(ETHERNET_HEADER + frame.payload.length);
  writeMac(out, 0, frame.destination);
  writeMac(out, 6, frame.source);
  write16(out, 12, frame.etherType);
  out.set(frame.payload, ETHERNET_HEADER);
  return out;
}
