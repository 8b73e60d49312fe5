/** Fragments and lengths: what is put together when, what leaves in which pieces, what is too big. */
import { describe, expect, it } from 'vitest';
import { buildHost, type HostRun } from '../../src/cluster/single-host/build-host.ts';
import { decodeHostSpec } from '../../src/cluster/single-host/host-spec.ts';
import { DEFAULT_DEVICE_SYSCTLS } from '../../src/netstack/device.ts';
import { formatRefusal } from '../../src/netstack/fate.ts';
import type { Passage } from '../../src/netstack/host.ts';
import { toRuleSet } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { ipLength } from '../../src/wire/headers.ts';
import { parseIpAddress } from '../../src/wire/ip-address.ts';
import { parseInterfaceAddress } from '../../src/wire/ip-prefix.ts';
import type { Packet, Transport } from '../../src/wire/packet.ts';

const TRACKED = '*filter\n-A FORWARD -m conntrack --ctstate NEW\nCOMMIT\n';
const UNTRACKED = '*filter\n:FORWARD ACCEPT\nCOMMIT\n';

function host(rules: string, mtu?: number, backend: 'nft' | 'legacy' = 'nft'): HostRun {
  const spec = decodeHostSpec('interfaces: []\n', 'host');
  const device = (name: string, address: string) => ({
    ...DEFAULT_DEVICE_SYSCTLS,
    name,
    addresses: [parseInterfaceAddress(address)],
    ...(mtu === undefined || name === 'e1' ? {} : { mtu }),
  });
  const devices = [device('e1', '10.0.1.1/24'), device('e2', '10.0.2.1/24')];
  const ruleSet = toRuleSet(parseRules(rules, { file: 'rules', family: 'ipv4' }));
  return buildHost({ ...spec, devices }, { rules: [ruleSet], seed: 1, backend });
}

const base = {
  src: parseIpAddress('10.0.1.9'),
  dst: parseIpAddress('10.0.2.9'),
  ttl: 64,
  tos: 0,
  id: 7,
  dontFragment: false,
} as const;

function receive(run: HostRun, packet: Packet): Passage {
  const device = run.host.addresses.devices.get('e1');
  if (device === undefined) throw new Error('e1 is missing');
  return run.host.receive(packet, device);
}

/** The fate in a word or two, and where each piece that left begins. */
function seen({ fate, transmissions }: Passage): string {
  const word = 'reason' in fate ? `${fate.kind} ${fate.reason}` : fate.kind;
  const refusal = fate.kind === 'rejected' ? ` ${formatRefusal(fate.refusal)}` : '';
  const pieces = transmissions.map(({ packet }) => `${packet.fragment?.offset ?? '-'}/${ipLength(packet)}`);
  return `${word}${refusal} [${pieces.join(' ')}]`;
}

const bytes = (length: number) => new Uint8Array(length);
const datagram = (length: number): Transport => ({ kind: 'udp', sport: 1, dport: 2, data: bytes(length) });
const piece = (offset: number, more: boolean, data: Uint8Array): Packet => ({
  ...base,
  fragment: { offset, more },
  transport:
    offset === 0 ? { kind: 'udp', sport: 1, dport: 2, data } : { kind: 'opaque', protocol: 17, data },
});

describe('fragments', () => {
  it('pass one by one while nothing is tracked', () => {
    const run = host(UNTRACKED);
    expect(seen(receive(run, piece(0, true, bytes(16))))).toBe('forwarded [0/44]');
    expect(seen(receive(run, piece(24, false, bytes(5))))).toBe('forwarded [24/25]');
  });

  it('are put together for conntrack, in any order, and leave as they came', () => {
    const run = host(TRACKED);
    expect(seen(receive(run, piece(24, false, bytes(5))))).toBe('dropped awaiting-fragments []');
    expect(seen(receive(run, piece(0, true, bytes(16))))).toBe('forwarded [0/44 24/25]');
    const [entry] = run.host.netfilter.conntrack.entries(0);
    expect(entry?.original).toMatchObject({ sport: 1, dport: 2 });
  });

  it('wait half a minute', () => {
    const run = host(TRACKED);
    receive(run, piece(24, false, bytes(5)));
    run.clock.advance(31);
    expect(seen(receive(run, piece(0, true, bytes(16))))).toBe('dropped awaiting-fragments []');
  });

  it('that overlap spoil the packet', () => {
    const run = host(TRACKED);
    receive(run, piece(0, true, bytes(24)));
    expect(seen(receive(run, piece(24, false, bytes(5))))).toBe('dropped awaiting-fragments []');
    expect(seen(receive(run, piece(32, false, bytes(5))))).toBe('dropped awaiting-fragments []');
  });

  it.each([
    ['nft', 'dropped rule []'],
    ['legacy', 'forwarded [16/28]'],
  ] as const)('have a middle that %s compares with ports or not', (backend, fate) => {
    const run = host('*raw\n-A PREROUTING -p udp -m udp --dport 2 -j DROP\nCOMMIT\n', undefined, backend);
    const middle = piece(16, true, Uint8Array.of(0, 1, 0, 2, 0, 8, 0, 0));
    expect(seen(receive(run, middle))).toBe(fate);
  });

  it.each([
    ['nft', '-p udp -m udp --dport 2', 'dropped rule []'],
    ['nft', '-p udp -m udp --dport 3', 'forwarded [-/24]'],
    ['nft', '-p udp -m multiport --dports 3', 'forwarded [-/24]'],
    ['legacy', '-p udp -m udp --dport 3', 'dropped malformed []'],
  ] as const)('%s and a header that is cut off: %s', (backend, match, fate) => {
    const run = host(`*raw\n-A PREROUTING ${match} -j DROP\nCOMMIT\n`, undefined, backend);
    const transport: Transport = { kind: 'opaque', protocol: 17, data: Uint8Array.of(0, 1, 0, 2) };
    expect(seen(receive(run, { ...base, transport }))).toBe(fate);
  });
});

describe('a packet longer than the MTU', () => {
  it('is cut after POSTROUTING', () => {
    const passage = receive(host(UNTRACKED, 600), { ...base, transport: datagram(1000) });
    expect(seen(passage)).toBe('forwarded [0/596 576/452]');
  });

  it('that must not be cut is refused before FORWARD, with the MTU', () => {
    const run = host('*filter\n:FORWARD DROP\nCOMMIT\n', 600);
    const passage = receive(run, { ...base, dontFragment: true, transport: datagram(1000) });
    expect(seen(passage)).toBe('rejected icmp-3-4 [-/576]');
    expect(passage.transmissions[0]?.packet.transport).toMatchObject({ sequence: 600 });
  });

  it('with TTL 1 has run out of time first', () => {
    const passage = receive(host(UNTRACKED, 600), {
      ...base,
      ttl: 1,
      dontFragment: true,
      transport: datagram(1000),
    });
    expect(seen(passage)).toBe('rejected icmp-11-0 [-/576]');
  });
});
