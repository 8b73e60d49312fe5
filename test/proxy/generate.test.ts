import { describe, expect, test } from 'vitest';
import type { EndpointSlice } from '../../src/kube/objects.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { printRules } from '../../src/ruletext/print-rules.ts';
import { Random } from '../../src/sim/random.ts';
import { parseIpPrefix } from '../../src/wire/ip-prefix.ts';
import { type Loaded, loadManifests, rulesOf } from './load-manifests.ts';
import {
  configuration,
  endpoint,
  generate,
  iptablesOptions,
  node,
  rulesIn,
  type Situation,
  service,
  slice,
} from './objects.ts';
import { manifestOf, randomCluster } from './random-cluster.ts';

describe('comments of endpoint chains are dropped above 1000 endpoints', () => {
  const many = (count: number, ready = true) =>
    Array.from({ length: count }, (_, n) =>
      endpoint(`10.${ready ? 244 : 245}.${n >> 8}.${n & 255}`, { conditions: { ready } }),
    );
  test.each<{ what: string; slices: EndpointSlice[]; kept: boolean }>([
    { what: '1000', slices: [slice(many(1000))], kept: true },
    { what: '1001', slices: [slice(many(1001))], kept: false },
    { what: '999 and 2 not ready', slices: [slice([...many(999), ...many(2, false)])], kept: false },
    {
      what: '1000 and 50 of no Service',
      slices: [slice(many(1000)), slice(many(50), { service: 'gone' })],
      kept: true,
    },
    { what: '1000 twice', slices: [slice(many(1000)), slice(many(1000), { name: 'again' })], kept: true },
    {
      what: '600 under each of two ports',
      slices: [
        slice(many(600), {
          ports: [
            { name: 'http', protocol: 'TCP', port: 8080 },
            { name: 'http', protocol: 'TCP', port: 8081 },
          ],
        }),
      ],
      kept: false,
    },
  ])('$what: kept $kept', ({ slices, kept }) => {
    const text = generate({ services: [service()], slices });
    const rules = text.split('\n').filter((line) => line.startsWith('-A KUBE-S'));
    const balancing = rules.filter((rule) => /^-A KUBE-SVC-.* -j KUBE-SEP-/.test(rule));
    const endpointRules = rules.filter((rule) => rule.startsWith('-A KUBE-SEP-'));
    expect(balancing.length).toBeGreaterThan(900);
    expect(balancing.every((rule) => rule.includes('--comment') === kept)).toBe(true);
    expect(endpointRules.every((rule) => rule.includes('--comment') === kept)).toBe(true);
    // All other rules keep theirs.
    expect(text).toMatch(/^-A KUBE-SVC-\S+ ! -s .* --comment "default\/web:http cluster IP"/m);
    expect(text).toContain('-A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment');
  });

  test('each family counts its own', () => {
    const both = service({ clusterIPs: ['10.96.0.10', 'fd00::a'], ipFamilies: ['IPv4', 'IPv6'] });
    const slices = [slice(many(1001)), slice([endpoint('fd00::5')], { name: 'six', addressType: 'IPv6' })];
    expect(generate({ services: [both], slices, family: 'ipv6' })).toContain('-> [fd00::5]:8080');
  });
});

describe('the last rules of KUBE-SERVICES', () => {
  const note =
    '-m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain"';
  const to = '-j KUBE-NODEPORTS';
  const here = node({
    addresses: [
      { type: 'InternalIP', address: '172.18.0.2' },
      { type: 'InternalIP', address: '172.18.0.3' },
      { type: 'InternalIP', address: 'fd00::2' },
    ],
  });
  test.each<{ what: string; given: Situation; rules: readonly string[] }>([
    { what: 'any address', given: {}, rules: [`${note} -m addrtype --dst-type LOCAL ${to}`] },
    {
      what: 'any but loopback',
      given: { configuration: configuration(iptablesOptions({ localhostNodePorts: false })) },
      rules: [`! -d 127.0.0.0/8 ${note} -m addrtype --dst-type LOCAL ${to}`],
    },
    {
      what: 'IPv6: any but loopback',
      given: { family: 'ipv6' },
      rules: [`! -d ::1/128 ${note} -m addrtype --dst-type LOCAL ${to}`],
    },
    {
      what: 'two addresses',
      given: { configuration: configuration({ nodePortAddresses: [parseIpPrefix('172.18.0.0/16')] }) },
      rules: [`-d 172.18.0.2/32 ${note} ${to}`, `-d 172.18.0.3/32 ${note} ${to}`],
    },
    {
      what: 'no address matches',
      given: { configuration: configuration({ nodePortAddresses: [parseIpPrefix('198.18.0.0/15')] }) },
      rules: [],
    },
  ])('$what', ({ given, rules }) => {
    const now = { node: here, services: [service()], slices: [slice([endpoint('10.244.1.5')])], ...given };
    expect(rulesIn('nat', 'KUBE-SERVICES', now).filter((rule) => !rule.includes('cluster IP'))).toEqual(
      rules,
    );
  });
});

