/** kube-proxy's captured rules on one node: what becomes of packets, as `kubewire eval` reports it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildHost } from '../../../src/cluster/single-host/build-host.ts';
import { evaluate } from '../../../src/cluster/single-host/evaluate.ts';
import { decodeHostSpec } from '../../../src/cluster/single-host/host-spec.ts';
import { decodePackets } from '../../../src/cluster/single-host/packet-lines.ts';
import type { EvalResult } from '../../../src/cluster/single-host/result.ts';
import { toRuleSet } from '../../../src/ruletext/load-rules.ts';
import { parseRules } from '../../../src/ruletext/parse-rules.ts';

const CASES = join(import.meta.dirname, '../../conformance/kube-proxy/iptables');

/** worker-1 of the reference cases, with one pod of its own. */
const HOST = `
interfaces:
- {name: eth0, addresses: [172.18.0.2/16]}
- {name: veth5, addresses: [10.244.1.1/32]}
routes:
- {dst: default, via: 172.18.0.1, dev: eth0}
- {dst: 10.244.1.5/32, dev: veth5}
- {dst: 10.244.2.0/24, via: 172.18.0.3, dev: eth0}
- {dst: 10.244.3.0/24, via: 172.18.0.4, dev: eth0}
`;

type PacketFields = Readonly<Record<string, string | number>>;

const POD: PacketFields = { in: 'veth5', src: '10.244.1.5', proto: 'tcp', sport: 40_000 };
const NODE: PacketFields = { src: '172.18.0.2', proto: 'tcp', sport: 40_000 };
const OUTSIDE: PacketFields = { in: 'eth0', src: '203.0.113.9', proto: 'tcp', sport: 40_000 };

interface Play {
  readonly seed?: number;
  readonly engine?: 'linear' | 'compiled';
  readonly rules?: string;
}

function play(
  name: string,
  packets: readonly PacketFields[],
  { seed = 1, engine = 'linear', rules }: Play = {},
) {
  const text = rules ?? readFileSync(join(CASES, name, 'iptables.save'), 'utf8');
  const run = buildHost(decodeHostSpec(HOST, 'host.yaml'), {
    rules: [toRuleSet(parseRules(text, { file: name, family: 'ipv4' }))],
    seed,
    backend: 'nft',
    engine,
  });
  const lines = decodePackets(packets.map((packet) => JSON.stringify(packet)).join('\n'), 'packets.jsonl');
  return [...evaluate(run, lines, { explore: true })];
}

function only(name: string, packet: PacketFields): EvalResult {
  const [result] = play(name, [packet]);
  if (result === undefined) throw new Error('no result');
  return result;
}

/** The results of every random choice, as `probability verdict src:sport > dst:dport`. */
function outcomesOf({ outcomes = [] }: EvalResult): string[] {
  return outcomes.map(({ probability, verdict, out, packet }) => {
    const ends = packet && `${packet.src}:${packet.sport} > ${packet.dst}:${packet.dport}`;
    return `${probability.toFixed(8)} ${verdict} ${out ?? ''} ${ends ?? ''}`.trim();
  });
}

