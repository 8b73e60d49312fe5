/** DNS messages as dig prints them: sections, and records in columns (BIND's dns_master_style_debug). */
import { formatIpAddress } from '../../../wire/ip-address.ts';
import type { DnsMessage, DnsRecord } from '../../apps/dns/message.ts';

const TAB = 8;
/** Where time to live, class, type and data begin. */
const COLUMNS = { ttl: 24, class: 32, type: 40, data: 48 } as const;

/** Moves a line on to `column`, by tabs and blanks, at least one of either. */
class Line {
  text = '';
  #column = 0;

  add(text: string): this {
    this.text += text;
    this.#column += text.length;
    return this;
  }

  to(column: number): this {
    const target = Math.max(column, this.#column + 1);
    const tabs = Math.floor(target / TAB) - Math.floor(this.#column / TAB);
    if (tabs > 0) {
      this.text += '\t'.repeat(tabs);
      this.#column = Math.floor(target / TAB) * TAB;
    }
    this.text += ' '.repeat(target - this.#column);
    this.#column = target;
    return this;
  }
}

function fullName(name: string): string {
  return name === '' || name === '.' ? '.' : `${name}.`;
}

/** What a record says. */
export function recordData(record: DnsRecord): string {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return formatIpAddress(record.address);
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return fullName(record.target);
    case 'SRV':
      return `${record.priority} ${record.weight} ${record.port} ${fullName(record.target)}`;
    case 'SOA': {
      const { primary, mailbox, serial, refresh, retry, expire, minimum } = record;
      return `${fullName(primary)} ${fullName(mailbox)} ${serial} ${refresh} ${retry} ${expire} ${minimum}`;
    }
    case 'TXT':
      return JSON.stringify(record.text);
  }
}

function recordLine(record: DnsRecord): string {
  return new Line()
    .add(fullName(record.name))
    .to(COLUMNS.ttl)
    .add(String(record.ttl))
    .to(COLUMNS.class)
    .add('IN')
    .to(COLUMNS.type)
    .add(record.type)
    .to(COLUMNS.data)
    .add(recordData(record)).text;
}

function questionLine(name: string, type: string): string {
  const line = new Line().add(fullName(name)).to(COLUMNS.class).add('IN').to(COLUMNS.type).add(type);
  // The mark in front is in no column.
  return `;${line.text}`;
}

/** Which parts are printed (`+noall +answer` and their like). */
export interface DigParts {
  readonly comments: boolean;
  readonly question: boolean;
  readonly answer: boolean;
  readonly authority: boolean;
  readonly additional: boolean;
  readonly statistics: boolean;
}

function headText(message: DnsMessage): string {
  const { id, rcode, response, authoritative, truncated, recursionDesired, recursionAvailable } = message;
  const flags = [
    response ? 'qr' : '',
    authoritative ? 'aa' : '',
    truncated ? 'tc' : '',
    recursionDesired ? 'rd' : '',
    recursionAvailable ? 'ra' : '',
  ].filter((flag) => flag !== '');
  const additional = message.additionals.length + (message.udpSize === undefined ? 0 : 1);
  const [question] = message.questions;
  const mdns = question !== undefined && /(^|\.)local$/i.test(question.name);
  return [
    ';; Got answer:',
    ...(mdns
      ? [
          ';; WARNING: .local is reserved for Multicast DNS',
          ';; You are currently testing what happens when an mDNS query is leaked to DNS',
        ]
      : []),
    `;; ->>HEADER<<- opcode: QUERY, status: ${rcode}, id: ${id}`,
    `;; flags:${flags.map((flag) => ` ${flag}`).join('')}; QUERY: ${message.questions.length}, ANSWER: ${message.answers.length}, AUTHORITY: ${message.authorities.length}, ADDITIONAL: ${additional}`,
    ...(recursionDesired && !recursionAvailable ? [';; WARNING: recursion requested but not available'] : []),
    '',
    '',
  ].join('\n');
}

function section(title: string, lines: readonly string[], comments: boolean): string {
  if (lines.length === 0) return '';
  const body = lines.map((line) => `${line}\n`).join('');
  return comments ? `;; ${title} SECTION:\n${body}\n` : body;
}

/** The answer, as far as `parts` ask for it. */
export function messageText(message: DnsMessage, parts: DigParts): string {
  const { comments } = parts;
  const edns =
    message.udpSize === undefined
      ? ''
      : `;; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: ${message.udpSize}\n`;
  const questions = message.questions.map(({ name, type }) => questionLine(name, type));
  return [
    comments ? headText(message) : '',
    comments ? edns : '',
    parts.question ? section('QUESTION', questions, comments) : '',
    parts.answer ? section('ANSWER', message.answers.map(recordLine), comments) : '',
    parts.authority ? section('AUTHORITY', message.authorities.map(recordLine), comments) : '',
    parts.additional ? section('ADDITIONAL', message.additionals.map(recordLine), comments) : '',
  ].join('');
}
