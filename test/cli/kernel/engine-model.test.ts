/** The engine follows what it is told the kernel did, and notices what cannot be. */
import { describe, expect, it } from 'vitest';
import { EngineModel } from '../../../src/cli/kernel/engine-model.ts';
import type { Injection, Observation } from '../../../src/cli/kernel/observe.ts';
import { DEFAULT_CONNTRACK } from '../../../src/netfilter/conntrack/timeouts.ts';
import { DEFAULT_DEVICE_SYSCTLS } from '../../../src/netstack/device.ts';
import { toRuleSet } from '../../../src/ruletext/load-rules.ts';
import { parseRules } from '../../../src/ruletext/parse-rules.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';
import { parseInterfaceAddress } from '../../../src/wire/ip-prefix.ts';
import type { Packet } from '../../../src/wire/packet.ts';

const RULES = `*nat
-A PREROUTING -d 10.9.9.9 -m statistic --mode random --probability 0.5 -j DNAT --to-destination 10.0.2.7
-A PREROUTING -d 10.9.9.9 -m statistic --mode random --probability 0.5 -j DNAT --to-destination 10.0.2.8
-A PREROUTING -d 10.9.9.9 -j DNAT --to-destination 10.0.2.9
-A POSTROUTING -p udp --sport 2000 -j MASQUERADE --random-fully
COMMIT
`;

function model(): EngineModel {
  return new EngineModel({
    plan: {
      devices: ['10.0.1.1/24', '10.0.2.1/24'].map((text, index) => ({
        ...DEFAULT_DEVICE_SYSCTLS,
        name: `e${index + 1}`,
        addresses: [parseInterfaceAddress(text)],
      })),
      routes: [],
      conntrack: DEFAULT_CONNTRACK,
    },
    rules: [toRuleSet(parseRules(RULES, { family: 'ipv4', file: 'rules' }))],
    backend: 'nft',
  });
}

function udp(src: string, dst: string, sport = 1000, ttl = 64): Packet {
  return {
    src: parseIpAddress(src),
    dst: parseIpAddress(dst),
    ttl,
    tos: 0,
    id: 5,
    dontFragment: false,
    transport: { kind: 'udp', sport, dport: 53, data: new Uint8Array(0) },
  };
}

const to = (dst: string, sport?: number): Injection => ({
  device: 'e1',
  packet: udp('10.0.1.9', dst, sport),
});
const left = (packet: Packet, device = 'e2'): Observation => ({
  sent: [{ device, packet, original: true }],
  delivered: [],
});

describe('following the kernel', () => {
  it.each(['10.0.2.7', '10.0.2.8', '10.0.2.9'])('to the endpoint it drew: %s', (endpoint) => {
    const engine = model();
    const observed = left(udp('10.0.1.9', endpoint, 1000, 63));
    expect(engine.follow(to('10.9.9.9'), observed).differences).toEqual([]);
    // The flow is bound now: the same packet can go nowhere else.
    const other = endpoint === '10.0.2.7' ? '10.0.2.8' : '10.0.2.7';
    expect(engine.follow(to('10.9.9.9'), observed).differences).toEqual([]);
    expect(engine.follow(to('10.9.9.9'), left(udp('10.0.1.9', other, 1000, 63))).differences).not.toEqual([]);
  });

  it.each([1024, 31337, 65535])('to the port it drew: %i', (port) => {
    const engine = model();
    const observed = left(udp('10.0.2.1', '10.0.2.77', port, 63));
    expect(engine.follow(to('10.0.2.77', 2000), observed).differences).toEqual([]);
  });

  it('to endpoint and port together', () => {
    const engine = model();
    const observed = left(udp('10.0.2.1', '10.0.2.9', 44444, 63));
    expect(engine.follow(to('10.9.9.9', 2000), observed).differences).toEqual([]);
  });

  const impossible: readonly [string, Observation][] = [
    ['an endpoint that no rule names', left(udp('10.0.1.9', '10.0.2.6', 1000, 63))],
    ['the wrong device', left(udp('10.0.1.9', '10.0.2.9', 1000, 63), 'e1')],
    ['a ttl not lowered', left(udp('10.0.1.9', '10.0.2.9', 1000, 64))],
    ['a port that no rule changes', left(udp('10.0.1.9', '10.0.2.9', 1001, 63))],
    ['nothing at all', { sent: [], delivered: [] }],
    ['delivery', { sent: [], delivered: [{ packet: udp('10.0.1.9', '10.9.9.9'), original: true }] }],
    [
      'a copy too many',
      {
        sent: [1, 2].map(() => ({
          device: 'e2',
          packet: udp('10.0.1.9', '10.0.2.9', 1000, 63),
          original: true,
        })),
        delivered: [],
      },
    ],
  ];
  it.each(impossible)('not to %s', (_, observation) => {
    expect(model().follow(to('10.9.9.9'), observation).differences).not.toEqual([]);
  });

  it('a prediction changes nothing', () => {
    const engine = model();
    engine.predict(to('10.9.9.9'));
    const observed = left(udp('10.0.1.9', '10.0.2.9', 1000, 63));
    expect(engine.follow(to('10.9.9.9'), observed).differences).toEqual([]);
  });
});
