/** DNS messages (RFC 1035) as tcpdump prints them. */
import { read16, read32 } from '../../../wire/byte-order.ts';
import { formatIpAddress, ipv6 } from '../../../wire/ip-address.ts';

const HEADER = 12;

const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'A'],
  [2, 'NS'],
  [5, 'CNAME'],
  [6, 'SOA'],
  [12, 'PTR'],
  [15, 'MX'],
  [16, 'TXT'],
  [28, 'AAAA'],
  [33, 'SRV'],
  [41, 'OPT'],
  [255, 'ANY'],
]);

const OPERATIONS = ['', ' inv_q', ' stat', ' op3', ' notify', ' update'] as const;
const RESPONSES = [
  '',
  ' FormErr',
  ' ServFail',
  ' NXDomain',
  ' NotImp',
  ' Refused',
  ' YXDomain',
  ' YXRRSet',
  ' NXRRSet',
  ' NotAuth',
  ' NotZone',
] as const;

const FLAG = {
  response: 0x8000,
  authoritative: 0x400,
  truncated: 0x200,
  desired: 0x100,
  available: 0x80,
} as const;
const AUTHENTIC = 0x20;
const CHECKING_DISABLED = 0x10;
const CLASS_IN = 1;

/** A name that cannot be read: the message ends inside it, or it points in circles. */
class Cut extends Error {}

function byteAt(message: Uint8Array, at: number): number {
  const byte = message[at];
  if (byte === undefined) throw new Cut();
  return byte;
}

/** The name at `start` and where what follows it begins. */
function nameAt(message: Uint8Array, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = start;
  let end: number | undefined;
  for (let jumps = 0; ; ) {
    const length = byteAt(message, at);
    if (length === 0) break;
    if (length >= 0xc0) {
      // Compression points backwards (RFC 1035 §4.1.4).
      end ??= at + 2;
      at = ((length & 0x3f) << 8) | byteAt(message, at + 1);
      if (++jumps > message.length) throw new Cut();
      continue;
    }
    const label = message.subarray(at + 1, at + 1 + length);
    if (label.length < length) throw new Cut();
    labels.push(String.fromCharCode(...label));
    at += 1 + length;
  }
  return { name: labels.length === 0 ? '.' : `${labels.join('.')}.`, end: end ?? at + 1 };
}

function typeText(type: number): string {
  return TYPE_NAMES.get(type) ?? `Type${type}`;
}

function classText(value: number): string {
  return value === CLASS_IN ? '' : ` Class${value}`;
}

/** Character strings in quotes. */
function stringsText(bytes: Uint8Array): string {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; at += 1 + (bytes[at] ?? 0)) {
    texts.push(` "${String.fromCharCode(...bytes.subarray(at + 1, at + 1 + (bytes[at] ?? 0)))}"`);
  }
  return texts.join('');
}

function recordDataText(message: Uint8Array, type: number, start: number, length: number): string {
  switch (type) {
    case 1:
      return length === 4 ? ` ${formatIpAddress(read32(message, start))}` : '';
    case 28: {
      const word = (index: number) => read32(message, start + index * 4);
      return length === 16 ? ` ${formatIpAddress(ipv6(word(0), word(1), word(2), word(3)))}` : '';
    }
    case 2:
    case 5:
    case 12:
      return ` ${nameAt(message, start).name}`;
    case 15:
      return ` ${nameAt(message, start + 2).name} ${read16(message, start)}`;
    case 16:
      return stringsText(message.subarray(start, start + length));
    case 33: {
      const { name } = nameAt(message, start + 6);
      return ` ${name}:${read16(message, start + 4)} ${read16(message, start)} ${read16(message, start + 2)}`;
    }
    default:
      return '';
  }
}

/** One resource record: what it says, without its name and time to live. */
function recordAt(message: Uint8Array, start: number): { readonly text: string; readonly end: number } {
  const { end: fixed } = nameAt(message, start);
  byteAt(message, fixed + 9);
  const type = read16(message, fixed);
  const length = read16(message, fixed + 8);
  const dataStart = fixed + 10;
  if (dataStart + length > message.length) throw new Cut();
  const kind = `${typeText(type)}${type === 41 ? '' : classText(read16(message, fixed + 2) & 0x7fff)}`;
  return { text: ` ${kind}${recordDataText(message, type, dataStart, length)}`, end: dataStart + length };
}

function answersText(message: Uint8Array, start: number, count: number): string {
  const texts: string[] = [];
  let at = start;
  for (let index = 0; index < count; index++) {
    const record = recordAt(message, at);
    texts.push(record.text);
    at = record.end;
  }
  return texts.join(',');
}

function responseText(
  message: Uint8Array,
  flags: number,
  [questions, answers, authorities, more]: Counts,
): string {
  const head = [
    OPERATIONS[(flags >> 11) & 15] ?? ` op${(flags >> 11) & 15}`,
    RESPONSES[flags & 15] ?? ` Resp${flags & 15}`,
    flags & FLAG.authoritative ? '*' : '',
    flags & FLAG.available ? '' : '-',
    flags & FLAG.truncated ? '|' : '',
    flags & AUTHENTIC ? '$' : '',
    questions === 1 ? '' : ` [${questions}q]`,
    ` ${answers}/${authorities}/${more}`,
  ].join('');
  let at = HEADER;
  for (let index = 0; index < questions; index++) at = nameAt(message, at).end + 4;
  return `${head}${answersText(message, at, answers)}`;
}

function queryText(
  message: Uint8Array,
  flags: number,
  [questions, answers, authorities, more]: Counts,
): string {
  const head = [
    OPERATIONS[(flags >> 11) & 15] ?? ` op${(flags >> 11) & 15}`,
    flags & FLAG.desired ? '+' : '',
    flags & CHECKING_DISABLED ? '%' : '',
    answers === 0 ? '' : ` [${answers}a]`,
    questions === 1 ? '' : ` [${questions}q]`,
    authorities === 0 ? '' : ` [${authorities}n]`,
    more === 0 ? '' : ` [${more}au]`,
  ].join('');
  if (questions === 0) return head;
  const { name, end } = nameAt(message, HEADER);
  byteAt(message, end + 3);
  return `${head} ${typeText(read16(message, end))}${classText(read16(message, end + 2) & 0x7fff)}? ${name}`;
}

type Counts = readonly [questions: number, answers: number, authorities: number, more: number];

/** `12+ A? web.default.svc.cluster.local. (45)`, `12*- 1/0/0 A 10.96.0.10 (80)`. */
export function dnsText(message: Uint8Array): string {
  if (message.length < HEADER) return `[|domain]`;
  const flags = read16(message, 2);
  const counts: Counts = [read16(message, 4), read16(message, 6), read16(message, 8), read16(message, 10)];
  try {
    const text = flags & FLAG.response ? responseText : queryText;
    return `${read16(message, 0)}${text(message, flags, counts)} (${message.length})`;
  } catch (error) {
    if (error instanceof Cut) return `${read16(message, 0)} [|domain]`;
    throw error;
  }
}
