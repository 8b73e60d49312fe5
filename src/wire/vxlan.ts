/** VXLAN (RFC 7348): Ethernet frames inside UDP. */
import { read32, write32 } from './byte-order.ts';
import { ETHERNET_HEADER } from './ethernet.ts';
import { emitFrame, type Frame, parseFrame } from './frame.ts';

/** The port Linux took before one was assigned, which flannel and Calico keep. */
export const LINUX_VXLAN_PORT = 8472;

export const VXLAN_HEADER = 8;
/** The I flag: the network identifier is valid. */
const VALID_IDENTIFIER = 0x08000000;

/** What VXLAN over IPv4 and IPv6 adds to an inner IP packet: IP, UDP, VXLAN and Ethernet headers. */
export const VXLAN_HEADROOM = { ipv4: 20 + 8 + 8 + 14, ipv6: 40 + 8 + 8 + 14 } as const;

export interface VxlanMessage {
  /** VXLAN network identifier, 24 bits. */
  readonly id: number;
  readonly frame: Frame;
}

/** The UDP payload that carries `message`. */
export function emitVxlan({ id, frame }: VxlanMessage): Uint8Array {
  const inner = emitFrame(frame);
  const out = new Uint8Array(VXLAN_HEADER + inner.length);
  write32(out, 0, VALID_IDENTIFIER);
  write32(out, 4, id << 8);
  out.set(inner, VXLAN_HEADER);
  return out;
}

/**
 * The message in a UDP payload; undefined when it is cut off, has no valid identifier, or sets bits that must be
 * zero (vxlan_rcv).
 */
export function parseVxlan(data: Uint8Array): VxlanMessage | undefined {
  if (data.length < VXLAN_HEADER + ETHERNET_HEADER) return undefined;
  const identifier = read32(data, 4);
  if (read32(data, 0) !== VALID_IDENTIFIER || (identifier & 0xff) !== 0) return undefined;
  return { id: identifier >>> 8, frame: parseFrame(data.subarray(VXLAN_HEADER)) };
}
