/** The cluster's names, as a CoreDNS with `pods insecure` and `ttl 30` answers for them. */
import { describe, expect, it } from 'vitest';
import { type ClusterView, ClusterZone } from '../../../src/cluster/apps/dns/cluster-zone.ts';
import {
  askOverTcp,
  askOverUdp,
  type ExchangeResult,
  queryFor,
} from '../../../src/cluster/apps/dns/dns-exchange.ts';
import { encodeForUdp, startDnsServer } from '../../../src/cluster/apps/dns/dns-server.ts';
import {
  type DnsMessage,
  type DnsRecord,
  decodeDns,
  encodeDns,
} from '../../../src/cluster/apps/dns/message.ts';
import { addressOfReverseName, reverseNameOf } from '../../../src/cluster/apps/dns/reverse-name.ts';
import { loadCluster } from '../../../src/cluster/load.ts';
import { formatIpAddress, parseIpAddress } from '../../../src/wire/ip-address.ts';
import { Pair } from '../../netstack/sockets/pair.ts';

const MANIFESTS = `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec:
  clusterIP: 10.96.0.10
  selector: {app: web}
  ports: [{name: http, port: 80}, {name: metrics, port: 9090}]
---
apiVersion: v1
kind: Service
metadata: {name: dual, namespace: shop}
spec:
  clusterIPs: [10.96.0.20, 'fd00:96::20']
  ipFamilies: [IPv4, IPv6]
  ports: [{port: 443, protocol: TCP}]
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: None, ports: [{name: sql, port: 5432}]}
---
apiVersion: v1
kind: Service
metadata: {name: empty, namespace: shop}
spec: {clusterIP: None, ports: [{name: sql, port: 5432}]}
---
apiVersion: v1
kind: Service
metadata: {name: out, namespace: shop}
spec: {type: ExternalName, externalName: api.example.org}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-1, namespace: shop, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
ports: [{name: sql, port: 5432}]
endpoints:
- {addresses: [10.244.1.5], hostname: db-0, conditions: {ready: true}}
- {addresses: [10.244.2.6], hostname: db-1}
- {addresses: [10.244.3.7], conditions: {ready: true}}
- {addresses: [10.244.3.8], hostname: db-3, conditions: {ready: false}}
`;

const view: ClusterView = loadCluster([{ file: 'dns.yaml', text: MANIFESTS }]);
const zone = new ClusterZone(() => view);

function show(record: DnsRecord): string {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return `${record.name} ${record.type} ${formatIpAddress(record.address)}`;
    case 'SRV':
      return `${record.name} SRV ${record.priority} ${record.weight} ${record.port} ${record.target}`;
    case 'TXT':
      return `${record.name} TXT ${record.text}`;
    case 'SOA':
      return `${record.name} SOA ${record.primary}`;
    default:
      return `${record.name} ${record.type} ${record.target}`;
  }
}

const WEB = 'web.default.svc.cluster.local';
const DB = 'db.shop.svc.cluster.local';
const SOA = 'cluster.local SOA ns.dns.cluster.local';

