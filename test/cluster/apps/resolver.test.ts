/** The resolver of a pod: its resolv.conf, the search list, two questions at once, and what it does about losses. */
import { describe, expect, it } from 'vitest';
import { ClusterZone } from '../../../src/cluster/apps/dns/cluster-zone.ts';
import { startDnsServer } from '../../../src/cluster/apps/dns/dns-server.ts';
import { decodeDns } from '../../../src/cluster/apps/dns/message.ts';
import {
  EMPTY_RESOLV_CONF,
  formatResolvConf,
  type PodDns,
  podResolvConf,
  type ResolvConf,
  resolverOptions,
} from '../../../src/cluster/apps/dns/resolv-conf.ts';
import { candidateNames, type Resolved, Resolver } from '../../../src/cluster/apps/dns/resolver.ts';
import { loadCluster } from '../../../src/cluster/load.ts';
import { formatIpAddress, parseIpAddress } from '../../../src/wire/ip-address.ts';
import { type Fate, Pair } from '../../netstack/sockets/pair.ts';

const SERVICES = `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIPs: [10.96.0.20, 'fd00:96::20'], ipFamilies: [IPv4, IPv6], ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {clusterIP: 10.96.0.21, ports: [{port: 80}]}
`;
const cluster = loadCluster([{ file: 'services.yaml', text: SERVICES }]);

const NODE: ResolvConf = {
  nameservers: [parseIpAddress('172.18.0.1')],
  searches: ['example.com'],
  options: ['edns0'],
};
const CLUSTER = { servers: [parseIpAddress('10.96.0.10')], domain: 'cluster.local', node: NODE };

describe('resolv.conf', () => {
  const shop = { namespace: 'shop', hostNetwork: false };
  const first =
    'search shop.svc.cluster.local svc.cluster.local cluster.local example.com\nnameserver 10.96.0.10\noptions ndots:5\n';
  const host = 'search example.com\nnameserver 172.18.0.1\noptions edns0\n';
  const own = {
    nameservers: ['1.1.1.1', '10.96.0.10'],
    searches: ['corp', 'cluster.local'],
    options: [{ name: 'ndots', value: '2' }, { name: 'single-request' }],
  };
  const cases: readonly (readonly [string, PodDns, string])[] = [
    ['of any pod', shop, first],
    ['of a pod on the host network is the node’s', { ...shop, hostNetwork: true }, host],
    [
      'on the host network with the cluster’s names',
      { ...shop, hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' },
      first,
    ],
    ['with policy Default is the node’s', { ...shop, dnsPolicy: 'Default' }, host],
    [
      'with policy None is the pod’s own',
      { ...shop, dnsPolicy: 'None', dnsConfig: own },
      'search corp cluster.local\nnameserver 1.1.1.1\nnameserver 10.96.0.10\noptions ndots:2 single-request\n',
    ],
    [
      'with additions',
      { ...shop, dnsConfig: own },
      'search shop.svc.cluster.local svc.cluster.local cluster.local example.com corp\nnameserver 10.96.0.10\nnameserver 1.1.1.1\noptions ndots:2 single-request\n',
    ],
  ];
  it.each(cases)('%s', (_, pod, expected) => {
    expect(formatResolvConf(podResolvConf(pod, CLUSTER))).toBe(expected);
  });

  it('is the node’s in a cluster without DNS', () => {
    expect(podResolvConf(shop, { ...CLUSTER, servers: [] })).toEqual(NODE);
  });
});

const CONF = podResolvConf(
  { namespace: 'shop', hostNetwork: false },
  { ...CLUSTER, node: EMPTY_RESOLV_CONF },
);

describe('the names that are tried', () => {
  const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['web', [], ['web.shop.svc.cluster.local', 'web.svc.cluster.local', 'web.cluster.local', 'web']],
    [
      'web.shop.svc.cluster.local',
      [],
      [
        'web.shop.svc.cluster.local.shop.svc.cluster.local',
        'web.shop.svc.cluster.local.svc.cluster.local',
        'web.shop.svc.cluster.local.cluster.local',
        'web.shop.svc.cluster.local',
      ],
    ],
    ['web.shop.svc.cluster.local.', [], ['web.shop.svc.cluster.local']],
    [
      'a.b.c.d.e.f',
      [],
      [
        'a.b.c.d.e.f',
        'a.b.c.d.e.f.shop.svc.cluster.local',
        'a.b.c.d.e.f.svc.cluster.local',
        'a.b.c.d.e.f.cluster.local',
      ],
    ],
    [
      'web.shop',
      ['ndots:1'],
      ['web.shop', 'web.shop.shop.svc.cluster.local', 'web.shop.svc.cluster.local', 'web.shop.cluster.local'],
    ],
  ];
  it.each(cases)('for %s with %j', (name, options, expected) => {
    const conf = options.length > 0 ? { ...CONF, options } : CONF;
    expect(candidateNames(name, conf, resolverOptions(conf))).toEqual(expected);
  });
});

interface Question {
  readonly name: string;
  readonly options?: readonly string[];
  readonly fate?: Fate;
  readonly servers?: boolean;
}

