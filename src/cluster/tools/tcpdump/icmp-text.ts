/** ICMP and ICMPv6 messages, neighbour discovery among them, as tcpdump prints them. */
import { read32 } from '../../../wire/byte-order.ts';
import { formatIpAddress, type IpAddress, ipv6 } from '../../../wire/ip-address.ts';
import type { IcmpMessage, Packet } from '../../../wire/packet.ts';
import { protocolOf } from '../../../wire/packet.ts';
import { PROTOCOL } from '../../../wire/protocol.ts';

/** `udp port 53`: where the quoted packet was going. */
function portText(quoted: Packet): string {
  const { transport } = quoted;
  const port = 'dport' in transport ? transport.dport : 0;
  const protocol = protocolOf(quoted);
  if (protocol === PROTOCOL.tcp) return `tcp port ${port}`;
  return protocol === PROTOCOL.udp ? `udp port ${port}` : `protocol ${protocol} port ${port}`;
}

/** Codes of "destination unreachable" (RFC 792, RFC 1122, RFC 1812); `#` is the quoted destination. */
const UNREACHABLE: ReadonlyMap<number, string> = new Map([
  [0, 'net # unreachable'],
  [1, 'host # unreachable'],
  [5, '# unreachable - source route failed'],
  [6, 'net # unreachable - unknown'],
  [7, 'host # unreachable - unknown'],
  [8, '# unreachable - source isolated'],
  [9, 'net # unreachable - admin prohibited'],
  [10, 'host # unreachable - admin prohibited'],
  [11, 'net # unreachable - tos prohibited'],
  [12, 'host # unreachable - tos prohibited'],
  [13, 'host # unreachable - admin prohibited filter'],
  [14, 'host # unreachable - host precedence violation'],
  [15, 'host # unreachable - precedence cutoff'],
]);

function unreachableText({ code, sequence }: IcmpMessage, quoted: Packet): string {
  const destination = formatIpAddress(quoted.dst);
  switch (code) {
    case 2:
      return `${destination} protocol ${protocolOf(quoted)} unreachable`;
    case 3:
      return `${destination} ${portText(quoted)} unreachable`;
    case 4:
      return `${destination} unreachable - need to frag${sequence === 0 ? '' : ` (mtu ${sequence})`}`;
    default:
      return (UNREACHABLE.get(code) ?? `# unreachable - #${code}`).replace('#', () => destination);
  }
}

const REDIRECTS = ['net', 'host', 'tos-net', 'tos-host'] as const;

function redirectText(message: IcmpMessage, quoted: Packet): string {
  const gateway = formatIpAddress(((message.id << 16) | message.sequence) >>> 0);
  const destination = formatIpAddress(quoted.dst);
  const kind = REDIRECTS[message.code];
  return kind === undefined
    ? `redirect-#${message.code} ${destination} to net ${gateway}`
    : `redirect ${destination} to ${kind.replace('tos-', '')} ${gateway}`;
}

function icmpBody(message: IcmpMessage): string {
  const { type, code, id, sequence, quoted } = message;
  switch (type) {
    case 0:
      return `echo reply, id ${id}, seq ${sequence}`;
    case 8:
      return `echo request, id ${id}, seq ${sequence}`;
    case 3:
      return quoted === undefined ? 'unreachable' : unreachableText(message, quoted);
    case 4:
      return 'source quench';
    case 5:
      return quoted === undefined ? 'redirect' : redirectText(message, quoted);
    case 11:
      if (code === 0) return 'time exceeded in-transit';
      return code === 1 ? 'ip reassembly time exceeded' : `time exceeded-#${code}`;
    case 12:
      return code === 0 ? `parameter problem - octet ${id >> 8}` : `parameter problem - code ${code}`;
    case 13:
      return `time stamp query id ${id} seq ${sequence}`;
    default:
      return `type-#${type}`;
  }
}

/** Everything behind the addresses; `length` counts the ICMP header and what follows it. */
export function icmpText(message: IcmpMessage, length: number): string {
  return `ICMP ${icmpBody(message)}, length ${length}`;
}

const UNREACHABLE_V6 = [
  'unreachable route',
  // With this space in front.
  ' unreachable prohibited',
  'beyond scope',
  'unreachable address',
  'unreachable port',
] as const;

function addressIn(data: Uint8Array, at: number): IpAddress {
  const word = (index: number) => read32(data, at + index * 4);
  return ipv6(word(0), word(1), word(2), word(3));
}

function unreachableV6Text({ code }: IcmpMessage, quoted: Packet): string {
  const destination = formatIpAddress(quoted.dst);
  if (code === 4) return `destination unreachable, unreachable port, ${destination} ${portText(quoted)}`;
  const scope = code === 2 ? `, source address ${formatIpAddress(quoted.src)}` : '';
  return `destination unreachable, ${UNREACHABLE_V6[code] ?? `unknown unreach code (${code})`} ${destination}${scope}`;
}

function icmpv6Body(message: IcmpMessage): string {
  const { type, code, id, sequence, quoted, data } = message;
  const about = quoted === undefined ? '' : formatIpAddress(quoted.dst);
  switch (type) {
    case 1:
      return quoted === undefined ? 'destination unreachable' : unreachableV6Text(message, quoted);
    case 2:
      return `packet too big, mtu ${id * 0x10000 + sequence}`;
    case 3:
      return code === 0 ? `time exceeded in-transit for ${about}` : 'time exceeded in-transit (reassembly)';
    case 4: {
      const kind = ['errorneous', 'next header', 'option'][code];
      return `parameter problem, ${kind === undefined ? `code-#${code}` : `${kind} - octet ${id * 0x10000 + sequence}`}`;
    }
    case 128:
      return `echo request, id ${id}, seq ${sequence}`;
    case 129:
      return `echo reply, id ${id}, seq ${sequence}`;
    case 133:
      return 'router solicitation';
    case 134:
      return 'router advertisement';
    case 135:
      return `neighbor solicitation, who has ${formatIpAddress(addressIn(data, 0))}`;
    case 136:
      return `neighbor advertisement, tgt is ${formatIpAddress(addressIn(data, 0))}`;
    case 137:
      return `redirect, ${formatIpAddress(addressIn(data, 16))} to ${formatIpAddress(addressIn(data, 0))}`;
    case 143:
      return `multicast listener report v2, ${sequence} group record(s)`;
    default:
      return `unknown icmp6 type (${type})`;
  }
}

/** Everything behind the addresses; `length` counts the ICMPv6 header and what follows it. */
export function icmpv6Text(message: IcmpMessage, length: number): string {
  return `ICMP6, ${icmpv6Body(message)}, length ${length}`;
}
