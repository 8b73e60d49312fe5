/** Random packets that are canonical: what `parsePacket` would say of their own bytes. */
import fc from 'fast-check';
import { isIcmpError } from '../../src/wire/icmp.ts';
import { type IpAddress, type IpFamily, ipv6 } from '../../src/wire/ip-address.ts';
import { EXTENSION } from '../../src/wire/ipv6.ts';
import type { ExtensionHeader, Fragment, Packet, Transport } from '../../src/wire/packet.ts';
import { PROTOCOL } from '../../src/wire/protocol.ts';

const octet = fc.integer({ min: 0, max: 255 });
const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const bytes = (max: number) => fc.uint8Array({ maxLength: max });
const words = (minWords: number, maxWords: number) =>
  fc
    .integer({ min: minWords, max: maxWords })
    .chain((n) => fc.uint8Array({ minLength: n * 4, maxLength: n * 4 }));

export const arbitraryIpv6 = fc.tuple(uint32, uint32, uint32, uint32).map(([a, b, c, d]) => ipv6(a, b, c, d));

function arbitraryAddress(family: IpFamily): fc.Arbitrary<IpAddress> {
  return family === 'ipv4' ? uint32 : arbitraryIpv6;
}

const tcp: fc.Arbitrary<Transport> = fc.record({
  kind: fc.constant('tcp' as const),
  sport: uint16,
  dport: uint16,
  seq: uint32,
  ack: uint32,
  flags: octet,
  window: uint16,
  options: words(0, 10),
  data: bytes(60),
});
const udp: fc.Arbitrary<Transport> = fc.record({
  kind: fc.constant('udp' as const),
  sport: uint16,
  dport: uint16,
  data: bytes(60),
});
const sctp: fc.Arbitrary<Transport> = fc.record({
  kind: fc.constant('sctp' as const),
  sport: uint16,
  dport: uint16,
  verificationTag: uint32,
  data: bytes(60),
});

/** Protocols that no parser here claims, for either family; none is an IPv6 extension header. */
const foreign = fc.constantFrom<number>(PROTOCOL.igmp, PROTOCOL.gre, PROTOCOL.esp, 89, 103, 253);
const opaque: fc.Arbitrary<Transport> = fc.record({
  kind: fc.constant('opaque' as const),
  protocol: foreign,
  data: bytes(60),
});
/** Too short to be a header of the protocol it claims to be. */
const stub: fc.Arbitrary<Transport> = fc
  .constantFrom<readonly [number, number]>([PROTOCOL.tcp, 12], [PROTOCOL.udp, 7], [PROTOCOL.sctp, 11])
  .chain(([protocol, max]) => bytes(max).map((data) => ({ kind: 'opaque' as const, protocol, data })));

function icmp(family: IpFamily, depth: number): fc.Arbitrary<Transport> {
  const message = { kind: fc.constant('icmp' as const), code: octet, id: uint16, sequence: uint16 };
  const plain = fc.record({
    ...message,
    type: octet.filter((type) => !isIcmpError(family, type)),
    data: bytes(60),
  });
  if (depth === 0) return plain;
  const error = fc.record({
    ...message,
    type: octet.filter((type) => isIcmpError(family, type)),
    data: bytes(8),
    quoted: arbitraryPacket(family, depth - 1).map(asQuoted),
  });
  // Not even an IP header is quoted.
  const garbled = fc.record({
    ...message,
    type: octet.filter((type) => isIcmpError(family, type)),
    data: bytes(19),
  });
  return fc.oneof({ weight: 3, arbitrary: plain }, { weight: 2, arbitrary: error }, garbled);
}

/** A quoted packet's checksums are not judged, so it is never corrupt. */
function asQuoted(packet: Packet): Packet {
  const { corrupt: _, ...rest } = packet;
  return rest;
}

