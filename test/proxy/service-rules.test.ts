import { describe, expect, test } from 'vitest';
import type { Endpoint, Service } from '../../src/kube/objects.ts';
import { parseIpAddress } from '../../src/wire/ip-address.ts';
import { parseIpPrefix } from '../../src/wire/ip-prefix.ts';
import {
  chainsIn,
  configuration,
  endpoint,
  generate,
  httpPort,
  iptablesOptions,
  rulesIn,
  type ServiceFields,
  type Situation,
  service,
  slice,
} from './objects.ts';

const HERE = endpoint('10.244.1.5', { nodeName: 'worker-1' });
const AWAY = endpoint('10.244.2.6', { nodeName: 'worker-2' });
const HASH = 'CDGGSHYLG3RE2FKL'; // default/web:http tcp
const NODE_PORT = { ports: [{ ...httpPort, nodePort: 30080 }] };

function situation(given: ServiceFields, endpoints: readonly Endpoint[], more: Situation = {}): Situation {
  return { services: [service(given)], slices: [slice(endpoints)], ...more };
}

/** The service port's own chains, hashes left out. */
function ownChains(given: ServiceFields, endpoints: readonly Endpoint[]): readonly string[] {
  const chains = chainsIn('nat', situation(given, endpoints)).filter((chain) => chain.endsWith(HASH));
  const separate = chainsIn('nat', situation(given, endpoints)).filter((chain) =>
    chain.startsWith('KUBE-SEP-'),
  );
  return [...chains.map((chain) => chain.slice(5, -HASH.length - 1)), ...separate.map(() => 'SEP')];
}

describe('which chains exist', () => {
  const lb: ServiceFields = { type: 'LoadBalancer', ingress: [{ ip: '192.0.2.1' }], ...NODE_PORT };
  const ranges = { loadBalancerSourceRanges: ['203.0.113.0/24'] };
  const externalLocal = { externalTrafficPolicy: 'Local' } as const;
  const internalLocal = { internalTrafficPolicy: 'Local' } as const;
  test.each<{
    what: string;
    given: ServiceFields;
    endpoints: readonly Endpoint[];
    chains: readonly string[];
  }>([
    { what: 'ClusterIP', given: {}, endpoints: [HERE, AWAY], chains: ['SVC', 'SEP', 'SEP'] },
    { what: 'no endpoints', given: { ...lb, ...ranges }, endpoints: [], chains: [] },
    {
      what: 'NodePort',
      given: { type: 'NodePort', ...NODE_PORT },
      endpoints: [HERE],
      chains: ['EXT', 'SVC', 'SEP'],
    },
    {
      what: 'LoadBalancer pending',
      given: { type: 'LoadBalancer' },
      endpoints: [HERE],
      chains: ['SVC', 'SEP'],
    },
    {
      what: 'source ranges',
      given: { ...lb, ...ranges },
      endpoints: [HERE],
      chains: ['EXT', 'FW', 'SVC', 'SEP'],
    },
    {
      what: 'source ranges of the other family: none',
      given: { ...lb, loadBalancerSourceRanges: ['2001:db8::/32'] },
      endpoints: [HERE],
      chains: ['EXT', 'SVC', 'SEP'],
    },
    {
      what: 'source ranges without a balancer address',
      given: { type: 'LoadBalancer', ...NODE_PORT, ...ranges },
      endpoints: [HERE],
      chains: ['EXT', 'SVC', 'SEP'],
    },
    {
      what: 'external Local',
      given: { ...lb, ...externalLocal },
      endpoints: [HERE, AWAY],
      chains: ['EXT', 'SVC', 'SVL', 'SEP', 'SEP'],
    },
    {
      what: 'external Local, none here: the short cut stays',
      given: { ...lb, ...externalLocal },
      endpoints: [AWAY],
      chains: ['EXT', 'SVC', 'SEP'],
    },
    { what: 'internal Local', given: internalLocal, endpoints: [HERE, AWAY], chains: ['SVL', 'SEP'] },
    { what: 'internal Local, none here', given: internalLocal, endpoints: [AWAY], chains: [] },
    {
      what: 'internal Local, external Cluster',
      given: { ...lb, ...internalLocal },
      endpoints: [HERE, AWAY],
      chains: ['EXT', 'SVC', 'SVL', 'SEP', 'SEP'],
    },
    {
      what: 'draining here, ready away: both have a chain',
      given: { ...lb, ...externalLocal },
      endpoints: [{ ...HERE, conditions: { ready: false, serving: true, terminating: true } }, AWAY],
      chains: ['EXT', 'SVC', 'SVL', 'SEP', 'SEP'],
    },
  ])('$what', ({ given, endpoints, chains }) => {
    expect(ownChains(given, endpoints)).toEqual(chains);
  });
});

