/** Packets of captures in an emulated cluster: what became of each flow, and the capture that tells why. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadCluster } from '../../src/cluster/load.ts';
import type { Outcome } from '../../src/cluster/replay/packet-outcome.ts';
import { replay } from '../../src/cluster/replay/replay.ts';
import { type ReplayPacket, replayPackets } from '../../src/cluster/replay/replay-packets.ts';
import { parsePlace } from '../../src/cluster/replay/replay-place.ts';
import type { CapturedPacket } from '../../src/wire/capture-file.ts';
import { emitFrame } from '../../src/wire/frame.ts';
import { emitPacket, parsePacket } from '../../src/wire/headers.ts';
import { parseIpAddress } from '../../src/wire/ip-address.ts';
import { NO_BYTES, type Packet, type Transport } from '../../src/wire/packet.ts';
import { LINKTYPE, readPcap } from '../../src/wire/pcap.ts';
import { readPcapng } from '../../src/wire/pcapng-read.ts';
import { arbitraryPacket } from '../wire/arbitrary-packet.ts';

const FILE = join(import.meta.dirname, '../../topologies/three-nodes.yaml');
const cluster = (more = '') =>
  loadCluster([
    { file: FILE, text: readFileSync(FILE, 'utf8') },
    ...(more === '' ? [] : [{ file: 'more.yaml', text: more }]),
  ]);

const CLIENT = '10.244.1.2';
const SERVICE = '10.96.0.10';

function packet(src: string, dst: string, transport: Transport): Packet {
  return {
    src: parseIpAddress(src),
    dst: parseIpAddress(dst),
    ttl: 64,
    tos: 0,
    id: 1,
    dontFragment: true,
    transport,
  };
}

const tcp = (sport: number, dport: number, flags = 2): Transport => ({
  kind: 'tcp',
  sport,
  dport,
  seq: 1000,
  ack: 0,
  flags,
  window: 64_240,
  options: NO_BYTES,
  data: NO_BYTES,
});
const echo: Transport = { kind: 'icmp', type: 8, code: 0, id: 7, sequence: 1, data: new Uint8Array(8) };

const send = (...packets: readonly Packet[]): ReplayPacket[] =>
  packets.map((each, index) => ({ frame: index + 1, time: index, packet: each }));

function play(at: string, packets: readonly ReplayPacket[], more = '', capture = false) {
  return replay(cluster(more), packets, { at: parsePlace(at), seed: 1, capture });
}

const POD = 'pod/default/client:eth0';
const NODE = 'node/demo-worker:eth0';

interface Expected {
  readonly kind: Outcome['kind'];
  /** A part of the host's label. */
  readonly host: string;
  readonly detail?: string;
  readonly nat?: readonly ('source' | 'destination')[];
  readonly answered: boolean;
}

