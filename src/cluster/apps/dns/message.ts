/**
 * DNS messages as values, and as bytes by way of dns-packet. Names are text without the final dot; the case
 * in which they were asked for is kept.
 */
import dnsPacket from 'dns-packet';
import { formatIpAddress, type IpAddress, tryParseIpAddress } from '../../../wire/ip-address.ts';

export type RecordType = 'A' | 'AAAA' | 'CNAME' | 'NS' | 'PTR' | 'SOA' | 'SRV' | 'TXT';
/** What may be asked for; others than the record types have no answers here. */
export type QuestionType = string;
export type ResponseCode = 'NOERROR' | 'FORMERR' | 'SERVFAIL' | 'NXDOMAIN' | 'NOTIMP' | 'REFUSED';

interface RecordHead {
  readonly name: string;
  /** Seconds. */
  readonly ttl: number;
}

export interface AddressRecord extends RecordHead {
  readonly type: 'A' | 'AAAA';
  readonly address: IpAddress;
}

export interface NameRecord extends RecordHead {
  readonly type: 'CNAME' | 'NS' | 'PTR';
  readonly target: string;
}

export interface SrvRecord extends RecordHead {
  readonly type: 'SRV';
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

export interface SoaRecord extends RecordHead {
  readonly type: 'SOA';
  readonly primary: string;
  readonly mailbox: string;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
}

export interface TextRecord extends RecordHead {
  readonly type: 'TXT';
  readonly text: string;
}

export type DnsRecord = AddressRecord | NameRecord | SrvRecord | SoaRecord | TextRecord;

export interface DnsQuestion {
  readonly name: string;
  readonly type: QuestionType;
}

export interface DnsMessage {
  readonly id: number;
  readonly response: boolean;
  readonly rcode: ResponseCode;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly recursionDesired: boolean;
  readonly recursionAvailable: boolean;
  readonly questions: readonly DnsQuestion[];
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
  /** EDNS: the longest UDP answer the sender takes; absent without EDNS. */
  readonly udpSize?: number;
}

const RCODES: Readonly<Record<ResponseCode, number>> = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
};

function toAnswer(record: DnsRecord): dnsPacket.Answer {
  const { name, ttl } = record;
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return { type: record.type, name, ttl, data: formatIpAddress(record.address) };
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return { type: record.type, name, ttl, data: record.target };
    case 'SRV': {
      const { priority, weight, port, target } = record;
      return { type: 'SRV', name, ttl, data: { priority, weight, port, target } };
    }
    case 'SOA': {
      const { primary, mailbox, serial, refresh, retry, expire, minimum } = record;
      return {
        type: 'SOA',
        name,
        ttl,
        data: { mname: primary, rname: mailbox, serial, refresh, retry, expire, minimum },
      };
    }
    case 'TXT':
      return { type: 'TXT', name, ttl, data: record.text };
  }
}

const TEXT = new TextDecoder();

/** Undefined for types that are not kept. */
function fromAnswer(answer: dnsPacket.Answer): DnsRecord | undefined {
  if (!('name' in answer)) return undefined;
  const head = { name: answer.name, ttl: 'ttl' in answer ? (answer.ttl ?? 0) : 0 };
  switch (answer.type) {
    case 'A':
    case 'AAAA': {
      const address = tryParseIpAddress(answer.data);
      return address === undefined ? undefined : { ...head, type: answer.type, address };
    }
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return { ...head, type: answer.type, target: answer.data };
    case 'SRV': {
      const { priority = 0, weight = 0, port, target } = answer.data;
      return { ...head, type: 'SRV', priority, weight, port, target };
    }
    case 'SOA': {
      const { mname, rname, serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0 } = answer.data;
      return {
        ...head,
        type: 'SOA',
        primary: mname,
        mailbox: rname,
        serial,
        refresh,
        retry,
        expire,
        minimum,
      };
    }
    case 'TXT': {
      const parts = Array.isArray(answer.data) ? answer.data : [answer.data];
      const text = parts.map((part) => (typeof part === 'string' ? part : TEXT.decode(part))).join('');
      return { ...head, type: 'TXT', text };
    }
    default:
      return undefined;
  }
}

function questionType(type: string): dnsPacket.Question['type'] {
  // Types without a name go through as the library prints them: UNKNOWN_65.
  return type as dnsPacket.Question['type'];
}

/** The bytes of `message`. */
export function encodeDns(message: DnsMessage): Uint8Array {
  const flags =
    (message.authoritative ? dnsPacket.AUTHORITATIVE_ANSWER : 0) |
    (message.truncated ? dnsPacket.TRUNCATED_RESPONSE : 0) |
    (message.recursionDesired ? dnsPacket.RECURSION_DESIRED : 0) |
    (message.recursionAvailable ? dnsPacket.RECURSION_AVAILABLE : 0) |
    RCODES[message.rcode];
  const additionals = message.additionals.map(toAnswer);
  if (message.udpSize !== undefined) additionals.push(ednsOption(message.udpSize));
  const bytes = dnsPacket.encode({
    type: message.response ? 'response' : 'query',
    id: message.id,
    flags,
    questions: message.questions.map(({ name, type }) => ({ name, type: questionType(type), class: 'IN' })),
    answers: message.answers.map(toAnswer),
    authorities: message.authorities.map(toAnswer),
    additionals,
  });
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** RFC 6891 §6.1. */
function ednsOption(udpPayloadSize: number): dnsPacket.Answer {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
}

const isRcode = (text: string): text is ResponseCode => text in RCODES;

/** The message in `bytes`; undefined when they are none. Records of types that nobody here asks for are left out. */
export function decodeDns(bytes: Uint8Array): DnsMessage | undefined {
  try {
    const packet = dnsPacket.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    const records = (answers: readonly dnsPacket.Answer[] = []) =>
      answers.flatMap((each) => fromAnswer(each) ?? []);
    const option = packet.additionals?.find((each) => each.type === 'OPT');
    const udpSize = option !== undefined && 'udpPayloadSize' in option ? option.udpPayloadSize : undefined;
    const rcode = 'rcode' in packet ? String(packet.rcode) : 'NOERROR';
    return {
      id: packet.id ?? 0,
      response: packet.type === 'response',
      rcode: isRcode(rcode) ? rcode : 'SERVFAIL',
      authoritative: packet.flag_aa,
      truncated: packet.flag_tc,
      recursionDesired: packet.flag_rd,
      recursionAvailable: packet.flag_ra,
      questions: (packet.questions ?? []).map(({ name, type }) => ({ name, type })),
      answers: records(packet.answers),
      authorities: records(packet.authorities),
      additionals: records(packet.additionals),
      ...(udpSize === undefined ? {} : { udpSize }),
    };
  } catch {
    // The library throws whatever comes up on bytes that end too early.
    return undefined;
  }
}
