/** The cluster networks: what they give a node, and whether packets then arrive. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { podDeviceName } from '../../src/cni/networks/attach-pod.ts';
import { vtepMac } from '../../src/cni/networks/flannel.ts';
import { CLUSTER_NETWORKS, type NodeNetworkPlan } from '../../src/cni/networks/network.ts';
import { planNodeNetwork } from '../../src/cni/networks/plan-network.ts';
import type { PolicyPod } from '../../src/cni/policy/policy.ts';
import { PolicyIndex } from '../../src/cni/policy/policy-index.ts';
import type { Namespace } from '../../src/netstack/namespace.ts';
import { mergeRuleSets } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { printRuleSet } from '../../src/ruletext/print-rules.ts';
import { formatIpAddress, type IpFamily, parseIpAddress } from '../../src/wire/ip-address.ts';
import { formatIpPrefix, parseIpPrefix } from '../../src/wire/ip-prefix.ts';
import { formatMac, isMulticastMac } from '../../src/wire/mac.ts';
import { NetworkWorld, networkInput, networkNodes } from './network-world.ts';

const FOREIGN = join(import.meta.dirname, '../../rules/foreign');

/** The rules and chains of a save, counters and remarks aside. */
function saved(text: string): string[] {
  return text.split('\n').filter((line) => /^(-A|\*)/.test(line));
}

/** `ip route` in short. */
function routes({ routes: all }: NodeNetworkPlan): string[] {
  return all.map(({ type, prefix, device, gateway, onlink, protocol }) =>
    [
      ...(type === 'unicast' ? [] : [type]),
      formatIpPrefix(prefix),
      ...(gateway === undefined ? [] : ['via', formatIpAddress(gateway)]),
      ...(device === '' ? [] : ['dev', device]),
      ...(protocol === undefined ? [] : ['proto', protocol]),
      ...(onlink === true ? ['onlink'] : []),
    ].join(' '),
  );
}

