/** VXLAN (RFC 7348) inside UDP as tcpdump prints it: on Linux' own port it takes it for OTV. */
import { read16 } from '../../../wire/byte-order.ts';
import { type Frame, parseFrame } from '../../../wire/frame.ts';
import type { UdpDatagram } from '../../../wire/packet.ts';
import { WireError } from '../../../wire/wire-error.ts';

const VXLAN_PORT = 4789;
const OTV_PORT = 8472;
const HEADER = 8;
const VNI_VALID = 0x08;

/** The text of a datagram to a tunnel port, the inner frame by `print`; undefined for other ports. */
export function vxlanText({ dport, data }: UdpDatagram, print: (frame: Frame) => string): string | undefined {
  if (dport !== VXLAN_PORT && dport !== OTV_PORT) return undefined;
  if (data.length < HEADER) return dport === OTV_PORT ? '[|OTV]' : '[|vxlan]';
  const flags = data[0] ?? 0;
  const vni = (read16(data, 4) << 8) | (data[6] ?? 0);
  const letters = flags & VNI_VALID ? 'I' : '.';
  const overlay = (read16(data, 1) << 8) | (data[3] ?? 0);
  const hex = flags.toString(16).padStart(2, '0');
  const head =
    dport === OTV_PORT
      ? `OTV, flags [${letters}] (0x${hex}), overlay ${overlay}, instance ${vni}\n`
      : `VXLAN, flags [${letters}] (0x${hex}), vni ${vni}\n`;
  try {
    return `${head}${print(parseFrame(data.subarray(HEADER)))}`;
  } catch (error) {
    if (error instanceof WireError) return `${head}[|ether]`;
    throw error;
  }
}