describe('traffic that reaches nothing', () => {
  const everything: ServiceFields = {
    type: 'LoadBalancer',
    externalIPs: ['198.51.100.1'],
    ingress: [{ ip: '192.0.2.1' }],
    healthCheckNodePort: 32100,
    externalTrafficPolicy: 'Local',
    internalTrafficPolicy: 'Local',
    ...NODE_PORT,
  };
  const reject = '-j REJECT --reject-with icmp-port-unreachable';
  const drop = '-j DROP';

  test.each([
    { what: 'no endpoints at all', endpoints: [], text: 'has no endpoints', target: reject },
    { what: 'none on this node', endpoints: [AWAY], text: 'has no local endpoints', target: drop },
  ])('$what', ({ endpoints, text, target }) => {
    const given = situation(everything, endpoints, {
      configuration: configuration({ nodePortAddresses: [parseIpPrefix('172.18.0.0/16')] }),
    });
    const comment = `-m comment --comment "default/web:http ${text}"`;
    expect(rulesIn('filter', 'KUBE-SERVICES', given)).toEqual([
      `-d 10.96.0.10/32 -p tcp ${comment} -m tcp --dport 80 ${target}`,
    ]);
    // The node port is refused on every address of the node, whatever nodePortAddresses says.
    expect(rulesIn('filter', 'KUBE-EXTERNAL-SERVICES', given)).toEqual([
      `-d 198.51.100.1/32 -p tcp ${comment} -m tcp --dport 80 ${target}`,
      `-d 192.0.2.1/32 -p tcp ${comment} -m tcp --dport 80 ${target}`,
      `-p tcp ${comment} -m addrtype --dst-type LOCAL -m tcp --dport 30080 ${target}`,
    ]);
    expect(rulesIn('filter', 'KUBE-NODEPORTS', given)).toEqual([
      '-p tcp -m comment --comment "default/web:http health check node port" -m tcp --dport 32100 -j ACCEPT',
    ]);
    // Under policy Local the way in stays, for this node's own traffic.
    const entrances = [
      ...rulesIn('nat', 'KUBE-SERVICES', given).filter((rule) => rule.includes('default/web')),
      ...rulesIn('nat', 'KUBE-NODEPORTS', given),
    ];
    expect(entrances).toHaveLength(endpoints.length === 0 ? 0 : 3);
    expect(entrances.every((rule) => rule.endsWith(`-j KUBE-EXT-${HASH}`))).toBe(true);
  });

  test('IPv6 answers with ICMPv6', () => {
    const given: Situation = { services: [service({ clusterIP: 'fd00:96::a' })], family: 'ipv6' };
    expect(rulesIn('filter', 'KUBE-SERVICES', given)).toEqual([
      '-d fd00:96::a/128 -p tcp -m comment --comment "default/web:http has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp6-port-unreachable',
    ]);
  });
});

test('the health-check port is opened once for each port of the Service, over TCP', () => {
  const ports: Service['spec']['ports'] = [
    { ...httpPort, nodePort: 30080 },
    { name: 'dns', protocol: 'UDP', port: 53, targetPort: 53, nodePort: 30053 },
  ];
  const given = {
    type: 'LoadBalancer',
    externalTrafficPolicy: 'Local',
    healthCheckNodePort: 32100,
    ports,
  } as const;
  expect(rulesIn('filter', 'KUBE-NODEPORTS', situation(given, [HERE]))).toEqual([
    '-p tcp -m comment --comment "default/web:dns health check node port" -m tcp --dport 32100 -j ACCEPT',
    '-p tcp -m comment --comment "default/web:http health check node port" -m tcp --dport 32100 -j ACCEPT',
  ]);
});

