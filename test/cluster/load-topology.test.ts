import { describe, expect, it } from 'vitest';
import { loadCluster } from '../../src/cluster/load.ts';
import { DEFAULT_TOPOLOGY, type Topology } from '../../src/cluster/topology.ts';
import { printRules } from '../../src/ruletext/print-rules.ts';
import { formatIpAddress } from '../../src/wire/ip-address.ts';
import { formatIpPrefix } from '../../src/wire/ip-prefix.ts';
import { refusalOf } from '../kube/manifest-text.ts';

const load = (text: string): Topology =>
  loadCluster([{ file: 'in.yaml', text: `apiVersion: kubewire.dev/v1alpha1\nkind: Topology\n${text}` }])
    .topology;

describe('Topology', () => {
  it('has defaults for all of it', () => {
    expect(load('metadata: {name: lab}')).toEqual(DEFAULT_TOPOLOGY);
  });

  it('reads the node network; a gateway is its first address by default', () => {
    const { nodeNetwork } = load(
      'nodeNetwork: {subnets: [10.0.0.0/24, "fd01::/64"], gateways: ["fd01::ffff"]}',
    );
    expect(nodeNetwork.subnets.map(formatIpPrefix)).toEqual(['10.0.0.0/24', 'fd01::/64']);
    expect(nodeNetwork.gateways.map(formatIpAddress)).toEqual(['10.0.0.1', 'fd01::ffff']);
  });

  it('reads hosts; an address of the node network has that network’s length', () => {
    const [laptop, peer] = load(
      'hosts:\n- name: laptop\n  addresses: [203.0.113.10/24, "2001:db8::1"]\n  gateways: [203.0.113.1]\n- {name: peer, addresses: [172.18.0.200]}\n',
    ).hosts;
    expect(laptop?.addresses.map(formatIpPrefix)).toEqual(['203.0.113.10/24', '2001:db8::1/128']);
    expect(laptop?.gateways.map(formatIpAddress)).toEqual(['203.0.113.1']);
    expect(laptop?.origin).toMatchObject({ file: 'in.yaml', line: 4 });
    expect(peer?.addresses.map(formatIpPrefix)).toEqual(['172.18.0.200/16']);
    expect(peer?.gateways).toEqual([]);
  });

  it('reads sysctls, common ones and a node’s own', () => {
    const { sysctls, nodes } = load(
      'sysctls: {net.ipv4.ip_forward: 1, net.ipv4.conf.all.rp_filter: "0"}\nnodes: [{name: kind-worker, sysctls: {net.ipv4.conf.all.rp_filter: 2}}]',
    );
    expect(sysctls).toEqual({ 'net.ipv4.ip_forward': '1', 'net.ipv4.conf.all.rp_filter': '0' });
    expect(nodes.get('kind-worker')?.sysctls).toEqual({ 'net.ipv4.conf.all.rp_filter': '2' });
  });

  it('reads a node’s own routes and rules', () => {
    const settings = load(
      'nodes:\n- name: kind-worker\n  routes: [{dst: 192.0.2.0/24, via: 172.18.0.9, metric: 5}, {dst: 198.51.100.1, type: blackhole}]\n  iptables: |\n    *filter\n    :FORWARD DROP [0:0]\n    COMMIT\n',
    ).nodes.get('kind-worker');
    expect(settings?.routes.map(({ prefix, type }) => `${type} ${formatIpPrefix(prefix)}`)).toEqual([
      'unicast 192.0.2.0/24',
      'blackhole 198.51.100.1/32',
    ]);
    expect(settings?.rules.map((rules) => printRules(rules))).toEqual([
      '*filter\n:FORWARD DROP [0:0]\nCOMMIT\n',
    ]);
  });

  it('reads what wires are like', () => {
    const [link] = load(
      'links:\n- {at: node/a, latency: 2ms, jitter: 300us, loss: 5%, reorder: 0.01, duplicate: 1%, bandwidth: 100Mbit, queue: 10, mtu: 1400, up: false}\n',
    ).links;
    expect(link).toMatchObject({
      at: 'node/a',
      latency: 0.002,
      loss: 0.05,
      reorder: 0.01,
      bandwidth: 1e8,
      queue: 10,
      mtu: 1400,
      up: false,
    });
  });

  it('reads pools as ranges, networks and single addresses', () => {
    const pool = load(
      'loadBalancer: {pool: [192.0.2.10-192.0.2.12, 198.51.100.8/30, "2001:db8::1"]}',
    ).loadBalancerPool;
    expect(pool.map(({ first, last }) => `${formatIpAddress(first)} ${formatIpAddress(last)}`)).toEqual([
      '192.0.2.10 192.0.2.12',
      '198.51.100.8 198.51.100.11',
      '2001:db8::1 2001:db8::1',
    ]);
  });

  it('reads names of devices and the plugin', () => {
    const { cni, devices } = load(
      'cni: {plugin: flannel, mtu: 1400, hairpinMode: false}\ndevices: {uplink: ens3, podPrefix: cali}',
    );
    expect(cni).toEqual({ plugin: 'flannel', mtu: 1400, hairpinMode: false });
    expect(devices).toEqual({ uplink: 'ens3', podPrefix: 'cali' });
  });

  it.each<[string, string, string]>([
    [
      'an unknown field',
      'routers: []',
      'in.yaml:3: Topology: routers: unknown field; expected apiVersion, kind, ',
    ],
    ['a field in the wrong case', 'nodenetwork: {}', 'nodenetwork: unknown field; did you mean nodeNetwork?'],
    [
      'an unknown field deep inside',
      'hosts:\n- name: a\n  addresses: [10.0.0.1]\n  gateway: 10.0.0.2',
      'in.yaml:6: Topology: hosts[0].gateway: unknown field; did you mean gateways?',
    ],
    [
      'host bits in a subnet',
      'nodeNetwork: {subnets: [172.18.0.1/16]}',
      "nodeNetwork.subnets[0]: '172.18.0.1/16' has host bits set; the network is 172.18.0.0/16",
    ],
    [
      'two subnets of one family',
      'nodeNetwork: {subnets: [10.0.0.0/24, 10.0.1.0/24]}',
      'nodeNetwork.subnets[1]: a network of family ipv4 is already used by nodeNetwork.subnets[0]',
    ],
    ['no subnets', 'nodeNetwork: {subnets: []}', 'nodeNetwork.subnets: expected at least one network'],
    [
      'a gateway elsewhere',
      'nodeNetwork: {gateways: [10.9.9.9]}',
      'nodeNetwork.gateways[0]: is in none of the subnets',
    ],
    ['a host without addresses', 'hosts: [{name: a}]', 'hosts[0].addresses: expected at least one address'],
    ['a host without a name', 'hosts: [{addresses: [10.0.0.1]}]', 'hosts[0].name: is required'],
    [
      'a host name twice',
      'hosts: [{name: a, addresses: [10.0.0.1]}, {name: a, addresses: [10.0.0.2]}]',
      'the host name a is already used by hosts[0]',
    ],
    [
      'a bad host address',
      'hosts: [{name: a, addresses: [10.0.0.1/33]}]',
      'has a prefix length that is not 0 to 32',
    ],
    ['leading zeros', 'hosts: [{name: a, addresses: [10.0.0.01]}]', "'10.0.0.01' is not an address"],
    [
      'two gateways of one family',
      'hosts: [{name: a, addresses: [10.0.0.1], gateways: [10.0.0.2, 10.0.0.3]}]',
      'a gateway of family ipv4 is already used',
    ],
    [
      'a long device name',
      'devices: {uplink: a-name-of-16-chars}',
      'is not a device name (at most 15 characters',
    ],
    [
      'something that is no sysctl',
      'sysctls: {ip_forward: 1}',
      'sysctls.ip_forward: is not the name of a sysctl',
    ],
    [
      'a sysctl that is true',
      'sysctls: {net.ipv4.ip_forward: true}',
      'expected a string, found true (quote it)',
    ],
    [
      'a range from high to low',
      'loadBalancer: {pool: [192.0.2.12-192.0.2.10]}',
      'loadBalancer.pool[0]: the last address comes before the first',
    ],
    [
      'a range across families',
      'loadBalancer: {pool: ["192.0.2.1-2001:db8::1"]}',
      'the two ends are of different IP families',
    ],
    ['a range of three', 'loadBalancer: {pool: [1.1.1.1-1.1.1.2-1.1.1.3]}', 'expected FIRST-LAST'],
    ['a bad port range', 'serviceNodePortRange: "30000"', 'expected a range such as 30000-32767'],
    ['an empty port range', 'serviceNodePortRange: 32767-30000', 'the range is empty'],
    [
      'a port range beyond the ports',
      'serviceNodePortRange: 30000-70000',
      '70000 is not between 1 and 65535',
    ],
    [
      'a plugin that is not emulated',
      'cni: {plugin: weave}',
      'cni.plugin: "weave" is not one of kindnet, flannel, calico, ptp',
    ],
    [
      'a backend of another plugin',
      'cni: {plugin: flannel, backend: ipip}',
      'cni.backend: "ipip" is not one of vxlan, host-gw',
    ],
    ['a backend where there is no choice', 'cni: {backend: vxlan}', 'kindnet has no choice of backends'],
    ['an end of no wire', 'links: [{at: svc/default/web}]', 'is no end of a wire: expected pod/'],
    ['a wire twice', 'links: [{at: node/a}, {at: node/a}]', 'the link at node/a is already used by links[0]'],
    [
      'a duration without a unit of time',
      'links: [{at: node/a, latency: 5kg}]',
      'quantity such as 2ms, 1.5s',
    ],
    ['more loss than frames', 'links: [{at: node/a, loss: 120%}]', 'links[0].loss: is more than everything'],
    ['no bandwidth at all', 'links: [{at: node/a, bandwidth: 0}]', 'must be more than nothing'],
    [
      'a route to nowhere in particular',
      'nodes: [{name: a, routes: [{dst: default, dev: eth0}]}]',
      'nodes[0].routes[0]: a default route needs `via` here',
    ],
    [
      'a gateway of another family',
      'nodes: [{name: a, routes: [{dst: 10.0.0.0/8, via: "fd00::1"}]}]',
      'nodes[0].routes[0].via: is of another IP family than dst',
    ],
    [
      'rules that are none',
      'nodes:\n- name: a\n  iptables: |\n    *filter\n    -A FORWARD -j\n    COMMIT\n',
      'in.yaml:7: ',
    ],
  ])('refuses %s', (_, text, message) => {
    expect(refusalOf(() => load(text))).toContain(message);
  });
});
