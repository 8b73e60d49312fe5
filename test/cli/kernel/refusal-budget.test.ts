import { describe, expect, it } from 'vitest';
import { RefusalBudget } from '../../../src/cli/kernel/refusal-budget.ts';
import type { Passage } from '../../../src/netstack/host.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';
import type { Packet } from '../../../src/wire/packet.ts';

function from(src: string): Packet {
  const v6 = src.includes(':');
  return {
    src: parseIpAddress(src),
    dst: parseIpAddress(v6 ? 'fd00::9' : '8.8.8.8'),
    ttl: 64,
    tos: 0,
    id: 1,
    dontFragment: false,
    transport: { kind: 'udp', sport: 1, dport: 2, data: new Uint8Array(0) },
  };
}

function refused(type: number, code: number): Passage {
  return {
    fate: { kind: 'rejected', refusal: { kind: 'icmp', type, code }, device: 'e1' },
    transmissions: [],
  };
}

describe('answers without a route', () => {
  it('come five at once and then one a second, per source', () => {
    const budget = new RefusalBudget();
    const delays = Array.from({ length: 6 }, () => budget.delay(refused(3, 0), from('10.0.1.9'), 100));
    expect(delays.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
    expect(delays[5]).toBeGreaterThan(1);
    expect(budget.delay(refused(3, 0), from('10.0.1.10'), 100)).toBe(0);
  });

  it('are as many again after a while', () => {
    const budget = new RefusalBudget();
    for (let i = 0; i < 5; i++) budget.delay(refused(3, 1), from('10.0.1.9'), 0);
    for (let i = 0; i < 5; i++) expect(budget.delay(refused(3, 13), from('10.0.1.9'), 60)).toBe(0);
  });

  it.each([
    ['an expired ttl', refused(11, 0), '10.0.1.9'],
    ['a REJECT with port unreachable', refused(3, 3), '10.0.1.9'],
    ['IPv6', refused(1, 0), 'fd00:1::9'],
    ['no prediction', undefined, '10.0.1.9'],
  ] as const)('%s has no limit', (_, passage, src) => {
    const budget = new RefusalBudget();
    const delays = Array.from({ length: 20 }, () => budget.delay(passage, from(src), 0));
    expect(new Set(delays)).toEqual(new Set([0]));
  });
});