describe('masquerading of internal traffic', () => {
  const to = '-m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ';
  const rule = (match: string) => `${match}-d 10.96.0.10/32 -p tcp ${to}`;
  const bridge = { detectLocal: { mode: 'BridgeInterface', bridgeInterface: 'cni0' } } as const;
  const prefix = { detectLocal: { mode: 'InterfaceNamePrefix', interfaceNamePrefix: 'veth' } } as const;
  test.each([
    { what: 'ClusterCIDR', given: {}, expected: [rule('! -s 10.244.0.0/16 ')] },
    {
      what: 'NodeCIDR',
      given: { detectLocal: { mode: 'NodeCIDR' } },
      expected: [rule('! -s 10.244.1.0/24 ')],
    },
    {
      what: 'BridgeInterface',
      given: bridge,
      expected: [`-d 10.96.0.10/32 ! -i cni0 -p tcp ${to}`],
    },
    {
      what: 'InterfaceNamePrefix',
      given: prefix,
      expected: [`-d 10.96.0.10/32 ! -i veth+ -p tcp ${to}`],
    },
    { what: 'no detector', given: { clusterCIDRs: [] }, expected: [] },
    { what: 'masqueradeAll', given: iptablesOptions({ masqueradeAll: true }), expected: [rule('')] },
    {
      what: 'masqueradeAll without detector',
      given: { clusterCIDRs: [], ...iptablesOptions({ masqueradeAll: true }) },
      expected: [rule('')],
    },
  ] as const)('$what', ({ given, expected }) => {
    const now = situation({}, [HERE], { configuration: configuration(given) });
    const rules = rulesIn('nat', `KUBE-SVC-${HASH}`, now);
    expect(rules.slice(0, -1)).toEqual(expected);
    expect(rules.at(-1)).toContain('-> 10.244.1.5:8080');
  });

  test('sits in the chain of the internal policy alone', () => {
    const given: ServiceFields = { type: 'NodePort', internalTrafficPolicy: 'Local', ...NODE_PORT };
    const now = situation(given, [HERE, AWAY]);
    expect(rulesIn('nat', `KUBE-SVL-${HASH}`, now)[0]).toBe(rule('! -s 10.244.0.0/16 '));
    expect(rulesIn('nat', `KUBE-SVC-${HASH}`, now).join('\n')).not.toContain('KUBE-MARK-MASQ');
  });
});

describe('the external chain under policy Local', () => {
  const about = 'default/web:http external destinations';
  const podRule = `-m comment --comment "pod traffic for ${about}" -j KUBE-SVC-${HASH}`;
  const tail = [
    `-m comment --comment "masquerade LOCAL traffic for ${about}" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ`,
    `-m comment --comment "route LOCAL traffic for ${about}" -m addrtype --src-type LOCAL -j KUBE-SVC-${HASH}`,
  ];
  const given: ServiceFields = { type: 'NodePort', externalTrafficPolicy: 'Local', ...NODE_PORT };
  test.each([
    { what: 'source', config: {}, pods: [`-s 10.244.0.0/16 ${podRule}`] },
    {
      what: 'masqueradeAll changes nothing here',
      config: iptablesOptions({ masqueradeAll: true }),
      pods: [`-s 10.244.0.0/16 ${podRule}`],
    },
    {
      what: 'interface',
      config: { detectLocal: { mode: 'BridgeInterface', bridgeInterface: 'cni0' } },
      pods: [`-i cni0 ${podRule}`],
    },
    { what: 'no detector', config: { clusterCIDRs: [] }, pods: [] },
  ] as const)('$what', ({ config, pods }) => {
    const now = { configuration: configuration(config) };
    const chain = `KUBE-EXT-${HASH}`;
    expect(rulesIn('nat', chain, situation(given, [HERE, AWAY], now))).toEqual([
      ...pods,
      ...tail,
      `-j KUBE-SVL-${HASH}`,
    ]);
    expect(rulesIn('nat', chain, situation(given, [AWAY], now))).toEqual([...pods, ...tail]);
  });
});

describe('the firewall chain', () => {
  const given = (...loadBalancerSourceRanges: string[]): ServiceFields => ({
    type: 'LoadBalancer',
    ingress: [{ ip: '192.0.2.1' }, { ip: '192.0.2.2' }],
    loadBalancerSourceRanges,
  });
  const allow = `-m comment --comment "default/web:http loadbalancer IP" -j KUBE-EXT-${HASH}`;
  const last =
    '-m comment --comment "other traffic to default/web:http will be dropped by KUBE-PROXY-FIREWALL"';
  test.each([
    {
      what: 'in spec order',
      ranges: ['203.0.113.0/24', '10.0.0.0/8'],
      sources: ['-s 203.0.113.0/24 ', '-s 10.0.0.0/8 '],
    },
    {
      what: 'with the node inside: the balancer addresses too',
      ranges: ['172.16.0.0/12'],
      sources: ['-s 172.16.0.0/12 ', '-s 192.0.2.1/32 ', '-s 192.0.2.2/32 '],
    },
    {
      what: 'everything: no source match is left',
      ranges: ['0.0.0.0/0'],
      sources: ['', '-s 192.0.2.1/32 ', '-s 192.0.2.2/32 '],
    },
  ])('$what', ({ ranges, sources }) => {
    expect(rulesIn('nat', `KUBE-FW-${HASH}`, situation(given(...ranges), [HERE]))).toEqual([
      ...sources.map((source) => source + allow),
      last,
    ]);
  });

  test('asks about the address kube-proxy is bound to', () => {
    const bound = configuration({ bindAddress: parseIpAddress('192.168.7.2') });
    const now = situation(given('172.16.0.0/12'), [HERE], { configuration: bound });
    expect(rulesIn('nat', `KUBE-FW-${HASH}`, now)).toEqual([`-s 172.16.0.0/12 ${allow}`, last]);
  });

  test('drops the rest in the filter table, once for each address', () => {
    const drop = `-p tcp -m comment --comment "default/web:http traffic not accepted by KUBE-FW-${HASH}" -m tcp --dport 80 -j DROP`;
    expect(rulesIn('filter', 'KUBE-PROXY-FIREWALL', situation(given('10.0.0.0/8'), [HERE]))).toEqual([
      `-d 192.0.2.1/32 ${drop}`,
      `-d 192.0.2.2/32 ${drop}`,
    ]);
    expect(rulesIn('filter', 'KUBE-PROXY-FIREWALL', situation(given('10.0.0.0/8'), []))).toEqual([]);
  });
});