describe('the zone', () => {
  const situations: readonly (readonly [string, string, string, readonly string[]])[] = [
    ['a Service', WEB, 'A', [`${WEB} A 10.96.0.10`]],
    [
      'a Service in any case',
      'WEB.Default.svc.cluster.LOCAL',
      'A',
      ['WEB.Default.svc.cluster.LOCAL A 10.96.0.10'],
    ],
    [
      'a Service of two families',
      'dual.shop.svc.cluster.local',
      'AAAA',
      ['dual.shop.svc.cluster.local AAAA fd00:96::20'],
    ],
    ['a named port', `_http._tcp.${WEB}`, 'SRV', [`_http._tcp.${WEB} SRV 0 100 80 ${WEB}`]],
    ['all ports', WEB, 'SRV', [`${WEB} SRV 0 50 80 ${WEB}`, `${WEB} SRV 0 50 9090 ${WEB}`]],
    [
      'a headless Service: ready endpoints only',
      DB,
      'A',
      [`${DB} A 10.244.1.5`, `${DB} A 10.244.2.6`, `${DB} A 10.244.3.7`],
    ],
    ['a pod of a headless Service', `db-0.${DB}`, 'A', [`db-0.${DB} A 10.244.1.5`]],
    ['an endpoint without a hostname', `10-244-3-7.${DB}`, 'A', [`10-244-3-7.${DB} A 10.244.3.7`]],
    [
      'the ports of a headless Service',
      `_sql._tcp.${DB}`,
      'SRV',
      [
        `_sql._tcp.${DB} SRV 0 33 5432 db-0.${DB}`,
        `_sql._tcp.${DB} SRV 0 33 5432 db-1.${DB}`,
        `_sql._tcp.${DB} SRV 0 33 5432 10-244-3-7.${DB}`,
      ],
    ],
    [
      'an ExternalName Service',
      'out.shop.svc.cluster.local',
      'A',
      ['out.shop.svc.cluster.local CNAME api.example.org'],
    ],
    [
      'a pod by its address',
      '10-244-1-5.default.pod.cluster.local',
      'A',
      ['10-244-1-5.default.pod.cluster.local A 10.244.1.5'],
    ],
    [
      'a pod by its IPv6 address',
      'fd00--5.default.pod.cluster.local',
      'AAAA',
      ['fd00--5.default.pod.cluster.local AAAA fd00::5'],
    ],
    ['the address of a Service', '10.0.96.10.in-addr.arpa', 'PTR', [`10.0.96.10.in-addr.arpa PTR ${WEB}`]],
    [
      'the address of an endpoint',
      '5.1.244.10.in-addr.arpa',
      'PTR',
      [`5.1.244.10.in-addr.arpa PTR db-0.${DB}`],
    ],
    [
      'the version of the specification',
      'dns-version.cluster.local',
      'TXT',
      ['dns-version.cluster.local TXT 1.1.0'],
    ],
    ['its authority', 'cluster.local', 'SOA', [SOA]],
  ];
  it.each(situations)('answers for %s', (_, name, type, expected) => {
    const answer = zone.lookup(name, type);
    expect(answer?.rcode).toBe('NOERROR');
    expect(answer?.answers.map(show)).toEqual(expected);
    expect(answer?.answers.every(({ ttl }) => ttl === 30)).toBe(true);
  });

  it('gives the addresses of SRV targets along', () => {
    expect(zone.lookup(`_sql._tcp.${DB}`, 'SRV')?.additionals.map(show)).toEqual([
      `db-0.${DB} A 10.244.1.5`,
      `db-1.${DB} A 10.244.2.6`,
      `10-244-3-7.${DB} A 10.244.3.7`,
    ]);
  });

  const negatives: readonly (readonly [string, string, string, 'NOERROR' | 'NXDOMAIN'])[] = [
    ['a Service without an address of the family', WEB, 'AAAA', 'NOERROR'],
    ['a type nobody has', WEB, 'MX', 'NOERROR'],
    ['a namespace', 'shop.svc.cluster.local', 'A', 'NOERROR'],
    ['the domain', 'cluster.local', 'A', 'NOERROR'],
    ['a namespace that is not there', 'nowhere.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['a Service that is not there', 'nothing.default.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['a port that the Service lacks', `_https._tcp.${WEB}`, 'SRV', 'NXDOMAIN'],
    ['a port of another protocol', `_http._udp.${WEB}`, 'SRV', 'NXDOMAIN'],
    ['an endpoint that is not ready', `db-3.${DB}`, 'A', 'NXDOMAIN'],
    ['a headless Service without endpoints', 'empty.shop.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['a name with too many labels', `a.b.c.${WEB}`, 'A', 'NXDOMAIN'],
    ['a search list gone wrong', `example.org.default.svc.cluster.local`, 'A', 'NXDOMAIN'],
    ['a pod name that is no address', 'web-0.default.pod.cluster.local', 'A', 'NXDOMAIN'],
  ];
  it.each(negatives)('denies %s, with its SOA', (_, name, type, rcode) => {
    const answer = zone.lookup(name, type);
    expect(answer).toMatchObject({ rcode, answers: [] });
    expect(answer?.authorities.map(show)).toEqual([SOA]);
  });

  it.each(['example.org', 'xcluster.local', '9.9.9.9.in-addr.arpa'])('leaves %s to others', (name) => {
    expect(zone.lookup(name, 'A')).toBeUndefined();
  });

  it('sees changes of the cluster', () => {
    let current: ClusterView = { services: [], endpointSlices: [], pods: [] };
    const live = new ClusterZone(() => current);
    expect(live.lookup(WEB, 'A')?.rcode).toBe('NXDOMAIN');
    current = view;
    expect(live.lookup(WEB, 'A')?.rcode).toBe('NOERROR');
  });

  it('names the pods of a StatefulSet', () => {
    const set = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: kv, namespace: shop}
spec:
  replicas: 2
  serviceName: kv
  selector: {matchLabels: {app: kv}}
  template: {metadata: {labels: {app: kv}}, spec: {containers: [{name: c, image: i, ports: [{containerPort: 7}]}]}}
---
apiVersion: v1
kind: Service
metadata: {name: kv, namespace: shop}
spec: {clusterIP: None, selector: {app: kv}, ports: [{name: kv, port: 7}]}
`;
    const cluster = loadCluster([{ file: 'set.yaml', text: set }]);
    const address = cluster.pods.find(({ metadata }) => metadata.name === 'kv-1')?.status.podIPs[0];
    const found = new ClusterZone(() => cluster).lookup('kv-1.kv.shop.svc.cluster.local', 'A');
    expect(found?.answers.map(show)).toEqual([`kv-1.kv.shop.svc.cluster.local A ${address}`]);
  });
});

describe('reverse names', () => {
  it.each(['10.96.0.1', '255.255.255.255', 'fd00::1', '2001:db8:1:2:3:4:5:6'])('of %s lead back', (text) => {
    const address = parseIpAddress(text);
    expect(addressOfReverseName(reverseNameOf(address))).toEqual(address);
  });
  it.each(['10.in-addr.arpa', 'x.0.96.10.in-addr.arpa', '1.0.ip6.arpa', 'example.org'])(
    '%s is none',
    (name) => {
      expect(addressOfReverseName(name)).toBeUndefined();
    },
  );
});

/** b serves the zone; a asks. */
function served(outside?: ReadonlyMap<string, readonly ReturnType<typeof parseIpAddress>[]>): Pair {
  const pair = new Pair();
  startDnsServer(pair.b, { zone, ...(outside === undefined ? {} : { outside }) });
  return pair;
}

function ask(pair: Pair, how: typeof askOverUdp, ...queries: readonly DnsMessage[]): ExchangeResult {
  let result: ExchangeResult | undefined;
  how(pair.a, queries, {
    options: { server: pair.addressB, timeout: 5 },
    done: (done) => {
      result = done;
    },
  });
  pair.scheduler.runUntilIdle();
  if (result === undefined) throw new Error('no result');
  return result;
}

describe('the server', () => {
  it.each([
    ['UDP', askOverUdp],
    ['TCP', askOverTcp],
  ] as const)('answers several questions over %s', (_, how) => {
    const { answers, failure } = ask(served(), how, queryFor(WEB, 'A', 1), queryFor(WEB, 'AAAA', 2));
    expect(failure).toBeUndefined();
    expect(answers.map((answer) => answer?.answers.map(show))).toEqual([[`${WEB} A 10.96.0.10`], []]);
    expect(answers[0]).toMatchObject({
      authoritative: true,
      recursionAvailable: true,
      recursionDesired: true,
    });
    expect(answers[1]).toMatchObject({ rcode: 'NOERROR', authoritative: true });
  });

  it('follows ExternalName Services outside, as far as it is told of the outside', () => {
    const outside = new Map([['api.example.org', [parseIpAddress('192.0.2.80')]]]);
    const alias = queryFor('out.shop.svc.cluster.local', 'A', 1);
    expect(ask(served(outside), askOverUdp, alias).answers[0]?.answers.map(show)).toEqual([
      'out.shop.svc.cluster.local CNAME api.example.org',
      'api.example.org A 192.0.2.80',
    ]);
    expect(ask(served(), askOverUdp, alias).answers[0]?.answers.map(show)).toEqual([
      'out.shop.svc.cluster.local CNAME api.example.org',
    ]);
    const stranger = ask(served(outside), askOverUdp, queryFor('www.example.org', 'A', 3)).answers[0];
    expect(stranger).toMatchObject({ rcode: 'NXDOMAIN', authoritative: false });
  });

  it('cuts long answers off over UDP and says so; over TCP they are whole', () => {
    const endpoints = Array.from({ length: 60 }, (_, index) => ({ addresses: [`10.244.9.${index + 1}`] }));
    const text = `${MANIFESTS.split('---\n').slice(0, 5).join('---\n')}---\n${JSON.stringify({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'many', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'empty' } },
      addressType: 'IPv4',
      ports: [{ name: 'sql', port: 5432 }],
      endpoints,
    })}`;
    const large = loadCluster([{ file: 'large.yaml', text }]);
    const pair = new Pair();
    startDnsServer(pair.b, { zone: new ClusterZone(() => large) });
    const query = queryFor('empty.shop.svc.cluster.local', 'A', 5);
    const udp = ask(pair, askOverUdp, query).answers[0];
    expect(udp?.truncated).toBe(true);
    expect(udp?.answers.length).toBeGreaterThan(5);
    expect(udp?.answers.length).toBeLessThan(60);
    const longer = ask(pair, askOverUdp, { ...query, udpSize: 4096 }).answers[0];
    expect(longer).toMatchObject({ truncated: false });
    const tcp = ask(pair, askOverTcp, query).answers[0];
    expect(tcp?.truncated).toBe(false);
    expect(new Set(tcp?.answers.map(show)).size).toBe(60);
    // The order is drawn.
    expect(tcp?.answers.map(show)).not.toEqual(longer?.answers.map(show));
  });

  it('says what it does not understand', () => {
    const pair = served();
    const heard: (DnsMessage | undefined)[] = [];
    const socket = pair.a.udp({ onMessage: ({ data }) => heard.push(decodeDns(data)) });
    const query = encodeDns(queryFor(WEB, 'A', 77));
    socket.send(query.subarray(0, 20), { address: pair.addressB, port: 53 });
    socket.send(query.subarray(0, 5), { address: pair.addressB, port: 53 });
    pair.scheduler.runUntilIdle();
    expect(heard).toMatchObject([{ id: 77, rcode: 'FORMERR' }]);
  });
});

describe('messages', () => {
  it('come back as they were', () => {
    const message: DnsMessage = {
      ...queryFor('a.example', 'A', 4711),
      response: true,
      rcode: 'NXDOMAIN',
      authoritative: true,
      truncated: true,
      recursionAvailable: true,
      answers: [
        { type: 'A', name: 'a.example', ttl: 5, address: parseIpAddress('192.0.2.1') },
        { type: 'AAAA', name: 'a.example', ttl: 6, address: parseIpAddress('2001:db8::1') },
        { type: 'CNAME', name: 'b.example', ttl: 7, target: 'a.example' },
        {
          type: 'SRV',
          name: '_x._tcp.example',
          ttl: 8,
          priority: 1,
          weight: 2,
          port: 3,
          target: 'a.example',
        },
        { type: 'TXT', name: 'c.example', ttl: 9, text: 'words' },
      ],
      authorities: zone.lookup('nothing.cluster.local', 'A')?.authorities ?? [],
      additionals: [],
      udpSize: 1232,
    };
    expect(decodeDns(encodeDns(message))).toEqual(message);
    expect(encodeForUdp(message, 4096)).toEqual(encodeDns(message));
  });

  it('that end anywhere are none', () => {
    const bytes = encodeDns(queryFor(WEB, 'A', 1));
    for (let length = 0; length < bytes.length; length++)
      expect(decodeDns(bytes.subarray(0, length))).toBeUndefined();
  });
});
