/** Packets and fates of the tables of this folder as short texts. */
import { decodePackets, type PacketLine } from '../../src/cluster/single-host/packet-lines.ts';
import type { EvalResult, PacketJson } from '../../src/cluster/single-host/result.ts';

const PACKET = /^(\S+) (tcp|udp|icmp|ipip) (\S+?)(?::(\d+))? > (\S+?)(?::(\d+))?$/;

function bare(address: string | undefined): string {
  return (address ?? '').replace(/^\[|\]$/g, '');
}

/**
 * `DEVICE PROTO SRC[:PORT] > DST[:PORT]`: a first packet of a flow; `local` is made on the host. IPv6 addresses
 * with a port stand in brackets.
 */
export function packetLine(text: string, id: number): PacketLine {
  const [, device = '', proto = '', src, sport, dst, dport] = PACKET.exec(text) ?? [];
  const packet = {
    id,
    ...(device === 'local' ? {} : { in: device }),
    src: bare(src),
    dst: bare(dst),
    proto: proto === 'ipip' ? 4 : proto,
    ...(proto === 'icmp' ? { icmpId: 7 } : {}),
    ...(sport === undefined ? {} : { sport: Number(sport) }),
    ...(dport === undefined ? {} : { dport: Number(dport) }),
  };
  const [line] = decodePackets(JSON.stringify(packet), text);
  if (line === undefined) throw new Error(`no packet in '${text}'`);
  return line;
}

function end(address: string, port: PacketJson['sport']): string {
  if (port === undefined) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/**
 * `forwarded DEVICE SRC > DST`, `sent DEVICE SRC > DST`, `delivered SRC > DST`, `rejected RESPONSE via DEVICE`,
 * `dropped REASON`, `unknown REASON`. A port that was drawn at random is `random`.
 */
export function fateText(result: EvalResult): string {
  const [only] = result.outcomes ?? [];
  const { verdict, out, packet, response, via, reason } =
    result.outcomes?.length === 1 && only !== undefined ? only : result;
  if (verdict === 'rejected') return `rejected ${response} via ${via}`;
  if (packet === undefined) return `${verdict} ${reason}`;
  const ends = `${end(packet.src, packet.sport)} > ${end(packet.dst, packet.dport)}`;
  return [verdict, out, ends].filter((part) => part !== undefined).join(' ');
}
