/**
 * Ethernet frames as values: what travels on emulated wires. They carry packets and ARP messages as values,
 * too; bytes are made only where somebody wants bytes (captures, tunnels).
 */
import { ARP_LENGTH, type ArpMessage, emitArp, parseArp } from './arp.ts';
import { ETHERNET_HEADER, ETHERTYPE, emitEthernet, parseEthernet } from './ethernet.ts';
import { emitPacket, ipLength, parsePacket } from './headers.ts';
import type { MacAddress } from './mac.ts';
import type { Packet } from './packet.ts';
import { WireError } from './wire-error.ts';

export type FramePayload =
  | { readonly kind: 'ip'; readonly packet: Packet }
  | { readonly kind: 'arp'; readonly message: ArpMessage }
  | { readonly kind: 'other'; readonly etherType: number; readonly data: Uint8Array };

export interface Frame {
  readonly source: MacAddress;
  readonly destination: MacAddress;
  readonly payload: FramePayload;
}

/** The frame that carries `packet`. */
export function ipFrame(source: MacAddress, destination: MacAddress, packet: Packet): Frame {
  return { source, destination, payload: { kind: 'ip', packet } };
}

/** The frame's EtherType. */
export function etherTypeOf({ payload }: Frame): number {
  switch (payload.kind) {
    case 'ip':
      return typeof payload.packet.src === 'number' ? ETHERTYPE.ipv4 : ETHERTYPE.ipv6;
    case 'arp':
      return ETHERTYPE.arp;
    case 'other':
      return payload.etherType;
  }
}

/** Bytes behind the Ethernet header: what a device's MTU limits. */
export function payloadLength({ payload }: Frame): number {
  switch (payload.kind) {
    case 'ip':
      return ipLength(payload.packet);
    case 'arp':
      return ARP_LENGTH;
    case 'other':
      return payload.data.length;
  }
}

/** Bytes of the frame, header included, neither padded nor with a check sequence. */
export function frameLength(frame: Frame): number {
  return ETHERNET_HEADER + payloadLength(frame);
}

function payloadBytes(payload: FramePayload): Uint8Array {
  switch (payload.kind) {
    case 'ip':
      return emitPacket(payload.packet);
    case 'arp':
      return emitArp(payload.message);
    case 'other':
      return payload.data;
  }
}

/** The bytes of `frame`, untagged, neither padded nor with a check sequence. */
export function emitFrame(frame: Frame): Uint8Array {
  const { source, destination, payload } = frame;
  return emitEthernet({ source, destination, etherType: etherTypeOf(frame), payload: payloadBytes(payload) });
}

function parsePayload(etherType: number, data: Uint8Array): FramePayload {
  const other: FramePayload = { kind: 'other', etherType, data };
  if (etherType === ETHERTYPE.arp) {
    const message = parseArp(data);
    return message === undefined ? other : { kind: 'arp', message };
  }
  if (etherType !== ETHERTYPE.ipv4 && etherType !== ETHERTYPE.ipv6) return other;
  try {
    const packet = parsePacket(data);
    const v4 = typeof packet.src === 'number';
    return v4 === (etherType === ETHERTYPE.ipv4) ? { kind: 'ip', packet } : other;
  } catch (error) {
    if (error instanceof WireError) return other;
    throw error;
  }
}

/**
 * The frame in `bytes`, VLAN tags skipped; payloads that are not what their EtherType says stay bytes
 * (`other`). Throws WireError when the Ethernet header is cut off.
 */
export function parseFrame(bytes: Uint8Array): Frame {
  const { source, destination, etherType, payload } = parseEthernet(bytes);
  return { source, destination, payload: parsePayload(etherType, payload) };
}