function transport(family: IpFamily, depth: number): fc.Arbitrary<Transport> {
  return fc.oneof(tcp, udp, sctp, opaque, stub, icmp(family, depth));
}

/** Extension headers whose next-header bytes say what follows them, as `emitPacket` writes them. */
function extensionHeaders(protocol: number): fc.Arbitrary<readonly ExtensionHeader[]> {
  const options = fc.integer({ min: 1, max: 3 }).chain((units) =>
    fc.uint8Array({ minLength: units * 8, maxLength: units * 8 }).map((data) => {
      data[1] = units - 1;
      return data;
    }),
  );
  const one = (next: number) => options.map((data) => ({ protocol: next, data }));
  const list = fc.oneof(
    one(EXTENSION.hopByHop).map((header) => [header]),
    one(EXTENSION.destinationOptions).map((header) => [header]),
    fc.tuple(one(EXTENSION.hopByHop), one(EXTENSION.routing), one(EXTENSION.destinationOptions)),
  );
  return list.map((headers) =>
    headers.map((header, index) => {
      const data = header.data.slice();
      data[0] = headers[index + 1]?.protocol ?? protocol;
      return { ...header, data };
    }),
  );
}

function protocolNumber(family: IpFamily, payload: Transport): number {
  if (payload.kind === 'opaque') return payload.protocol;
  if (payload.kind === 'icmp') return family === 'ipv4' ? PROTOCOL.icmp : PROTOCOL.icmpv6;
  return PROTOCOL[payload.kind];
}

/** Kinds whose payload has a checksum to spoil. */
function faults(family: IpFamily, payload: Transport): readonly NonNullable<Packet['corrupt']>[] {
  return [
    ...(family === 'ipv4' ? (['ip-checksum'] as const) : []),
    ...(payload.kind === 'opaque' ? [] : (['transport-checksum'] as const)),
  ];
}

/** A whole packet of `family`, sometimes corrupt, ICMP errors nested up to `depth` deep. */
export function arbitraryPacket(family: IpFamily, depth = 2): fc.Arbitrary<Packet> {
  return transport(family, depth).chain((payload) => {
    const fault = fc.option(fc.constantFrom(...faults(family, payload), undefined), { nil: undefined });
    const extensions =
      family === 'ipv6' ? extensionHeaders(protocolNumber(family, payload)) : fc.constant([]);
    return fc
      .record({
        src: arbitraryAddress(family),
        dst: arbitraryAddress(family),
        ttl: octet,
        tos: octet,
        id: family === 'ipv4' ? uint16 : fc.constant(0),
        dontFragment: family === 'ipv4' ? fc.boolean() : fc.constant(false),
        options: family === 'ipv4' ? fc.option(words(1, 10)) : fc.constant(null),
        extensions: fc.option(extensions),
        fault,
      })
      .map(({ options, extensions: list, fault: corrupt, ...fields }) => ({
        ...fields,
        ...(options === null ? {} : { ipOptions: options }),
        ...(list === null || list.length === 0 ? {} : { extensions: list }),
        transport: payload,
        ...(corrupt === undefined ? {} : { corrupt }),
      }));
  });
}

/** A later fragment: its payload is the middle of something. */
export function arbitraryLaterFragment(family: IpFamily): fc.Arbitrary<Packet> {
  const fragment: fc.Arbitrary<Fragment> = fc.record({
    offset: fc.integer({ min: 1, max: 8191 }).map((units) => units * 8),
    more: fc.boolean(),
  });
  return fc.record({
    src: arbitraryAddress(family),
    dst: arbitraryAddress(family),
    ttl: octet,
    tos: octet,
    id: family === 'ipv4' ? uint16 : uint32,
    dontFragment: fc.constant(false),
    fragment,
    transport: fc.record({
      kind: fc.constant('opaque' as const),
      protocol: fc.constantFrom<number>(PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.icmp, PROTOCOL.icmpv6),
      data: bytes(64),
    }),
  });
}