describe('rules', () => {
  const printed = (plan: NodeNetworkPlan, family: IpFamily) =>
    saved(printRuleSet(mergeRuleSets([parseRules(plan.rules[family], { family })])));

  it.each(['ipv4', 'ipv6'] as const)('of flannel are those of a flannel node, %s', (family) => {
    const file = family === 'ipv4' ? 'iptables.save' : 'ip6tables.save';
    const text = readFileSync(join(FOREIGN, 'flannel', file), 'utf8');
    const input = networkInput('flannel');
    const [own = parseIpPrefix('10.244.1.0/24'), own6 = parseIpPrefix('fd00:10:244:1::/64')] =
      input.node.podCIDRs;
    const node = { ...input.node, podCIDRs: [own, own6] };
    expect(printed(planNodeNetwork({ ...input, node }), family)).toEqual(saved(text));
  });

  it.each(['ipv4', 'ipv6'] as const)('of kindnet are those of a kind node, %s', (family) => {
    const file = family === 'ipv4' ? 'iptables.save' : 'ip6tables.save';
    const agent = saved(readFileSync(join(FOREIGN, 'kindnet', file), 'utf8')).filter((line) =>
      line.includes('KIND-MASQ-AGENT'),
    );
    const input = networkInput('kindnet');
    const podSubnets = [parseIpPrefix('10.244.0.0/16'), parseIpPrefix('fd00:10:244::/56')];
    const rules = printed(planNodeNetwork({ ...input, podSubnets }), family);
    expect(rules.filter((line) => line.startsWith('-A'))).toEqual(agent);
  });

  it.each(['ipv4', 'ipv6'] as const)('of calico say what those of a Calico node say, %s', (family) => {
    const file = family === 'ipv4' ? 'iptables.save' : 'ip6tables.save';
    const hashless = (lines: readonly string[]) =>
      lines.map((line) => line.replace(/"cali:[^"]*"/, '"cali:"'));
    const text = readFileSync(join(FOREIGN, 'calico', file), 'utf8');
    const nat = saved(text.slice(text.indexOf('*nat')));
    expect(hashless(printed(planNodeNetwork(networkInput('calico')), family))).toEqual(hashless(nat));
  });

  it.each(CLUSTER_NETWORKS)('of %s without masquerading translate nothing', (network) => {
    const { rules } = planNodeNetwork(networkInput(network, 0, { masquerade: false }));
    expect(rules.ipv4).not.toMatch(/KIND-MASQ-AGENT|FLANNEL-POSTRTG|-A cali-nat-outgoing/);
  });
});

describe('plans', () => {
  it('kindnet: routes through the nodes, the MTU of the uplink', () => {
    const plan = planNodeNetwork(networkInput('kindnet'));
    expect(plan).toMatchObject({ interfaces: [], addresses: [], podMtu: 1500 });
    expect(routes(plan)).toEqual([
      '10.244.2.0/24 via 172.18.0.3 dev eth0',
      'fd00:10:244:2::/64 via fd18::3 dev eth0',
      '10.244.3.0/24 via 172.18.0.4 dev eth0',
      'fd00:10:244:3::/64 via fd18::4 dev eth0',
    ]);
    expect(JSON.parse(plan.conflist)).toMatchObject({
      name: 'kindnet',
      plugins: [
        {
          type: 'ptp',
          mtu: 1500,
          ipam: { ranges: [[{ subnet: '10.244.1.0/24' }], [{ subnet: 'fd00:10:244:1::/64' }]] },
        },
        { type: 'portmap' },
      ],
    });
  });

  it('flannel: VXLAN devices, permanent neighbours, onlink routes', () => {
    const plan = planNodeNetwork(networkInput('flannel', 1));
    const [first, second, bridge] = plan.interfaces;
    expect(first).toMatchObject({
      kind: 'vxlan',
      name: 'flannel.1',
      vni: 1,
      port: 8472,
      mtu: 1450,
      learning: false,
    });
    expect(second).toMatchObject({ kind: 'vxlan', name: 'flannel-v6.1', mtu: 1430 });
    expect(bridge).toMatchObject({ kind: 'bridge', name: 'cni0', mtu: 1450 });
    expect(plan.addresses.map(({ device, address }) => `${device} ${formatIpPrefix(address)}`)).toEqual([
      'flannel.1 10.244.2.0/32',
      'flannel-v6.1 fd00:10:244:2::/128',
      'cni0 10.244.2.1/24',
      'cni0 fd00:10:244:2::1/64',
    ]);
    expect(routes(plan)).toEqual([
      '10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink',
      'fd00:10:244:1::/64 via fd00:10:244:1:: dev flannel-v6.1 onlink',
      '10.244.3.0/24 via 10.244.3.0 dev flannel.1 onlink',
      'fd00:10:244:3::/64 via fd00:10:244:3:: dev flannel-v6.1 onlink',
    ]);
    // What a node expects of its peer is what the peer has.
    const peer = planNodeNetwork(networkInput('flannel', 0));
    const peerDevice = peer.interfaces.find(({ name }) => name === 'flannel.1');
    const known = plan.neighbours.find(({ address }) => formatIpAddress(address) === '10.244.1.0');
    expect(known?.mac).toBe(peerDevice?.kind === 'vxlan' ? peerDevice.mac : undefined);
    expect(plan.fdb.find(({ mac }) => mac === known?.mac)?.remote).toBe(parseIpAddress('172.18.0.2'));
    expect(new Set([...plan.fdb, ...peer.fdb].map(({ mac }) => formatMac(mac))).size).toBe(6);
  });

  it('flannel: every tunnel end has a MAC address of its own', () => {
    const ends = Array.from({ length: 5000 }, (_, index) => [
      vtepMac(`worker-${index}`, 'ipv4'),
      vtepMac(`worker-${index}`, 'ipv6'),
    ]).flat();
    expect(new Set(ends).size).toBe(10_000);
    expect(ends.every((mac) => !isMulticastMac(mac))).toBe(true);
  });

  it('flannel host-gw: routes alone, the whole MTU', () => {
    const plan = planNodeNetwork(networkInput('flannel', 0, { backend: 'host-gw' }));
    expect(plan.interfaces).toMatchObject([{ kind: 'bridge', name: 'cni0', mtu: 1500 }]);
    expect(routes(plan)).toContain('10.244.2.0/24 via 172.18.0.3 dev eth0');
    expect([...plan.neighbours, ...plan.fdb]).toEqual([]);
  });

  it('flannel with direct routing: VXLAN only to nodes that are not neighbours', () => {
    const input = networkInput('flannel', 0, { directRouting: true });
    const nodes = networkNodes(3).map((node) =>
      node.name === 'n3' ? { ...node, addresses: ['172.19.0.4', 'fd19::4'].map(parseIpAddress) } : node,
    );
    expect(routes(planNodeNetwork({ ...input, nodes }))).toEqual([
      '10.244.2.0/24 via 172.18.0.3 dev eth0',
      'fd00:10:244:2::/64 via fd18::3 dev eth0',
      '10.244.3.0/24 via 10.244.3.0 dev flannel.1 onlink',
      'fd00:10:244:3::/64 via fd00:10:244:3:: dev flannel-v6.1 onlink',
    ]);
  });

  it('calico: IPIP for IPv4, direct routes for IPv6, blackholes for its own blocks', () => {
    const plan = planNodeNetwork(networkInput('calico'));
    expect(plan.interfaces).toEqual([{ kind: 'ipip', name: 'tunl0', mtu: 1480 }]);
    expect(plan.addresses.map(({ device, address }) => `${device} ${formatIpPrefix(address)}`)).toEqual([
      'tunl0 10.244.1.0/32',
    ]);
    expect(routes(plan)).toEqual([
      '10.244.2.0/24 via 172.18.0.3 dev tunl0 proto bird onlink',
      'fd00:10:244:2::/64 via fd18::3 dev eth0 proto bird',
      '10.244.3.0/24 via 172.18.0.4 dev tunl0 proto bird onlink',
      'fd00:10:244:3::/64 via fd18::4 dev eth0 proto bird',
      'blackhole 10.244.1.0/24 proto bird',
      'blackhole fd00:10:244:1::/64 proto bird',
    ]);
    expect(plan.rules.ipv4).toContain('"cali:Z-c7XtVd2Bq7s_hA" --jump cali-fip-snat');
    expect(plan.sets).toContain('add cali40masq-ipam-pools 10.244.0.0/16\n');
  });

  it.each([
    ['none', 1500, '10.244.2.0/24 via 172.18.0.3 dev eth0 proto bird'],
    ['ipip-cross-subnet', 1480, '10.244.2.0/24 via 172.18.0.3 dev eth0 proto bird'],
    ['ipip', 1480, '10.244.2.0/24 via 172.18.0.3 dev tunl0 proto bird onlink'],
  ] as const)('calico, backend %s', (backend, mtu, route) => {
    const plan = planNodeNetwork(networkInput('calico', 0, { backend }));
    expect(plan.podMtu).toBe(mtu);
    expect(routes(plan)).toContain(route);
  });

  it('calico across subnets: the tunnel to the node on the other one only', () => {
    const input = networkInput('calico', 0, { backend: 'ipip-cross-subnet' });
    const nodes = networkNodes(3).map((node) =>
      node.name === 'n3' ? { ...node, addresses: [parseIpAddress('172.19.0.4')] } : node,
    );
    expect(routes(planNodeNetwork({ ...input, nodes })).slice(0, 3)).toEqual([
      '10.244.2.0/24 via 172.18.0.3 dev eth0 proto bird',
      'fd00:10:244:2::/64 via fd18::3 dev eth0 proto bird',
      '10.244.3.0/24 via 172.19.0.4 dev tunl0 proto bird onlink',
    ]);
  });

  it.each(CLUSTER_NETWORKS)('%s takes the MTU that is asked for', (network) => {
    const plan = planNodeNetwork(networkInput(network, 0, { mtu: 1300 }));
    expect(plan.podMtu).toBe(1300);
    expect(plan.interfaces.map(({ mtu }) => mtu).every((mtu) => mtu === 1300)).toBe(true);
  });

  it.each(CLUSTER_NETWORKS)('%s of one family has nothing of the other', (network) => {
    const input = networkInput(network);
    const single = (node: (typeof input)['node']) => ({ ...node, podCIDRs: node.podCIDRs.slice(0, 1) });
    const plan = planNodeNetwork({
      ...input,
      node: single(input.node),
      nodes: input.nodes.map(single),
      podSubnets: input.podSubnets.slice(0, 1),
    });
    expect(plan.rules.ipv6).toBe('');
    expect(routes(plan).filter((route) => route.includes('::'))).toEqual([]);
    expect(plan.sysctls['net.ipv6.conf.all.forwarding']).toBeUndefined();
  });

  it('names the devices of pods as Calico does', () => {
    const { pods } = planNodeNetwork(networkInput('calico'));
    const hash = createHash('sha1').update('kube-system.coredns-0').digest('hex');
    expect(podDeviceName(pods, { namespace: 'kube-system', name: 'coredns-0' })).toBe(
      `cali${hash.slice(0, 11)}`,
    );
    const { pods: ptp } = planNodeNetwork(networkInput('kindnet'));
    expect(podDeviceName(ptp, { namespace: 'a', name: 'b' })).toMatch(/^veth[0-9a-f]{8}$/);
  });
});

const FAMILY_TEXT = [
  {
    family: 'ipv4',
    pod: (node: number, number = 5) => `10.244.${node + 1}.${number}`,
    node: (n: number) => `172.18.0.${n + 2}`,
    outside: '192.0.2.9',
  },
  {
    family: 'ipv6',
    pod: (node: number, number = 5) => `fd00:10:244:${node + 1}::${number}`,
    node: (n: number) => `fd18::${n + 2}`,
    outside: '2001:db8::9',
  },
] as const;

describe.each(CLUSTER_NETWORKS)('%s carries', (network) => {
  describe.each(FAMILY_TEXT)('$family', ({ family, pod, node, outside }) => {
    const reply = (from: string, ttl: number) => [{ from, what: 'reply', ttl }];

    it('pod to pod on the same node', () => {
      const world = new NetworkWorld(network);
      world.pod(0, 6);
      // A bridge is no router.
      const ttl = network === 'flannel' ? 64 : 63;
      expect(world.ping(world.pod(0), pod(0, 6))).toEqual(reply(pod(0, 6), ttl));
    });

    it('pod to pod on another node', () => {
      const world = new NetworkWorld(network);
      world.pod(1);
      expect(world.ping(world.pod(0), pod(1))).toEqual(reply(pod(1), 62));
    });

    it('pod to its node, and to another', () => {
      const world = new NetworkWorld(network);
      expect(world.ping(world.pod(0), node(0))).toEqual(reply(node(0), 64));
      expect(world.ping(world.pod(0), node(1))).toEqual(reply(node(1), 63));
    });

    it('node to its pod, and to one of another', () => {
      const world = new NetworkWorld(network);
      const [first] = world.nodes;
      if (first === undefined) throw new Error('no node');
      world.pod(0);
      world.pod(1);
      expect(world.ping(first, pod(0))).toEqual(reply(pod(0), 64));
      expect(world.ping(first, pod(1))).toEqual(reply(pod(1), 63));
    });

    it('pod to the outside, as its node', () => {
      const world = new NetworkWorld(network);
      const seen: string[] = [];
      world.outside.interface('eth0')?.addTap(({ direction, frame }) => {
        if (direction !== 'in' || frame?.payload.kind !== 'ip') return;
        if (
          frame.payload.packet.transport.kind === 'icmp' &&
          frame.payload.packet.transport.data.length === 56
        ) {
          seen.push(formatIpAddress(frame.payload.packet.src));
        }
      });
      expect(world.ping(world.pod(0), outside)).toEqual(reply(outside, 62));
      expect(seen).toEqual([node(0)]);
    });

    it('packets as long as fit, and tells of longer ones', () => {
      const world = new NetworkWorld(network);
      world.pod(1);
      const headers = family === 'ipv4' ? 28 : 48;
      const { podMtu, interfaces } = planNodeNetwork(networkInput(network));
      // flannel's IPv6 tunnel holds less than its pods are told.
      const tunnel = interfaces.find(({ name }) => family === 'ipv6' && name.includes('v6'));
      const largest = tunnel?.mtu ?? podMtu;
      const ping = (bytes: number) =>
        world.ping(world.pod(0), pod(1), { size: bytes - headers, dontFragment: true });
      expect(ping(largest)).toEqual(reply(pod(1), 62));
      const said = ping(largest + 1);
      if (tunnel === undefined) {
        // The pod's own device is the first that is too small.
        expect(said.map(({ what }) => what)).not.toContain('reply');
      } else {
        expect(said).toMatchObject([{ from: 'fd00:10:244:1::1', what: 'icmp 2/0' }]);
      }
    });
  });
});

describe.each(CLUSTER_NETWORKS)('NetworkPolicies on %s', (network) => {
  const pods = [0, 1, 2].flatMap((node) =>
    [5, 6, 7].map(
      (number): PolicyPod => ({
        namespace: 'default',
        name: `pod${node}-${number}`,
        node: `n${node + 1}`,
        labels: { number: number === 6 ? '6' : '5' },
        addresses: FAMILY_TEXT.map(({ pod }) => parseIpAddress(pod(node, number))),
        ports: [],
        hostNetwork: false,
      }),
    ),
  );
  const five = { matchLabels: { number: '5' }, matchExpressions: [] };
  const index = new PolicyIndex({
    pods,
    namespaces: [],
    policies: [
      {
        metadata: { namespace: 'default', name: 'fives' },
        spec: {
          podSelector: five,
          policyTypes: ['Ingress', 'Egress'],
          ingress: [{ ports: [], from: [{ podSelector: five }] }],
          egress: [{ ports: [], to: [{ podSelector: five }] }],
        },
      },
    ],
  });

  it.each(FAMILY_TEXT)('$family', ({ pod, node, outside }) => {
    const world = new NetworkWorld(network, {}, index);
    const [first, second] = world.nodes;
    if (first === undefined || second === undefined) throw new Error('no nodes');
    for (const at of [0, 1]) for (const number of [5, 6, 7]) world.pod(at, number);
    const attempts: readonly (readonly [string, Namespace, string])[] = [
      ['allowed, another node', world.pod(0), pod(1)],
      ['allowed, same node', world.pod(0), pod(0, 7)],
      ['not selected, another node', world.pod(0, 6), pod(1)],
      ['not selected, same node', world.pod(0, 6), pod(0)],
      ['egress to one not selected', world.pod(0), pod(1, 6)],
      ['egress on the same node', world.pod(0), pod(0, 6)],
      ['egress to the outside', world.pod(0), outside],
      ['nobody isolates', world.pod(0, 6), pod(1, 6)],
      ['to the outside', world.pod(0, 6), outside],
      ['a node to its pod', first, pod(0)],
      ['a pod to its node', world.pod(0), node(0)],
      ['a node to a pod of another', second, pod(0)],
      ['a pod to another node', world.pod(0), node(1)],
    ];
    const arrived = attempts.filter(([, from, to]) => world.ping(from, to, { seconds: 3 }).length > 0);
    expect(arrived.map(([name]) => name)).toEqual([
      'allowed, another node',
      'allowed, same node',
      'nobody isolates',
      'to the outside',
      'a node to its pod',
      'a pod to its node',
    ]);
  });
});

describe('what goes wrong by configuration', () => {
  it('an MTU that leaves no room for VXLAN loses what is longer than fits', () => {
    const world = new NetworkWorld('flannel', { mtu: 1500 });
    world.pod(1);
    const ping = (size: number) => world.ping(world.pod(0), '10.244.2.5', { size, dontFragment: true });
    expect(ping(1450 - 28)).toHaveLength(1);
    const [first] = world.nodes;
    const tunnel = first?.interface('flannel.1');
    // The kernel does not let the tunnel promise more than its uplink carries, so the node says so.
    expect(tunnel?.mtu).toBe(1450);
    expect(ping(1500 - 28)).toMatchObject([{ from: '10.244.1.1', what: 'icmp 3/4' }]);
  });

  it.each([
    [true, 1],
    [false, 0],
  ])('hairpin_mode %s: a pod that is sent back to itself gets %i answers', (hairpinMode, answers) => {
    const world = new NetworkWorld('flannel', { hairpinMode });
    const pod = world.pod(0);
    const [node] = world.nodes;
    // A Service of the pod's own: its address, and masquerading on the way back.
    node?.setRules(() => [
      mergeRuleSets([
        parseRules(
          [
            '*nat',
            '-A PREROUTING -d 10.96.0.10/32 -j DNAT --to-destination 10.244.1.5',
            '-A POSTROUTING -s 10.244.1.5/32 -d 10.244.1.5/32 -j MASQUERADE',
            'COMMIT',
            '',
          ].join('\n'),
          { family: 'ipv4' },
        ),
      ]),
    ]);
    expect(world.ping(pod, '10.96.0.10')).toHaveLength(answers);
  });

  it('a Calico node without a default route does not answer for the gateway of its pods', () => {
    const world = new NetworkWorld('calico', { backend: 'none' });
    world.pod(1);
    expect(world.ping(world.pod(0), '10.244.2.5')).toHaveLength(1);
    const other = new NetworkWorld('calico', { backend: 'none' });
    other.pod(1);
    for (const node of other.nodes)
      node.removeRoutes(({ prefix, device }) => prefix.length === 0 && device === 'eth0');
    const answers = other.ping(other.pod(0), '10.244.2.5');
    expect(answers.map(({ what }) => what)).not.toContain('reply');
  });

  it.each([
    ['1', 0],
    ['0', 1],
  ])(
    'bridge-nf-call-iptables=%s: a policy between pods of one bridge lets %i answers through',
    (value, answers) => {
      const world = new NetworkWorld('flannel');
      const [from] = [world.pod(0), world.pod(0, 6)];
      const [node] = world.nodes;
      const pods = [5, 6].map((number) => ({
        namespace: 'default',
        name: `pod${number}`,
        node: 'n1',
        labels: {},
        addresses: [parseIpAddress(`10.244.1.${number}`)],
        ports: [],
        hostNetwork: false,
      }));
      const nothing = { matchLabels: {}, matchExpressions: [] };
      const spec = { podSelector: nothing, policyTypes: ['Ingress'] as const, ingress: [], egress: [] };
      const policies = new PolicyIndex({
        pods,
        namespaces: [],
        policies: [{ metadata: { namespace: 'default', name: 'deny' }, spec }],
      });
      const { rules } = policies.nodeRules('n1', 'ipv4');
      node?.setSysctl('net.bridge.bridge-nf-call-iptables', value);
      node?.setRules(() => [mergeRuleSets([parseRules(rules, { family: 'ipv4' })])]);
      expect(world.ping(from, '10.244.1.6')).toHaveLength(answers);
    },
  );
});
