/**
 * The cluster's DNS server: its zone, and behind it what an upstream knows. Answers over UDP that do not fit
 * are cut off with the TC bit set; over TCP everything fits.
 */
import type { Sockets } from '../../../netstack/sockets/sockets.ts';
import type { TcpConnection } from '../../../netstack/sockets/tcp/connection.ts';
import type { TcpListener } from '../../../netstack/sockets/tcp/listener.ts';
import type { UdpSocket } from '../../../netstack/sockets/udp-socket.ts';
import type { Random } from '../../../sim/random.ts';
import { read16 } from '../../../wire/byte-order.ts';
import { familyOf, type IpAddress } from '../../../wire/ip-address.ts';
import type { ClusterZone, ZoneAnswer } from './cluster-zone.ts';
import { type DnsMessage, type DnsRecord, decodeDns, encodeDns } from './message.ts';
import { StreamReader, withLength } from './stream.ts';

/** Names outside the cluster, lower case, and their addresses: what the upstream server knows. */
export type OutsideNames = ReadonlyMap<string, readonly IpAddress[]>;

export interface DnsServerOptions {
  readonly zone: ClusterZone;
  readonly outside?: OutsideNames;
  readonly port?: number;
}

/** RFC 1035 §4.2.1: what fits without EDNS; RFC 6891 §6.2.5: what nobody may call too small. */
const PLAIN_UDP_SIZE = 512;

/** What the server says to `query`, in full. `random` shuffles the addresses, as CoreDNS's loadbalance does. */
export function answerDns(
  query: DnsMessage,
  { zone, outside }: DnsServerOptions,
  random: Random,
): DnsMessage {
  const [question] = query.questions;
  const base: DnsMessage = {
    ...query,
    response: true,
    rcode: 'NOERROR',
    authoritative: false,
    truncated: false,
    recursionAvailable: true,
    answers: [],
    authorities: [],
    additionals: [],
  };
  if (question === undefined || query.questions.length > 1) return { ...base, rcode: 'FORMERR' };
  const own = zone.lookup(question.name, question.type);
  if (own === undefined) return { ...base, ...outsideAnswer(question.name, question.type, outside) };
  const { rcode, authorities, additionals } = own;
  const answers = [...own.answers, ...aliased(own, question.type, { zone, ...(outside ? { outside } : {}) })];
  return {
    ...base,
    authoritative: true,
    rcode,
    answers: shuffled(answers, random),
    authorities,
    additionals,
  };
}

/** What the upstream says: it knows the names it was given, and that there are no others. */
function outsideAnswer(name: string, type: string, outside: OutsideNames = new Map()) {
  const addresses = outside.get(name.toLowerCase());
  if (addresses === undefined) return { rcode: 'NXDOMAIN' as const };
  return { answers: addressRecords(name, type, addresses) };
}

const OUTSIDE_TTL = 30;

function addressRecords(name: string, type: string, addresses: readonly IpAddress[]): DnsRecord[] {
  return addresses.flatMap((address): DnsRecord[] => {
    const own = familyOf(address) === 'ipv4' ? 'A' : 'AAAA';
    return type === own ? [{ type: own, name, ttl: OUTSIDE_TTL, address }] : [];
  });
}

/** The addresses of the name that an ExternalName Service stands for. */
function aliased(
  { answers }: ZoneAnswer,
  type: string,
  { zone, outside }: DnsServerOptions,
): readonly DnsRecord[] {
  const [alias] = answers;
  if (alias?.type !== 'CNAME' || (type !== 'A' && type !== 'AAAA')) return [];
  // A name inside the cluster is looked up once: it may be an alias itself, but no chain is followed further.
  const inside = zone.lookup(alias.target, type);
  if (inside !== undefined) return inside.answers;
  return addressRecords(alias.target, type, outside?.get(alias.target.toLowerCase()) ?? []);
}

/** Aliases first, addresses behind them in any order. */
function shuffled(records: readonly DnsRecord[], random: Random): DnsRecord[] {
  const isAddress = ({ type }: DnsRecord) => type === 'A' || type === 'AAAA';
  const addresses = records.filter(isAddress);
  for (let left = addresses.length - 1; left > 0; left--) {
    const other = random.below(left + 1);
    const [a, b] = [addresses[left], addresses[other]];
    if (a !== undefined && b !== undefined) [addresses[left], addresses[other]] = [b, a];
  }
  return [...records.filter((record) => !isAddress(record)), ...addresses];
}

/** The bytes of `answer` for UDP: at most `limit`, cut off at a whole record. */
export function encodeForUdp(answer: DnsMessage, limit: number): Uint8Array {
  const whole = encodeDns(answer);
  if (whole.length <= limit) return whole;
  // What is beside the answers goes first, and its absence is no truncation (RFC 2181 §9).
  const bare = { ...answer, additionals: [] };
  const withoutExtras = encodeDns(bare);
  if (withoutExtras.length <= limit) return withoutExtras;
  for (let count = answer.answers.length - 1; count >= 0; count--) {
    const cut = encodeDns({ ...bare, answers: answer.answers.slice(0, count), truncated: true });
    if (cut.length <= limit) return cut;
  }
  return encodeDns({ ...bare, answers: [], authorities: [], truncated: true });
}

export interface DnsServer {
  readonly udp: UdpSocket;
  readonly tcp: TcpListener;
}

function formatError(bytes: Uint8Array): Uint8Array {
  return encodeDns({
    id: read16(bytes, 0),
    response: true,
    rcode: 'FORMERR',
    authoritative: false,
    truncated: false,
    recursionDesired: false,
    recursionAvailable: false,
    questions: [],
    answers: [],
    authorities: [],
    additionals: [],
  });
}

/** Serves DNS over UDP and TCP. Throws SocketError when the port is taken. */
export function startDnsServer(sockets: Sockets, options: DnsServerOptions): DnsServer {
  const { port = 53 } = options;
  const { random } = sockets.network;
  const udp = sockets.udp({
    port,
    onMessage: ({ data, from, to }, socket) => {
      if (data.length < 12) return;
      const query = decodeDns(data);
      if (query?.response === true) return;
      const bytes =
        query === undefined
          ? formatError(data)
          : encodeForUdp(answerDns(query, options, random), Math.max(query.udpSize ?? 0, PLAIN_UDP_SIZE));
      socket.send(bytes, from, { from: to });
    },
  });
  const serve = (connection: TcpConnection) => {
    const reader = new StreamReader((bytes) => {
      const query = decodeDns(bytes);
      if (query === undefined || query.response) connection.close();
      else connection.send(withLength(encodeDns(answerDns(query, options, random))));
    });
    connection.callbacks = { onData: (data) => reader.feed(data), onEnd: () => connection.close() };
  };
  const tcp = sockets.listen({ port, noDelay: true, onConnection: serve });
  return { udp, tcp };
}