describe('kube-proxy rules on one node', () => {
  it('spread a pod over the endpoints, each with a third', () => {
    expect(outcomesOf(only('clusterip', { ...POD, dst: '10.96.0.10', dport: 80 }))).toEqual([
      // A pod that reaches itself is masqueraded.
      '0.33333333 forwarded veth5 10.244.1.1:random > 10.244.1.5:8080',
      '0.33333333 forwarded eth0 10.244.1.5:40000 > 10.244.2.6:8080',
      '0.33333333 forwarded eth0 10.244.1.5:40000 > 10.244.3.7:8080',
    ]);
  });

  it('masquerade the node and clients outside', () => {
    expect(outcomesOf(only('clusterip', { ...NODE, dst: '10.96.0.10', dport: 80 }))).toEqual([
      '0.33333333 sent veth5 10.244.1.1:random > 10.244.1.5:8080',
      '0.33333333 sent eth0 172.18.0.2:random > 10.244.2.6:8080',
      '0.33333333 sent eth0 172.18.0.2:random > 10.244.3.7:8080',
    ]);
    const nodePort = outcomesOf(only('nodeport', { ...OUTSIDE, dst: '172.18.0.2', dport: 30_080 }));
    expect(nodePort).toHaveLength(3);
    expect(nodePort.join()).not.toContain('203.0.113.9');
  });

  it.each<[name: string, packet: PacketFields, wanted: Partial<EvalResult>]>([
    [
      'no-endpoints',
      { ...POD, dst: '10.96.0.10', dport: 80 },
      { verdict: 'rejected', response: 'icmp-3-3', via: 'veth5' },
    ],
    [
      'no-endpoints',
      { ...NODE, dst: '10.96.0.10', dport: 80 },
      { verdict: 'rejected', response: 'icmp-3-3', via: 'lo' },
    ],
    [
      'no-endpoints',
      { ...OUTSIDE, dst: '172.18.0.2', dport: 30_080 },
      { verdict: 'rejected', response: 'icmp-3-3', via: 'eth0' },
    ],
    [
      'loadbalancer-source-ranges',
      { ...OUTSIDE, src: '192.0.9.9', dst: '192.0.2.1', dport: 80 },
      { verdict: 'dropped', reason: 'rule' },
    ],
    ['loadbalancer-source-ranges', { ...OUTSIDE, dst: '192.0.2.1', dport: 80 }, { verdict: 'forwarded' }],
    ['clusterip', { ...POD, dst: '10.96.0.10', dport: 81 }, { verdict: 'forwarded', out: 'eth0' }],
    ['clusterip', { ...OUTSIDE, dst: '172.18.0.2', dport: 22 }, { verdict: 'delivered' }],
    [
      'clusterip',
      { ...OUTSIDE, dst: '10.244.1.5', dport: 22, ttl: 1 },
      { verdict: 'rejected', response: 'icmp-11-0', via: 'eth0' },
    ],
  ])('%s: %j', (name, packet, wanted) => {
    expect(only(name, packet)).toMatchObject(wanted);
  });

  it('translate the answer back, and keep the flow where it went', () => {
    const syn = { ...POD, dst: '10.96.0.10', dport: 80 };
    const answers = ['10.244.2.6', '10.244.3.7'].map((src) => {
      return {
        in: 'eth0',
        src,
        dst: '10.244.1.5',
        proto: 'tcp',
        sport: 8080,
        dport: 40_000,
        flags: 'SA',
        ack: 1,
      };
    });
    const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
    const runs = seeds.map((seed) => play('clusterip', [syn, ...answers, syn], { seed }));
    for (const [first, fromTwo, fromThree, again] of runs) {
      const to = first?.packet?.dst;
      expect(again?.packet).toEqual(first?.packet);
      if (to === '10.244.1.5') continue;
      const [own, other] = to === '10.244.2.6' ? [fromTwo, fromThree] : [fromThree, fromTwo];
      expect(own?.packet).toMatchObject({ src: '10.96.0.10', sport: 80, dst: '10.244.1.5', dport: 40_000 });
      // A SYN-ACK of no known flow is INVALID, and KUBE-FORWARD drops it.
      expect(other).toMatchObject({ verdict: 'dropped', reason: 'rule' });
    }
    expect(new Set(runs.map(([first]) => first?.packet?.dst)).size).toBeGreaterThan(1);
  });

  it('keep a client with its endpoint for as long as affinity lasts', () => {
    const packet = (sport: number, wait: number) => ({
      ...OUTSIDE,
      sport,
      wait,
      dst: '10.96.0.10',
      dport: 80,
    });
    const within = play(
      'session-affinity',
      [1, 2, 3, 4, 5, 6].map((n) => packet(n + 1024, 60)),
    );
    expect(new Set(within.map((result) => result.packet?.dst)).size).toBe(1);
    expect(within.slice(1).every(({ outcomes }) => outcomes?.length === 1)).toBe(true);
    const [, later] = play('session-affinity', [packet(2000, 0), packet(2001, 10_801)]);
    expect(later?.outcomes).toHaveLength(3);
  });

  it('are unknown only where a packet reaches what is not understood', () => {
    const rules = [
      '*filter',
      ':INPUT ACCEPT [0:0]',
      ':FORWARD ACCEPT [0:0]',
      ':OUTPUT ACCEPT [0:0]',
      '-A INPUT -p udp -m u32 --u32 0x0=0x0 -j DROP',
      '-A INPUT -p tcp -m tcp --dport 22 -j TARPIT --tarpit',
      'COMMIT',
      '',
    ].join('\n');
    const to = { ...OUTSIDE, dst: '172.18.0.2' };
    const packets = [
      { ...to, proto: 'udp', dport: 53 },
      { ...to, dport: 22 },
      { ...to, dport: 23 },
    ];
    expect(play('', packets, { rules }).map(({ verdict, reason }) => [verdict, reason])).toEqual([
      ['unknown', 'unsupported: -m u32'],
      ['unknown', 'unsupported: -j TARPIT'],
      ['delivered', undefined],
    ]);
  });

  it('tell the path: chains, rules by number and text, policies', () => {
    const { path } = only('clusterip', { ...POD, dst: '10.96.0.10', dport: 80 });
    const nat = path.filter(({ table, hook }) => table === 'nat' && hook === 'prerouting');
    expect(nat.slice(0, 4)).toMatchObject([
      { chain: 'PREROUTING', effect: 'enter' },
      { chain: 'PREROUTING', rule: 1, effect: 'jump KUBE-SERVICES' },
      { chain: 'KUBE-SERVICES', effect: 'enter' },
      { chain: 'KUBE-SERVICES', rule: 1, text: expect.stringContaining('-A KUBE-SERVICES -d 10.96.0.10/32') },
    ]);
  });

  it.each(['clusterip', 'nodeport', 'session-affinity', 'large-cluster'])(
    'are the same through the compiled engine: %s',
    (name) => {
      const packets = [POD, NODE, OUTSIDE].flatMap((from) =>
        ['10.96.0.10', '172.18.0.2'].flatMap((dst) => [80, 30_080].map((dport) => ({ ...from, dst, dport }))),
      );
      expect(play(name, packets, { engine: 'compiled' })).toEqual(play(name, packets));
    },
  );
});
