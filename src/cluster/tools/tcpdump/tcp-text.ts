/**
 * TCP segments as tcpdump prints them. Sequence numbers are relative to the first packet of a connection
 * that carries an ACK, and so is remembered per connection.
 */
import { read16, read32 } from '../../../wire/byte-order.ts';
import { compareAddress, formatIpAddress } from '../../../wire/ip-address.ts';
import type { Packet, TcpSegment } from '../../../wire/packet.ts';
import { TCP_FLAG } from '../../../wire/protocol.ts';
import { dnsText } from './dns-text.ts';
import { httpText } from './http-text.ts';

/** FIN SYN RST PSH ACK URG ECE CWR, in the order of their bits. */
const FLAG_LETTERS = ['F', 'S', 'R', 'P', '.', 'U', 'E', 'W'] as const;

/** Where a connection's numbers began: of the end that sorts first, and of the other. */
interface Begin {
  readonly seq: number;
  readonly ack: number;
}

export class TcpConversations {
  readonly #begins = new Map<string, Begin>();

  /** The begin of the segment's connection, noted when it is new; `reversed`: its sender sorts second. */
  of(packet: Packet, segment: TcpSegment): Begin & { readonly reversed: boolean; readonly isNew: boolean } {
    const { src, dst } = packet;
    const { sport, dport, seq, ack, flags } = segment;
    const reversed = sport === dport ? compareAddress(src, dst) > 0 : sport > dport;
    const ends = [`${formatIpAddress(src)} ${sport}`, `${formatIpAddress(dst)} ${dport}`];
    const key = (reversed ? ends.reverse() : ends).join(' ');
    const known = this.#begins.get(key);
    if (known !== undefined && (flags & TCP_FLAG.SYN) === 0) return { ...known, reversed, isNew: false };
    const begin = reversed ? { seq: ack - 1, ack: seq } : { seq, ack: ack - 1 };
    this.#begins.set(key, begin);
    return { ...begin, reversed, isNew: true };
  }
}

const OPTION_NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'eol'],
  [1, 'nop'],
  [2, 'mss'],
  [3, 'wscale'],
  [4, 'sackOK'],
  [5, 'sack'],
  [6, 'echo'],
  [7, 'echoreply'],
  [8, 'TS'],
  [11, 'cc'],
  [12, 'ccnew'],
  [13, 'ccecho'],
  [19, 'md5'],
  [20, 'scps'],
  [28, 'uto'],
  [29, 'tcp-ao'],
  [30, 'mptcp'],
  [34, 'tfo'],
  [254, 'exp'],
]);

const EOL = 0;
const NOP = 1;

/** What stands behind an option's name; undefined for kinds whose bytes are shown as they are. */
function knownOption(kind: number, value: Uint8Array, base: number): string | undefined {
  switch (kind) {
    case 2:
      return value.length === 2 ? ` ${read16(value, 0)}` : undefined;
    case 3:
      return value.length === 1 ? ` ${value[0]}` : undefined;
    case 4:
      return value.length === 0 ? '' : undefined;
    case 5: {
      if (value.length % 8 !== 0) return ' invalid sack';
      const blocks = Array.from({ length: value.length / 8 }, (_, index) => {
        const edge = (at: number) => (read32(value, index * 8 + at) - base) >>> 0;
        return `{${edge(0)}:${edge(4)}}`;
      });
      return ` ${value.length / 8} ${blocks.join('')}`;
    }
    case 8:
      return value.length === 8 ? ` val ${read32(value, 0)} ecr ${read32(value, 4)}` : undefined;
    default:
      return undefined;
  }
}

function hexBytes(value: Uint8Array): string {
  const digits = Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return digits === '' ? '' : ` 0x${digits}`;
}

function optionsText(options: Uint8Array, base: number): string {
  const texts: string[] = [];
  let at = 0;
  while (at < options.length) {
    const kind = options[at] ?? EOL;
    const name = OPTION_NAMES.get(kind) ?? `unknown-${kind}`;
    if (kind === EOL || kind === NOP) {
      texts.push(name);
      at++;
      if (kind === EOL) break;
      continue;
    }
    const length = options[at + 1] ?? 0;
    if (length < 2 || at + length > options.length)
      return `${texts.map((text) => `${text},`).join('')}[bad opt]`;
    const value = options.subarray(at + 2, at + length);
    texts.push(`${name}${knownOption(kind, value, base) ?? hexBytes(value)}`);
    at += length;
  }
  return texts.join(',');
}

/** Ports whose payload tcpdump shows. */
const HTTP_PORTS: ReadonlySet<number> = new Set([80, 3128, 8080]);
const DNS_PORT = 53;

function payloadText({ sport, dport, data }: TcpSegment): string {
  if (HTTP_PORTS.has(sport) || HTTP_PORTS.has(dport)) return `: ${httpText(data)}`;
  // DNS over TCP has its length in front (RFC 1035 §4.2.2).
  if ((sport === DNS_PORT || dport === DNS_PORT) && data.length > 2) return ` ${dnsText(data.subarray(2))}`;
  return '';
}

/** Everything behind the addresses. */
export function tcpText(packet: Packet, segment: TcpSegment, conversations: TcpConversations): string {
  const { flags, window, options, data } = segment;
  const letters = FLAG_LETTERS.filter((_, bit) => flags & (1 << bit)).join('') || 'none';
  let { seq, ack } = segment;
  let base = 0;
  if (flags & TCP_FLAG.ACK) {
    const begin = conversations.of(packet, segment);
    base = begin.reversed ? begin.seq : begin.ack;
    if (!begin.isNew) {
      seq -= begin.reversed ? begin.ack : begin.seq;
      ack -= base;
    }
  }
  const from = seq >>> 0;
  const shown = data.length > 0 || (flags & (TCP_FLAG.SYN | TCP_FLAG.FIN | TCP_FLAG.RST)) !== 0;
  const range = data.length > 0 ? `${from}:${(from + data.length) >>> 0}` : `${from}`;
  return [
    `Flags [${letters}]`,
    shown ? `, seq ${range}` : '',
    flags & TCP_FLAG.ACK ? `, ack ${ack >>> 0}` : '',
    `, win ${window}`,
    // The emulator keeps no urgent pointer.
    flags & TCP_FLAG.URG ? ', urg 0' : '',
    options.length === 0 ? '' : `, options [${optionsText(options, base)}]`,
    `, length ${data.length}`,
    data.length === 0 ? '' : payloadText(segment),
  ].join('');
}