test('addresses given twice have their rules twice', () => {
  const given: ServiceFields = {
    externalIPs: ['198.51.100.1', '198.51.100.1'],
    ingress: [{ ip: '198.51.100.1' }],
  };
  const rules = rulesIn('nat', 'KUBE-SERVICES', situation(given, [HERE]));
  expect(rules.filter((rule) => rule.includes('198.51.100.1/32'))).toHaveLength(3);
});

describe('an endpoint', () => {
  const SIX = { services: [service({ clusterIP: 'fd00:96::a' })], family: 'ipv6' } as const;

  test('is hashed and commented as written, and matched canonically', () => {
    const written = 'FD00:10:1:0:0::6';
    const now: Situation = { ...SIX, slices: [slice([endpoint(written)], { addressType: 'IPv6' })] };
    const canonical: Situation = {
      ...SIX,
      slices: [slice([endpoint('fd00:10:1::6')], { addressType: 'IPv6' })],
    };
    const [chain = ''] = chainsIn('nat', now).filter((name) => name.startsWith('KUBE-SEP-'));
    expect(chainsIn('nat', canonical)).not.toContain(chain);
    expect(rulesIn('nat', chain, now)).toEqual([
      '-s fd00:10:1::6/128 -m comment --comment "default/web:http" -j KUBE-MARK-MASQ',
      '-p tcp -m comment --comment "default/web:http" -m tcp -j DNAT --to-destination [fd00:10:1::6]:8080',
    ]);
    expect(generate(now)).toContain(`--comment "default/web:http -> [${written}]:8080"`);
  });

  test.each([
    { address: '010.244.1.5', what: "address '010.244.1.5' in EndpointSlice default/web-a" },
    { address: '::ffff:10.244.1.5', what: "address '::ffff:10.244.1.5' in EndpointSlice default/web-a" },
  ])('$address, which iptables-restore refuses, is an input error', ({ address, what }) => {
    expect(() => generate(situation({}, [endpoint(address)]))).toThrow(what);
  });

  test('that takes no traffic may have any address', () => {
    const unready = endpoint('010.244.1.5', { conditions: { ready: false } });
    expect(generate(situation({}, [HERE, unready]))).not.toContain('010');
  });

  test('remembers its clients under affinity, in both policies', () => {
    const given: ServiceFields = {
      type: 'NodePort',
      externalTrafficPolicy: 'Local',
      sessionAffinity: 'ClientIP',
      sessionAffinityTimeout: 600,
      ...NODE_PORT,
    };
    const now = situation(given, [HERE]);
    const [chain = ''] = chainsIn('nat', now).filter((name) => name.startsWith('KUBE-SEP-'));
    const list = `--name ${chain} --mask 255.255.255.255 --rsource`;
    const balance = '-m comment --comment "default/web:http -> 10.244.1.5:8080"';
    const rules = [
      `${balance} -m recent --rcheck --seconds 600 --reap ${list} -j ${chain}`,
      `${balance} -j ${chain}`,
    ];
    expect(rulesIn('nat', `KUBE-SVL-${HASH}`, now)).toEqual(rules);
    expect(rulesIn('nat', `KUBE-SVC-${HASH}`, now).slice(1)).toEqual(rules);
    expect(rulesIn('nat', chain, now)[1]).toBe(
      `-p tcp -m comment --comment "default/web:http" -m recent --set ${list} -m tcp -j DNAT --to-destination 10.244.1.5:8080`,
    );
  });
});
