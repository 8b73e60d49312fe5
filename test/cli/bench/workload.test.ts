/** What is measured is what it says: rules, destinations, packets, changes. */
import { describe, expect, test } from 'vitest';
import { changedInputs, natChains, ownChains } from '../../../src/cli/bench/sync-texts.ts';
import { syns } from '../../../src/cli/bench/syns.ts';
import { type SPREADS, traffic } from '../../../src/cli/bench/traffic.ts';
import { rulesText, type Size, serviceAddress } from '../../../src/cli/bench/workload.ts';
import { generateIptablesRules } from '../../../src/proxy/iptables/generate.ts';
import { parsePacket } from '../../../src/wire/headers.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';

const sizeOf = (services: number, family: Size['family'] = 'ipv4'): Size => ({
  services,
  endpoints: 3,
  family,
});

describe('rules', () => {
  test.each([7, 137, 1103])('of %d Services stand in the order of the indexes', (services) => {
    const portals = natChains(rulesText(sizeOf(services))).get('KUBE-SERVICES') ?? [];
    const found = portals.flatMap((line) => /-d (10\.[\d.]+)\/32/.exec(line)?.[1] ?? []).map(parseIpAddress);
    const wanted = Array.from({ length: services }, (_, index) => serviceAddress(index, 'ipv4'));
    expect(found).toEqual(wanted);
  });
});

describe('destinations', () => {
  const size = sizeOf(50);
  /** How many packets each Service gets. */
  function counts(spread: (typeof SPREADS)[number]): readonly number[] {
    const rows = 20_000;
    const { dst } = traffic(size, { rows, spread, seed: 3 });
    const first = Number(serviceAddress(0, 'ipv4'));
    const found = Array<number>(size.services).fill(0);
    for (const address of dst) found[address - first] = (found[address - first] ?? 0) + 1;
    return found;
  }

  test('first and last', () => {
    expect(counts('first').indexOf(20_000)).toBe(0);
    expect(counts('last').indexOf(20_000)).toBe(49);
  });

  test('uniform: every Service about as often', () => {
    for (const count of counts('uniform')) expect(Math.abs(count - 400)).toBeLessThan(5 * Math.sqrt(400));
  });

  test('zipf: the n-th most wanted 1/n as often as the first', () => {
    const sorted = [...counts('zipf')].sort((a, b) => b - a);
    const [most = 0] = sorted;
    for (const n of [2, 4, 8, 16]) {
      const wanted = most / n;
      expect(Math.abs((sorted[n - 1] ?? 0) - wanted)).toBeLessThan(5 * Math.sqrt(wanted));
    }
  });
});

describe('packets', () => {
  test.each(['ipv4', 'ipv6'] as const)('%s: each a flow of its own, to the Service it names', (family) => {
    const sent = syns(sizeOf(20, family), { count: 500, spread: 'uniform', seed: 1 });
    const flows = new Set<string>();
    for (const { service, bytes } of sent) {
      const { src, dst, transport } = parsePacket(bytes);
      expect(dst).toEqual(serviceAddress(service, family));
      expect(transport.kind).toBe('tcp');
      flows.add(JSON.stringify([src, dst, 'sport' in transport && transport.sport]));
    }
    expect(flows.size).toBe(500);
  });
});

describe('one changed Service', () => {
  // With more than 1,000 endpoints there are no comments.
  test.each([
    ['ipv4', 30],
    ['ipv4', 350],
    ['ipv6', 350],
  ] as const)('%s, of %d: its chains by themselves are those of the whole', (family, services) => {
    const size = sizeOf(services, family);
    const inputs = changedInputs(size);
    const whole = [inputs.cluster, inputs.clusterAfter].map((input) =>
      natChains(generateIptablesRules(input)),
    );
    const alone = [inputs.before, inputs.after].map((input) => natChains(ownChains(input)));
    for (const [index, chains] of alone.entries()) {
      for (const [name, lines] of chains) expect(whole[index]?.get(name)).toEqual(lines);
    }
    const [before, after] = whole;
    const changed = [...(after ?? [])].filter(([name, lines]) => before?.get(name)?.join() !== lines.join());
    expect(changed.length).toBe(1 + size.endpoints);
    expect([...(alone[1]?.keys() ?? [])].sort()).toEqual(
      ['KUBE-MARK-MASQ', ...changed.map(([name]) => name)].sort(),
    );
  });
});
