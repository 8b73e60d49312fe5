/**
 * Packets as people write them for `eval` and `verify`: one JSON object a line. In: text. Out: packets with
 * the device they come in on and the time to wait before. Refuses what does not say which packet is meant.
 */
import { type Cursor, fail, field, rootCursor } from '../../kube/decode/cursor.ts';
import { integer, optional, required, string, withDefault } from '../../kube/decode/decoders.ts';
import { refuseUnknownFields } from '../../kube/decode/strict.ts';
import { describeValue, isRecord } from '../../kube/manifest/manifest.ts';
import { SourceDocument } from '../../kube/manifest/source-document.ts';
import { InputError } from '../../sim/input-error.ts';
import { familyOf, type IpAddress, type IpFamily, tryParseIpAddress } from '../../wire/ip-address.ts';
import { NO_BYTES, type Packet, type Transport } from '../../wire/packet.ts';
import { PROTOCOL, TCP_FLAG } from '../../wire/protocol.ts';
import { sctpInitChunk } from '../../wire/sctp-init.ts';

/** What a packet's `id` may be: it is only handed back. */
export type PacketId = string | number;

export interface PacketLine {
  readonly id: PacketId;
  /** Undefined: made on the host itself. */
  readonly inDevice?: string;
  readonly packet: Packet;
  /** Seconds of virtual time before it. */
  readonly wait: number;
  readonly file: string;
  readonly line: number;
}

const HEADER_FIELDS = [
  'src',
  'dst',
  'proto',
  'sport',
  'dport',
  'flags',
  'seq',
  'ack',
  'window',
  'ttl',
  'tos',
  'payload',
];
const ICMP_FIELDS = ['type', 'code', 'icmpId', 'icmpSeq', 'quoted'];
const LINE_FIELDS = ['id', 'in', 'wait', ...HEADER_FIELDS, ...ICMP_FIELDS];

const DEFAULT_TTL = 64;
/** What Linux offers in a SYN on an Ethernet-sized path. */
const DEFAULT_WINDOW = 64_240;

const FLAG_LETTERS: Readonly<Record<string, number>> = {
  F: TCP_FLAG.FIN,
  S: TCP_FLAG.SYN,
  R: TCP_FLAG.RST,
  P: TCP_FLAG.PSH,
  A: TCP_FLAG.ACK,
  U: TCP_FLAG.URG,
  E: TCP_FLAG.ECE,
  C: TCP_FLAG.CWR,
};

const port = integer(0, 0xffff);
const octet = integer(0, 0xff);
const word = integer(0, 0xffffffff);

function address(at: Cursor): IpAddress {
  const parsed = tryParseIpAddress(string(at));
  return parsed ?? fail(at, `${describeValue(at.value)} is not an IP address`);
}

function flags(at: Cursor): number {
  let bits = 0;
  for (const letter of string(at)) {
    bits |= FLAG_LETTERS[letter] ?? fail(at, `unknown TCP flag ${letter}; expected letters of FSRPAUEC`);
  }
  return bits;
}

function seconds(at: Cursor): number {
  const { value } = at;
  if (typeof value === 'number' && value >= 0 && Number.isFinite(value)) return value;
  return fail(at, `expected seconds, not negative, found ${describeValue(value)}`);
}

function payload(at: Cursor): Uint8Array {
  return at.value === undefined ? NO_BYTES : new TextEncoder().encode(string(at));
}

/** An SCTP packet without payload begins an association. */
const SCTP_INIT = sctpInitChunk('init', 1);

/** Echo request of the family. */
const ECHO_REQUEST: Readonly<Record<IpFamily, number>> = { ipv4: 8, ipv6: 128 };

