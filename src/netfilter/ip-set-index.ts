/** Sets ready to be asked: elements by a hash of their parts, one probe for each combination of prefix lengths. */
import {
  addressBits,
  familyOf,
  hashAddress,
  type IpAddress,
  maskAddress,
  sameAddress,
} from '../wire/ip-address.ts';
import { prefixMask } from '../wire/ip-prefix.ts';
import { PROTOCOL } from '../wire/protocol.ts';
import type { IpSet, IpSetElement, IpSetPart, IpSetPartName, IpSetQuestion } from './ip-set.ts';

type Tester = (question: IpSetQuestion) => boolean;

/** Prefix lengths of the net dimensions, in order; one probe each. */
type Lengths = readonly number[];

const TESTERS = new WeakMap<IpSet, Tester>();

/** The tester of `set`, built on first use. Elements are looked up by hash, not scanned. */
export function compileIpSet(set: IpSet): Tester {
  let tester = TESTERS.get(set);
  if (tester === undefined) {
    tester = buildTester(set);
    TESTERS.set(set, tester);
  }
  return tester;
}

/** The parts of a packet, in the set's dimensions; undefined when the packet lacks one. */
type Key = readonly IpSetPart[];

function buildTester(set: IpSet): Tester {
  const byHash = new Map<number, IpSetElement[]>();
  const seen = new Map<string, Lengths>();
  for (const element of set.elements) {
    const lengths = netLengths(element.parts);
    seen.set(lengths.join(), lengths);
    const hash = hashParts(element.parts);
    const bucket = byHash.get(hash);
    if (bucket === undefined) byHash.set(hash, [element]);
    else bucket.push(element);
  }
  // Longest first, the first net dimension counting most: the order in which mtype_test_cidrs walks.
  const probes = [...seen.values()].sort((a, b) => compareLengths(b, a));
  const withDevice = set.parts.includes('iface');
  return (question) => {
    const key = packetKey(set, question);
    if (key === undefined) return false;
    for (const lengths of probes) {
      const wanted = cutNets(key, lengths);
      const bucket = byHash.get(hashParts(wanted)) ?? [];
      const found = findElement(bucket, wanted, question.elapsed ?? 0);
      if (found !== undefined) return !found.nomatch;
      // The same network with another device ends the search (hash_netiface4_data_equal, `multi`).
      if (withDevice && bucket.some((element) => sameNets(element.parts, wanted))) return false;
    }
    return false;
  };
}