const DENY = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: default}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}
`;

const situations: readonly (readonly [string, string, Packet, Expected])[] = [
  [
    'a Service from a pod: DNAT, delivered, answered',
    POD,
    packet(CLIENT, SERVICE, tcp(40_000, 80)),
    { kind: 'delivered', host: 'pod/default/web-', nat: ['destination'], answered: true },
  ],
  [
    'a closed port of a pod: its reset is an answer',
    POD,
    packet(CLIENT, '10.244.2.2', tcp(40_001, 81)),
    { kind: 'delivered', host: 'pod/default/web-', nat: [], answered: true },
  ],
  [
    'an address nobody has',
    POD,
    packet(CLIENT, '10.244.1.99', tcp(40_002, 80)),
    { kind: 'rejected', host: 'node/demo-worker', detail: 'icmp-3-1', answered: false },
  ],
  [
    'a ping of a node',
    POD,
    packet(CLIENT, '172.18.0.3', echo),
    { kind: 'delivered', host: 'node/demo-worker', nat: [], answered: true },
  ],
  [
    'a NodePort from outside: DNAT and SNAT, answered by way of the router',
    NODE,
    packet('203.0.113.77', '172.18.0.3', tcp(5000, 30_080)),
    { kind: 'delivered', host: 'pod/default/web-', nat: ['destination', 'source'], answered: true },
  ],
  [
    'a source that cannot be: martian',
    NODE,
    packet('127.0.0.1', '172.18.0.3', tcp(5001, 30_080)),
    { kind: 'dropped', host: 'node/demo-worker', detail: 'martian', answered: false },
  ],
  [
    'a ttl that ends at the node',
    NODE,
    { ...packet('203.0.113.77', '10.244.1.2', tcp(5002, 80)), ttl: 1 },
    { kind: 'rejected', host: 'node/demo-worker', detail: 'icmp-11-0', answered: false },
  ],
];

function detailOf(outcome: Outcome | undefined): string | undefined {
  if (outcome?.kind === 'rejected') return outcome.with;
  return outcome?.kind === 'dropped' ? outcome.reason : undefined;
}

describe('replayed packets', () => {
  it.each(situations)('%s', (_, at, sent, expected) => {
    const [flow] = play(at, send(sent)).flows;
    const [first] = flow?.outcomes ?? [];
    expect(first?.outcome.kind, first?.path.join(' → ')).toBe(expected.kind);
    expect(first?.outcome.host).toContain(expected.host);
    expect(detailOf(first?.outcome)).toBe(expected.detail);
    if (expected.nat !== undefined)
      expect(first?.translations.map(({ manip }) => manip)).toEqual(expected.nat);
    expect((flow?.answers ?? 0) > 0).toBe(expected.answered);
  });

  it('names the rule that dropped', () => {
    const { flows } = play(POD, send(packet(CLIENT, SERVICE, tcp(40_000, 80))), DENY);
    const [first] = flows[0]?.outcomes ?? [];
    expect(first?.outcome).toMatchObject({ kind: 'dropped', reason: 'rule' });
    expect(first?.outcome.kind === 'dropped' ? first.outcome.rule : undefined).toMatch(/^filter \S+ \d+$/);
    expect(first?.translations.map(({ manip }) => manip)).toEqual(['destination']);
    expect(flows[0]?.answers).toBe(0);
  });

  it('are one flow, both ways, and counted by what became of them', () => {
    const there = packet(CLIENT, '10.244.2.2', tcp(40_000, 8080));
    const back = packet('10.244.2.2', CLIENT, tcp(8080, 40_000, 0x12));
    const { flows } = play(POD, send(there, back, there, packet(CLIENT, '10.244.2.2', tcp(40_001, 8080))));
    expect(flows.map(({ frames }) => frames)).toEqual([[1, 2, 3], [4]]);
    expect(flows[0]?.outcomes.map(({ count }) => count)).toEqual([2, 1]);
  });

  it('meet time as the capture has it: a conntrack entry that expired in between', () => {
    const request = packet(CLIENT, '172.18.0.3', echo);
    const packets = [0, 10, 400].map((time, index) => ({ frame: index + 1, time, packet: request }));
    const { capture } = play(POD, packets, '', true);
    const states = (capture?.log.packets ?? [])
      .filter(
        ({ place, direction }) => place.name.startsWith('node/demo-worker:veth') && direction === 'inbound',
      )
      .flatMap(({ comments }) => comments.filter((comment) => comment.startsWith('conntrack ')))
      .map((comment) => comment.split(/[ :,]/)[1]);
    expect(states).toEqual(['NEW', 'ESTABLISHED', 'NEW']);
  });

  it('repeat themselves exactly', () => {
    const packets = send(
      ...Array.from({ length: 20 }, (_, index) => packet(CLIENT, SERVICE, tcp(40_000 + index, 80))),
    );
    const once = play(POD, packets, '', true);
    const again = play(POD, packets, '', true);
    expect(once.flows).toEqual(again.flows);
    expect(once.capture?.toPcapng()).toEqual(again.capture?.toPcapng());
  });
});

describe('random packets', () => {
  it.each(['ipv4', 'ipv6'] as const)(
    'of %s all come to an end somewhere',
    (family) => {
      const seed = Number(process.env.KUBEWIRE_SEED ?? Math.floor(Math.random() * 0x7fffffff));
      console.info(`random packets: seed ${seed}`);
      const known =
        family === 'ipv4'
          ? ['10.244.1.2', '10.96.0.10', '172.18.0.3', '203.0.113.77']
          : ['fd00::1', 'fe80::1'];
      const drawn = fc.sample(
        fc.tuple(
          arbitraryPacket(family),
          fc.constantFrom(...known, undefined),
          fc.constantFrom(...known, undefined),
        ),
        { seed, numRuns: 150 },
      );
      const packets = drawn.map(([each, src, dst]) => ({
        ...each,
        ...(src === undefined ? {} : { src: parseIpAddress(src) }),
        ...(dst === undefined ? {} : { dst: parseIpAddress(dst) }),
      }));
      for (const at of [POD, NODE]) {
        const { flows, capture } = play(at, send(...packets), '', true);
        const counted = flows.flatMap(({ outcomes }) => outcomes.map(({ count }) => count));
        expect(counted.reduce((sum, count) => sum + count, 0)).toBe(packets.length);
        expect(() => readPcapng(capture?.toPcapng() ?? new Uint8Array(0))).not.toThrow();
      }
    },
    120_000,
  );
});

describe('the capture of a replay', () => {
  const { capture } = play(POD, send(packet(CLIENT, SERVICE, tcp(40_000, 80))), '', true);
  const section = readPcapng(capture?.toPcapng() ?? new Uint8Array(0)).sections[0];

  it('has an interface a device, and the names of addresses', () => {
    const names = section?.interfaces.map(({ name }) => name);
    expect(names).toContain(POD);
    expect(names?.some((name) => name?.startsWith('node/demo-worker:veth'))).toBe(true);
    expect(section?.names).toContainEqual({ address: parseIpAddress(SERVICE), names: ['svc.default.web'] });
    expect(section?.names).toContainEqual({ address: parseIpAddress(CLIENT), names: ['pod.default.client'] });
  });

  it('says who it is, which entry, which rule, which translation', () => {
    const at = section?.interfaces.findIndex(({ name }) => name?.startsWith('node/demo-worker:veth'));
    const seen = section?.packets.find(
      ({ interface: index, direction, comments }) =>
        index === at && direction === 'inbound' && comments.length > 0,
    );
    const text = seen?.comments.join('\n') ?? '';
    expect(text).toContain('replayed packet 1\n');
    expect(text).toContain('pod/default/client → svc/default/web:http\n');
    expect(text).toMatch(/conntrack NEW: 10\.244\.1\.2:40000 → 10\.96\.0\.10:80/);
    expect(text).toMatch(/rule nat KUBE-SEP-\w+ 2: .* -j DNAT --to-destination 10\.244\.\d\.\d:8080/);
    expect(text).toMatch(/DNAT 10\.96\.0\.10:80 ⇒ 10\.244\.\d\.\d:8080/);
  });

  it('says why a packet was dropped', () => {
    const dropped = play(NODE, send(packet('127.0.0.1', '172.18.0.3', tcp(1, 2))), '', true);
    const comments = dropped.capture?.log.packets.flatMap((each) => each.comments) ?? [];
    expect(comments.join('\n')).toContain(
      'dropped (martian): the source or destination address cannot occur',
    );
  });

  it('as classic pcap has the same frames', () => {
    const file = readPcap(capture?.log.toPcap() ?? new Uint8Array(0));
    expect(file.linkType).toBe(LINKTYPE.ethernet);
    expect(file.records.map(({ data }) => data)).toEqual(section?.packets.map(({ data }) => data));
  });
});

describe('packets of capture files', () => {
  const bytes = emitPacket(packet(CLIENT, SERVICE, tcp(1, 2)));
  const captured = (data: Uint8Array, more: Partial<CapturedPacket> = {}): CapturedPacket => ({
    number: 1,
    linkType: LINKTYPE.raw,
    data,
    comments: [],
    ...more,
  });
  const framed = emitFrame({
    source: 2,
    destination: 4,
    payload: { kind: 'ip', packet: parsePacket(bytes) },
  });
  const cooked = Uint8Array.from([...new Array<number>(14).fill(0), 8, 0, ...bytes]);
  const cooked2 = Uint8Array.from([8, 0, ...new Array<number>(18).fill(0), ...bytes]);

  it.each([
    ['raw IP', captured(bytes)],
    ['raw IPv4', captured(bytes, { linkType: 228 })],
    ['Ethernet', captured(framed, { linkType: LINKTYPE.ethernet })],
    ['Linux cooked', captured(cooked, { linkType: 113 })],
    ['Linux cooked v2', captured(cooked2, { linkType: 276 })],
    ['BSD loopback', captured(Uint8Array.from([2, 0, 0, 0, ...bytes]), { linkType: 0 })],
  ])('%s', (_, each) => {
    const { packets, skipped } = replayPackets([each]);
    expect(skipped).toEqual([]);
    expect(packets[0]?.packet).toEqual(parsePacket(bytes));
  });

  it.each([
    [
      'ARP',
      captured(Uint8Array.from([...new Array<number>(12).fill(1), 8, 6, 0, 0]), { linkType: 1 }),
      'ARP, no IP packet',
    ],
    [
      'cut off by the capture',
      captured(bytes.slice(0, 25), { originalLength: 40 }),
      'cut off by the capture: 25 of 40 bytes',
    ],
    ['no packet', captured(Uint8Array.of(1, 2, 3)), 'IP version 0, expected 4 or 6'],
    [
      'a short frame',
      captured(Uint8Array.of(1, 2, 3), { linkType: 1 }),
      'Ethernet header cut off: 3 of 14 bytes at byte 3',
    ],
  ])('left out: %s', (_, each, reason) => {
    expect(replayPackets([each])).toEqual({ packets: [], skipped: [{ frame: 1, reason }] });
  });

  it('time begins with the first packet and never goes back', () => {
    const at = (seconds: number, nanoseconds = 0) => captured(bytes, { time: { seconds, nanoseconds } });
    const { packets } = replayPackets([at(100, 5e8), at(101), at(100), captured(bytes), at(103)]);
    expect(packets.map(({ time }) => time)).toEqual([0, 0.5, 0.5, 0.5, 2.5]);
  });
});

describe('--at', () => {
  const at = (text: string) => () => play(text, send(packet(CLIENT, SERVICE, tcp(1, 80))));
  const refusals: readonly (readonly [string, string])[] = [
    ['node/demo-worker', "--at 'node/demo-worker': expected WHO:DEVICE"],
    ['node/demo-worker:', "--at 'node/demo-worker:': expected WHO:DEVICE"],
    ['node/demo-worker:eth9', 'node/demo-worker has no eth9, only lo, eth0'],
    ['node/nosuch:eth0', 'there is no node/nosuch'],
    ['eth0', 'hosts have it, say which: '],
    ['eth9', "--at 'eth9': no host has a device of that name"],
  ];
  it.each(refusals)('%s is refused', (text, message) => {
    expect(at(text)).toThrow(message);
  });

  it('a device that only one host has needs no host', () => {
    expect(play('wan0', send(packet('203.0.113.77', '172.18.0.3', echo))).place).toEqual({
      host: 'router',
      device: 'wan0',
    });
  });
});