describe('rules without any Service', () => {
  test.each([
    { what: 'by default', given: configuration(), invalid: 1, localnet: 1 },
    {
      what: 'tcpBeLiberal',
      given: configuration({ conntrack: { ...configuration().conntrack, tcpBeLiberal: true } }),
      invalid: 0,
      localnet: 1,
    },
    {
      what: 'localhostNodePorts off',
      given: configuration(iptablesOptions({ localhostNodePorts: false })),
      invalid: 1,
      localnet: 0,
    },
    {
      what: 'nodePortAddresses without loopback',
      given: configuration({ nodePortAddresses: [parseIpPrefix('172.18.0.0/16')] }),
      invalid: 1,
      localnet: 0,
    },
  ])('$what', ({ given, invalid, localnet }) => {
    const count = (family: 'ipv4' | 'ipv6', text: string) =>
      generate({ configuration: given, family }).split(text).length - 1;
    expect(count('ipv4', '--ctstate INVALID -j DROP')).toBe(invalid);
    expect(count('ipv6', '--ctstate INVALID -j DROP')).toBe(invalid);
    expect(count('ipv4', 'block incoming localnet connections')).toBe(localnet);
    expect(count('ipv6', 'block incoming localnet connections')).toBe(0);
    // The chain and its jumps are there all the same: kubelet shares them.
    for (const family of ['ipv4', 'ipv6'] as const) expect(count(family, '-j KUBE-FIREWALL\n')).toBe(2);
  });

  test.each([
    { masqueradeBit: 0, mark: '0x1' },
    { masqueradeBit: 14, mark: '0x4000' },
    { masqueradeBit: 31, mark: '0x80000000' },
  ])('mark of bit $masqueradeBit', ({ masqueradeBit, mark }) => {
    const given: Situation = { configuration: configuration(iptablesOptions({ masqueradeBit })) };
    expect(rulesIn('nat', 'KUBE-MARK-MASQ', given)).toEqual([`-j MARK --set-xmark ${mark}/${mark}`]);
    expect(rulesIn('nat', 'KUBE-POSTROUTING', given).slice(0, 2)).toEqual([
      `-m mark ! --mark ${mark}/${mark} -j RETURN`,
      `-j MARK --set-xmark ${mark}/0x0`,
    ]);
    expect(rulesIn('filter', 'KUBE-FORWARD', given)[1]).toContain(`-m mark --mark ${mark}/${mark} -j ACCEPT`);
  });
});

test('of two ports with one name and protocol the later counts', () => {
  const port = { name: 'http', protocol: 'TCP', targetPort: 8080, nodePort: 0 } as const;
  const twice = service({
    ports: [
      { ...port, port: 80 },
      { ...port, port: 81 },
    ],
  });
  const rules = rulesIn('filter', 'KUBE-SERVICES', { services: [twice] });
  expect(rules).toHaveLength(1);
  expect(rules[0]).toContain('--dport 81 ');
});

function shuffled<T>(list: readonly T[], random: Random): T[] {
  return list
    .map((item) => ({ item, order: random.uint32() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

describe('random clusters', () => {
  const SEEDS = Array.from({ length: 100 }, (_, n) => n + 1);
  const FAMILIES = ['ipv4', 'ipv6'] as const;

  test('the order of the input does not show, seeds 1 to 100', () => {
    for (const seed of SEEDS) {
      const loaded = loadManifests(manifestOf(randomCluster(seed)));
      const random = new Random(seed);
      const mixed: Loaded = {
        ...loaded,
        services: shuffled(loaded.services, random),
        endpointSlices: shuffled(loaded.endpointSlices, random),
      };
      for (const family of FAMILIES)
        expect(rulesOf(mixed, family), `seed ${seed}`).toBe(rulesOf(loaded, family));
    }
  });

  test('the text is what the parser reads and prints again, seeds 1 to 100', () => {
    for (const seed of SEEDS) {
      const loaded = loadManifests(manifestOf(randomCluster(seed)));
      for (const family of FAMILIES) {
        const text = rulesOf(loaded, family);
        expect(printRules(parseRules(text, { family })), `seed ${seed}`).toBe(text);
      }
    }
  });

  test('reach every kind of rule, seeds 1 to 100', () => {
    const text = SEEDS.map((seed) => rulesOf(loadManifests(manifestOf(randomCluster(seed))), 'ipv4')).join(
      '',
    );
    for (const shape of [
      /^-A KUBE-SERVICES .* external IP" .* -j KUBE-EXT-/m,
      /^-A KUBE-SERVICES .* loadbalancer IP" .* -j KUBE-EXT-/m,
      /^-A KUBE-SERVICES .* loadbalancer IP" .* -j KUBE-FW-/m,
      /^-A KUBE-SERVICES .* cluster IP" .* -j KUBE-SVL-/m,
      /^-A KUBE-SERVICES -d \S+ -m comment .* -j KUBE-NODEPORTS$/m,
      /^-A KUBE-SERVICES ! -d 127\.0\.0\.0\/8 /m,
      /^-A KUBE-SERVICES .* has no endpoints" .* -j REJECT/m,
      /^-A KUBE-SERVICES .* has no local endpoints" .* -j DROP/m,
      /^-A KUBE-EXTERNAL-SERVICES -d .* -j REJECT/m,
      /^-A KUBE-EXTERNAL-SERVICES .* --dst-type LOCAL .* -j DROP/m,
      /^-A KUBE-PROXY-FIREWALL /m,
      /^-A KUBE-NODEPORTS .* health check node port" /m,
      /^-A KUBE-EXT-\S+ -j KUBE-SVL-/m,
      /^-A KUBE-EXT-\S+ -s /m,
      /^-A KUBE-EXT-\S+ -i cni0 /m,
      /^-A KUBE-FW-\S+ -m comment --comment ".* loadbalancer IP" -j/m,
      /^-A KUBE-SVC-\S+ ! -s /m,
      /^-A KUBE-SVC-\S+ -d \S+ ! -i \S+\+ /m,
      /^-A KUBE-SVC-\S+ -d \S+ -p /m,
      /^-A KUBE-SVL-\S+ .* -m statistic /m,
      /^-A KUBE-SVL-\S+ .* -m recent --rcheck /m,
      /^-A KUBE-SEP-\S+ -p sctp .* -m recent --set .* -m sctp -j DNAT /m,
      /^-A KUBE-SEP-\S+ -p udp .* -m udp -j DNAT /m,
    ]) {
      expect(text).toMatch(shape);
    }
  });
});