function compareLengths(a: Lengths, b: Lengths): number {
  for (const [index, length] of a.entries()) {
    const difference = length - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function netLengths(parts: readonly IpSetPart[]): Lengths {
  return parts.flatMap((part) => (part.kind === 'net' ? [part.length] : []));
}

/** The key with its addresses cut to the probe's prefix lengths. */
function cutNets(key: Key, lengths: Lengths): Key {
  let next = 0;
  return key.map((part) => {
    if (part.kind !== 'net') return part;
    const length = lengths[next++] ?? part.length;
    return { kind: 'net', address: maskAddress(part.address, prefixMask(part.address, length)), length };
  });
}

function findElement(
  bucket: readonly IpSetElement[],
  wanted: Key,
  elapsed: number,
): IpSetElement | undefined {
  return bucket.find(
    (element) =>
      (element.timeout === undefined || element.timeout > elapsed) &&
      element.parts.every((part, index) => samePart(part, wanted[index])),
  );
}

function sameNets(parts: readonly IpSetPart[], wanted: Key): boolean {
  return parts.every((part, index) => part.kind !== 'net' || samePart(part, wanted[index]));
}

function hashParts(parts: readonly IpSetPart[]): number {
  let hash = 0;
  for (const part of parts) hash = (Math.imul(hash, 31) + hashPart(part)) | 0;
  return hash;
}

/** Device names do not count: a wildcard element must be found by other names. */
function hashPart(part: IpSetPart): number {
  switch (part.kind) {
    case 'ip':
      return hashAddress(part.address);
    case 'net':
      return hashAddress(part.address) + part.length;
    case 'port':
      return part.port;
    case 'mark':
      return part.value | 0;
    default:
      return 0;
  }
}

function samePart(part: IpSetPart, wanted: IpSetPart | undefined): boolean {
  if (wanted === undefined) return false;
  switch (part.kind) {
    case 'ip':
      return wanted.kind === 'ip' && sameAddress(part.address, wanted.address);
    case 'net':
      return (
        wanted.kind === 'net' && part.length === wanted.length && sameAddress(part.address, wanted.address)
      );
    case 'port':
      return wanted.kind === 'port' && part.port === wanted.port && part.protocol === wanted.protocol;
    case 'mark':
      return wanted.kind === 'mark' && part.value === wanted.value;
    case 'iface':
      if (wanted.kind !== 'iface' || part.physdev !== wanted.physdev) return false;
      return part.wildcard ? wanted.ifname.startsWith(part.ifname) : wanted.ifname === part.ifname;
    default:
      return false;
  }
}

/** The packet's part for each dimension; undefined when it lacks one. */
function packetKey(set: IpSet, question: IpSetQuestion): Key | undefined {
  const key: IpSetPart[] = [];
  for (const [index, name] of set.parts.entries()) {
    const [part] = packetParts(set, name, question, index);
    if (part === undefined) return undefined;
    key.push(part);
  }
  return key;
}

/** The packet's part for the dimension `index`, which is called `name`; none when it has none. */
function packetParts(
  set: IpSet,
  name: IpSetPartName,
  { packet, directions }: IpSetQuestion,
  index: number,
): readonly IpSetPart[] {
  const fromSource = directions[index] === 'src';
  const address = fromSource ? packet.source : packet.destination;
  switch (name) {
    case 'ip':
      return [{ kind: 'ip', address: cutAddress(set, address) }];
    case 'net':
      return [{ kind: 'net', address: cutAddress(set, address), length: addressBits(familyOf(address)) }];
    case 'port':
      return portParts(set, fromSource, packet);
    case 'mark':
      return [{ kind: 'mark', value: (packet.mark & (set.markMask ?? 0xffffffff)) >>> 0 }];
    case 'iface':
      return deviceParts(fromSource, packet);
    default:
      return [];
  }
}

function cutAddress(set: IpSet, address: IpAddress): IpAddress {
  return set.mask === undefined ? address : maskAddress(address, set.mask);
}

const WITH_PORTS: ReadonlySet<number> = new Set([
  PROTOCOL.tcp,
  PROTOCOL.udp,
  PROTOCOL.sctp,
  PROTOCOL.udplite,
]);
/** bitmap:port knows no others (ip_set_getport.c, ip_set_get_ip_port). */
const BITMAP_PORTS: ReadonlySet<number> = new Set([PROTOCOL.tcp, PROTOCOL.udp]);

function portParts(set: IpSet, fromSource: boolean, packet: IpSetQuestion['packet']): readonly IpSetPart[] {
  const { protocol } = packet;
  if (set.method === 'bitmap') {
    const port = BITMAP_PORTS.has(protocol) ? (fromSource ? packet.sport : packet.dport) : undefined;
    return port === undefined ? [] : [{ kind: 'port', port }];
  }
  let port: number | undefined = 0;
  if (WITH_PORTS.has(protocol)) port = fromSource ? packet.sport : packet.dport;
  else if (protocol === PROTOCOL.icmp || protocol === PROTOCOL.icmpv6) {
    port = packet.icmpType === undefined ? undefined : packet.icmpType * 256 + (packet.icmpCode ?? 0);
  }
  return port === undefined ? [] : [{ kind: 'port', protocol, port }];
}

/** Never the bridge port: `-m set` has no way to ask for it, so `physdev:` elements are not found by rules. */
function deviceParts(fromSource: boolean, packet: IpSetQuestion['packet']): readonly IpSetPart[] {
  const ifname = fromSource ? packet.inDevice : packet.outDevice;
  return ifname === undefined ? [] : [{ kind: 'iface', ifname, physdev: false, wildcard: false }];
}
