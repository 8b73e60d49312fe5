/** What ping says about an ICMP error (iputils' pr_icmph and ping6's). */
import type { IpFamily } from '../../../wire/ip-address.ts';
import type { IcmpMessage } from '../../../wire/packet.ts';

const UNREACHABLE: readonly string[] = [
  'Destination Net Unreachable',
  'Destination Host Unreachable',
  'Destination Protocol Unreachable',
  'Destination Port Unreachable',
  '',
  'Source Route Failed',
  'Destination Net Unknown',
  'Destination Host Unknown',
  'Source Host Isolated',
  'Destination Net Prohibited',
  'Destination Host Prohibited',
  'Destination Net Unreachable for Type of Service',
  'Destination Host Unreachable for Type of Service',
  'Packet filtered',
  'Precedence Violation',
  'Precedence Cutoff',
];

const REDIRECT = ['Network', 'Host', 'Type of Service and Network', 'Type of Service and Host'];

function ipv4Text({ type, code, sequence }: IcmpMessage): string {
  switch (type) {
    case 3:
      if (code === 4) return `Frag needed and DF set (mtu = ${sequence})`;
      return UNREACHABLE[code] ?? `Dest Unreachable, Bad Code: ${code}`;
    case 4:
      return 'Source Quench';
    case 5:
      return `Redirect ${REDIRECT[code] ?? `, Bad Code: ${code}`}`;
    case 11:
      if (code === 0) return 'Time to live exceeded';
      return code === 1 ? 'Frag reassembly time exceeded' : `Time exceeded, Bad Code: ${code}`;
    case 12:
      return 'Parameter problem: pointer = 0';
    default:
      return `Bad ICMP type: ${type}`;
  }
}

const UNREACHABLE_V6: readonly string[] = [
  'No route',
  'Administratively prohibited',
  'Beyond scope of source address',
  'Address unreachable',
  'Port unreachable',
];

function ipv6Text({ type, code, id, sequence }: IcmpMessage): string {
  switch (type) {
    case 1:
      return `Destination unreachable: ${UNREACHABLE_V6[code] ?? `Unknown code ${code}`}`;
    case 2:
      return `Packet too big: mtu=${id * 0x10000 + sequence}`;
    case 3:
      if (code === 0) return 'Time exceeded: Hop limit';
      return code === 1 ? 'Time exceeded: Defragmentation failure' : `Time exceeded: code ${code}`;
    case 4: {
      const what = ['Wrong header field ', 'Unknown header ', 'Unknown option '][code] ?? `code ${code} `;
      return `Parameter problem: ${what}at ${id * 0x10000 + sequence}`;
    }
    default:
      return `unknown icmp type: ${type}`;
  }
}

/** The words behind `icmp_seq=N `. */
export function errorText(message: IcmpMessage, family: IpFamily): string {
  return family === 'ipv4' ? ipv4Text(message) : ipv6Text(message);
}