function decodeIcmp(at: Cursor, family: IpFamily): Transport {
  const quotedAt = field(at, 'quoted');
  return {
    kind: 'icmp',
    type: withDefault(octet, ECHO_REQUEST[family])(field(at, 'type')),
    code: withDefault(octet, 0)(field(at, 'code')),
    id: withDefault(port, 0)(field(at, 'icmpId')),
    sequence: withDefault(port, 0)(field(at, 'icmpSeq')),
    data: payload(field(at, 'payload')),
    ...(quotedAt.value === undefined ? {} : { quoted: decodePacket(quotedAt) }),
  };
}

function decodeTransport(at: Cursor, family: IpFamily): Transport {
  const proto = field(at, 'proto');
  const ports = () => ({
    sport: required(port)(field(at, 'sport')),
    dport: required(port)(field(at, 'dport')),
  });
  const data = payload(field(at, 'payload'));
  if (typeof proto.value === 'number') return { kind: 'opaque', protocol: octet(proto), data };
  switch (required(string)(proto)) {
    case 'tcp':
      return {
        kind: 'tcp',
        ...ports(),
        seq: withDefault(word, 0)(field(at, 'seq')),
        ack: withDefault(word, 0)(field(at, 'ack')),
        flags: withDefault(flags, TCP_FLAG.SYN)(field(at, 'flags')),
        window: withDefault(port, DEFAULT_WINDOW)(field(at, 'window')),
        options: NO_BYTES,
        data,
      };
    case 'udp':
      return { kind: 'udp', ...ports(), data };
    case 'sctp':
      return { kind: 'sctp', ...ports(), verificationTag: 0, data: data.length === 0 ? SCTP_INIT : data };
    case 'icmp':
    case 'icmpv6':
      return decodeIcmp(at, family);
    case 'esp':
      return { kind: 'opaque', protocol: PROTOCOL.esp, data };
    case 'gre':
      return { kind: 'opaque', protocol: PROTOCOL.gre, data };
    default:
      return fail(proto, `${describeValue(proto.value)} is not one of tcp, udp, icmp, sctp, or a number`);
  }
}

function decodePacket(at: Cursor): Packet {
  const src = required(address)(field(at, 'src'));
  const dst = required(address)(field(at, 'dst'));
  const family = familyOf(src);
  if (familyOf(dst) !== family) fail(field(at, 'dst'), 'src and dst are of different address families');
  return {
    src,
    dst,
    ttl: withDefault(octet, DEFAULT_TTL)(field(at, 'ttl')),
    tos: withDefault(octet, 0)(field(at, 'tos')),
    id: 0,
    dontFragment: false,
    transport: decodeTransport(at, family),
  };
}

function packetId(at: Cursor): PacketId {
  const { value } = at;
  if (typeof value === 'string' || typeof value === 'number') return value;
  return fail(at, `expected a string or a number, found ${describeValue(value)}`);
}

function parseLine(text: string, file: string, line: number): Cursor {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(`not valid JSON: ${error instanceof Error ? error.message : error}`, { file, line });
  }
  if (!isRecord(value)) {
    throw new InputError(`expected a JSON object, found ${describeValue(value)}`, { file, line });
  }
  const document = new SourceDocument(file, text, line);
  return rootCursor({ apiVersion: '', kind: 'packet', value, document, path: [], origin: { file, line } });
}

/** Reads JSON lines; empty lines and lines that begin with `#` are skipped. Throws InputError. */
export function decodePackets(text: string, file: string): PacketLine[] {
  const packets: PacketLine[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = index + 1;
    if (raw.trim() === '' || raw.startsWith('#')) continue;
    const at = parseLine(raw, file, line);
    refuseUnknownFields(at, LINE_FIELDS);
    const inDevice = optional(string)(field(at, 'in'));
    packets.push({
      id: withDefault(packetId, packets.length + 1)(field(at, 'id')),
      packet: decodePacket(at),
      wait: withDefault(seconds, 0)(field(at, 'wait')),
      file,
      line,
      ...(inDevice === undefined ? {} : { inDevice }),
    });
  }
  return packets;
}