/** What a's resolver makes of `name`; b serves the cluster's names at its own address. */
function resolve({ name, options, fate, servers = true }: Question) {
  const pair = new Pair(fate === undefined ? {} : { fate });
  const zone = new ClusterZone(() => cluster);
  if (servers) startDnsServer(pair.b, { zone });
  const conf = { ...CONF, nameservers: [pair.addressB], options: options ?? CONF.options };
  const resolver = new Resolver({ sockets: pair.a, conf });
  let resolved: Resolved | undefined;
  resolver.resolve(name, (done) => {
    resolved = done;
  });
  pair.scheduler.runUntilIdle();
  if (resolved === undefined) throw new Error('not resolved');
  const questions = pair.sent.flatMap(({ at, by, packet: { transport } }) => {
    if (by === 'b' || transport.kind !== 'udp') return [];
    const [question] = decodeDns(transport.data)?.questions ?? [];
    return [{ at, sport: transport.sport, type: question?.type, name: question?.name }];
  });
  return { ...resolved, addresses: resolved.addresses.map(formatIpAddress), questions };
}

describe('a name', () => {
  it('of the namespace is found with two questions at once, from one port', () => {
    const { addresses, questions, after } = resolve({ name: 'web' });
    expect(addresses).toEqual(['10.96.0.20', 'fd00:96::20']);
    expect(questions.map(({ at, type }) => [at, type])).toEqual([
      [0, 'A'],
      [0, 'AAAA'],
    ]);
    expect(new Set(questions.map(({ sport }) => sport)).size).toBe(1);
    expect(after).toBeCloseTo(0.002, 6);
  });

  it('outside costs two questions for each entry of the search list before it is asked for', () => {
    const { error, questions, tried } = resolve({ name: 'www.example.org' });
    expect(error).toBe('EAI_NONAME');
    expect(questions.length).toBe(8);
    expect(tried.at(-1)).toBe('www.example.org');
    // Each name has a port of its own.
    expect(new Set(questions.map(({ sport }) => sport)).size).toBe(4);
  });

  it('with a final dot is asked for as it is', () => {
    expect(resolve({ name: 'web.shop.svc.cluster.local.' }).questions.length).toBe(2);
  });

  it.each([
    ['10.1.2.3', ['10.1.2.3'], undefined],
    ['fd00::7', ['fd00::7'], undefined],
  ])('that is the address %s needs no questions', (name, expected, error) => {
    expect(resolve({ name })).toMatchObject({ addresses: expected, error, questions: [] });
  });
});

/** Loses the answers (or questions) of `type` whose numbers, counted from 0, are given. */
function losing(type: string, ...numbers: readonly number[]): Fate {
  let next = 0;
  return ({ transport }, by) => {
    if (transport.kind !== 'udp' || by === 'a') return [0.001];
    const lost = decodeDns(transport.data)?.questions[0]?.type === type && numbers.includes(next++);
    return lost ? [] : [0.001];
  };
}

describe('a lost answer', () => {
  it('costs five seconds; then the questions go one by one', () => {
    const { addresses, after, questions } = resolve({ name: 'web', fate: losing('AAAA', 0) });
    expect(addresses).toEqual(['10.96.0.20', 'fd00:96::20']);
    expect(after).toBeGreaterThan(5);
    expect(after).toBeLessThan(5.1);
    expect(questions.map(({ type, at }) => [type, Number(at.toFixed(3))])).toEqual([
      ['A', 0],
      ['AAAA', 0],
      ['A', 5],
      ['AAAA', 5.002],
    ]);
  });

  it('of both questions is asked for again, then given up', () => {
    const { error, after, questions } = resolve({
      name: 'web',
      fate: (_, by) => (by === 'a' ? [0.001] : []),
    });
    expect(error).toBe('EAI_AGAIN');
    // Two attempts of five seconds for the first name of the list, two for the name as it is.
    expect(after).toBe(20);
    expect(questions.map(({ at }) => at)).toEqual([0, 0, 5, 5, 10, 10, 15, 15]);
  });

  it('waits as long and as often as the options say', () => {
    const { after } = resolve({ name: 'web.', options: ['timeout:1', 'attempts:3'], fate: () => [] });
    expect(after).toBe(3);
  });
});

describe('options', () => {
  it('single-request asks for AAAA when A is answered', () => {
    const { questions } = resolve({ name: 'web', options: ['ndots:5', 'single-request'] });
    expect(questions.map(({ type, at }) => [type, at])).toEqual([
      ['A', 0],
      ['AAAA', 0.002],
    ]);
    expect(new Set(questions.map(({ sport }) => sport)).size).toBe(1);
  });
  it('single-request-reopen uses another port', () => {
    const { questions } = resolve({ name: 'web', options: ['ndots:5', 'single-request-reopen'] });
    expect(new Set(questions.map(({ sport }) => sport)).size).toBe(2);
  });
  it('use-vc asks over TCP', () => {
    expect(resolve({ name: 'web', options: ['ndots:5', 'use-vc'] })).toMatchObject({
      addresses: ['10.96.0.20', 'fd00:96::20'],
      questions: [],
    });
  });
});

describe('failures', () => {
  it('of a server that is not there are known at once', () => {
    expect(resolve({ name: 'web', servers: false })).toMatchObject({ error: 'EAI_AGAIN', after: 0.004 });
  });
  it('without addresses of the family that was asked for', () => {
    const pair = new Pair();
    startDnsServer(pair.b, { zone: new ClusterZone(() => cluster) });
    const resolver = new Resolver({
      sockets: pair.a,
      conf: { ...CONF, nameservers: [pair.addressB], searches: [] },
    });
    const errors: unknown[] = [];
    resolver.resolve('api.shop.svc.cluster.local', ({ error }) => errors.push(error), ['ipv6']);
    pair.scheduler.runUntilIdle();
    expect(errors).toEqual(['EAI_NODATA']);
  });
});
