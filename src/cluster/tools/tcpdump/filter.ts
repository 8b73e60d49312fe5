/**
 * Filter expressions of tcpdump (pcap-filter(7)), as much of them as people type:
 *
 *   [not] [src|dst] [host|net|port] VALUE   tcp  udp  icmp  icmp6  arp  ip  ip6   and  or  ( )
 */
import { AddressError, type IpAddress, sameAddress, tryParseIpAddress } from '../../../wire/ip-address.ts';
import { parseIpPrefix, prefixContains } from '../../../wire/ip-prefix.ts';
import { type Packet, protocolOf } from '../../../wire/packet.ts';
import { PROTOCOL } from '../../../wire/protocol.ts';
import { servicePort } from '../services.ts';
import { ToolExit } from '../tool.ts';
import type { Captured } from './packet-text.ts';

export type CaptureFilter = (captured: Captured) => boolean;

function packetOf(captured: Captured): Packet | undefined {
  if (captured.kind === 'packet') return captured.packet;
  const { payload } = captured.frame;
  return payload.kind === 'ip' ? payload.packet : undefined;
}

/** Source and destination address: of a packet, or of an ARP message. */
function endsOf(captured: Captured): readonly [IpAddress, IpAddress] | undefined {
  if (captured.kind === 'frame' && captured.frame.payload.kind === 'arp') {
    const { senderIp, targetIp } = captured.frame.payload.message;
    return [senderIp, targetIp];
  }
  const packet = packetOf(captured);
  return packet && [packet.src, packet.dst];
}

function onPacket(matches: (packet: Packet) => boolean): CaptureFilter {
  return (captured) => {
    const packet = packetOf(captured);
    return packet !== undefined && matches(packet);
  };
}

function isProtocol(...numbers: readonly number[]): CaptureFilter {
  return onPacket((packet) => numbers.includes(protocolOf(packet)));
}

const PROTOCOLS: Readonly<Record<string, CaptureFilter>> = {
  tcp: isProtocol(PROTOCOL.tcp),
  udp: isProtocol(PROTOCOL.udp),
  sctp: isProtocol(PROTOCOL.sctp),
  icmp: isProtocol(PROTOCOL.icmp),
  icmp6: isProtocol(PROTOCOL.icmpv6),
  ip: onPacket(({ src }) => typeof src === 'number'),
  ip6: onPacket(({ src }) => typeof src !== 'number'),
  arp: (captured) => captured.kind === 'frame' && captured.frame.payload.kind === 'arp',
};

type Way = 'src' | 'dst' | 'either';

function byWay<T>(way: Way, [source, destination]: readonly [T, T], matches: (value: T) => boolean): boolean {
  if (way === 'src') return matches(source);
  if (way === 'dst') return matches(destination);
  return matches(source) || matches(destination);
}

function addressFilter(way: Way, matches: (address: IpAddress) => boolean): CaptureFilter {
  return (captured) => {
    const ends = endsOf(captured);
    return ends !== undefined && byWay(way, ends, matches);
  };
}

function portFilter(way: Way, matches: (port: number) => boolean): CaptureFilter {
  return onPacket(({ transport }) =>
    'sport' in transport ? byWay(way, [transport.sport, transport.dport], matches) : false,
  );
}

function syntaxError(): ToolExit {
  return new ToolExit(1, "tcpdump: can't parse filter expression: syntax error");
}

class FilterParser {
  readonly #words: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#words = text.match(/[()!]|&&|\|\||[^\s()!]+/g) ?? [];
  }

  parse(): CaptureFilter {
    if (this.#words.length === 0) return () => true;
    const filter = this.#or();
    if (this.#at < this.#words.length) throw syntaxError();
    return filter;
  }

  #take(...expected: readonly string[]): string | undefined {
    const word = this.#words[this.#at];
    if (word === undefined || !expected.includes(word)) return undefined;
    this.#at++;
    return word;
  }

  #or(): CaptureFilter {
    let left = this.#and();
    while (this.#take('or', '||') !== undefined) {
      const [a, b] = [left, this.#and()];
      left = (captured) => a(captured) || b(captured);
    }
    return left;
  }

  #and(): CaptureFilter {
    let left = this.#unary();
    while (this.#take('and', '&&') !== undefined) {
      const [a, b] = [left, this.#unary()];
      left = (captured) => a(captured) && b(captured);
    }
    return left;
  }

  #unary(): CaptureFilter {
    if (this.#take('not', '!') !== undefined) {
      const inner = this.#unary();
      return (captured) => !inner(captured);
    }
    if (this.#take('(') === undefined) return this.#primitive();
    const inner = this.#or();
    if (this.#take(')') === undefined) throw syntaxError();
    return inner;
  }

  #primitive(): CaptureFilter {
    const word = this.#take(...Object.keys(PROTOCOLS));
    const protocol = word === undefined ? undefined : PROTOCOLS[word];
    const qualified = ['src', 'dst', 'host', 'net', 'port', 'portrange'].includes(
      this.#words[this.#at] ?? '',
    );
    if (protocol !== undefined && !qualified) return protocol;
    const value = this.#qualified();
    return protocol === undefined ? value : (captured) => protocol(captured) && value(captured);
  }

  #qualified(): CaptureFilter {
    const way = (this.#take('src', 'dst') as Way | undefined) ?? 'either';
    const kind = this.#take('host', 'net', 'port', 'portrange') ?? 'host';
    const value = this.#words[this.#at++];
    if (value === undefined) throw syntaxError();
    if (kind === 'port') {
      const port = portNamed(value);
      return portFilter(way, (each) => each === port);
    }
    if (kind === 'portrange') {
      const [first = 0, last = first] = value.split('-').map(portNamed);
      return portFilter(way, (each) => each >= first && each <= last);
    }
    if (kind === 'net') {
      const prefix = prefixNamed(value);
      return addressFilter(way, (address) => prefixContains(prefix, address));
    }
    const host = tryParseIpAddress(value);
    if (host === undefined) throw new ToolExit(1, `tcpdump: unknown host '${value}'`);
    return addressFilter(way, (address) => sameAddress(address, host));
  }
}

function portNamed(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : (servicePort('tcp', text) ?? servicePort('udp', text));
  if (port === undefined || port > 65_535) throw new ToolExit(1, `tcpdump: unknown port '${text}'`);
  return port;
}

function prefixNamed(text: string) {
  try {
    return parseIpPrefix(text);
  } catch (error) {
    if (error instanceof AddressError) throw new ToolExit(1, `tcpdump: ${error.message}`);
    throw error;
  }
}

/** Reads a filter expression. Throws ToolExit for what it does not understand. */
export function parseFilter(text: string): CaptureFilter {
  return new FilterParser(text).parse();
}
