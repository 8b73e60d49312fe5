/** Real kube-proxy rule sets: every Service address and port, from a pod, the node and outside. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { HostPlan } from '../../src/cli/kernel/host-plan.ts';
import { DEFAULT_CONNTRACK } from '../../src/netfilter/conntrack/timeouts.ts';
import { DEFAULT_DEVICE_SYSCTLS } from '../../src/netstack/device.ts';
import { familyOf, type IpFamily, parseIpAddress } from '../../src/wire/ip-address.ts';
import { parseInterfaceAddress, parseIpPrefix } from '../../src/wire/ip-prefix.ts';
import { type Loaded, loadManifests } from '../proxy/load-manifests.ts';
import { runCase } from './rig/differential.ts';
import { type Client, ServiceTraffic, serviceTargets } from './rig/service-traffic.ts';

const ROOT = new URL('../conformance/kube-proxy/iptables/', import.meta.url);

/** Of the pod subnets: the gateway on the node, and pods of it (one of them an endpoint) and of other nodes. */
const PODS: Readonly<Record<IpFamily, { readonly gateway: string; readonly local: readonly string[] }>> = {
  ipv4: { gateway: '10.244.1.1/24', local: ['10.244.1.5', '10.244.1.200'] },
  ipv6: { gateway: 'fd00:10:244:1::1/64', local: ['fd00:10:244:1::5', 'fd00:10:244:1::200'] },
};
const OUTSIDE: Readonly<Record<IpFamily, readonly string[]>> = {
  ipv4: ['172.18.0.99', '203.0.113.7', '10.244.2.6'],
  ipv6: ['fd00:18::99', '2001:db8::7', 'fd00:10:244:2::6'],
};

/** The device of the node's pods, by the name that the configuration looks for. */
function podDevice({ configuration: { detectLocal } }: Loaded): string {
  switch (detectLocal.mode) {
    case 'BridgeInterface':
      return detectLocal.bridgeInterface;
    case 'InterfaceNamePrefix':
      return `${detectLocal.interfaceNamePrefix}1`;
    default:
      return 'cni0';
  }
}

function planOf(loaded: Loaded, nodeAddresses: readonly string[]): HostPlan {
  const lengthOf = (address: string) => (address.includes(':') ? 64 : 16);
  return {
    devices: [
      {
        ...DEFAULT_DEVICE_SYSCTLS,
        name: 'eth0',
        addresses: nodeAddresses.map((address) => parseInterfaceAddress(`${address}/${lengthOf(address)}`)),
      },
      {
        ...DEFAULT_DEVICE_SYSCTLS,
        name: podDevice(loaded),
        addresses: [PODS.ipv4.gateway, PODS.ipv6.gateway].map(parseInterfaceAddress),
        routeLocalnet: true,
      },
    ],
    routes: (
      [
        ['0.0.0.0/0', '172.18.0.1'],
        ['::/0', 'fd00:18::1'],
      ] as const
    ).map(([prefix, gateway]) => ({
      type: 'unicast',
      prefix: parseIpPrefix(prefix),
      gateway: parseIpAddress(gateway),
      device: 'eth0',
      metric: 0,
    })),
    conntrack: DEFAULT_CONNTRACK,
  };
}

function clientsOf(loaded: Loaded, nodeAddress: string | undefined, family: IpFamily): Client[] {
  return [
    ...PODS[family].local.map((text) => ({ address: parseIpAddress(text), device: podDevice(loaded) })),
    ...OUTSIDE[family].map((text) => ({ address: parseIpAddress(text), device: 'eth0' })),
    ...(nodeAddress === undefined ? [] : [{ address: parseIpAddress(nodeAddress) }]),
  ];
}

const CASES = readdirSync(ROOT).sort();

describe.each(['nft', 'legacy'] as const)('iptables-%s', (backend) => {
  it.each(CASES)('%s', (name) => {
    const read = (file: string) => readFileSync(new URL(`${name}/${file}`, ROOT), 'utf8');
    const loaded = loadManifests(read('cluster.yaml'), `${name}/cluster.yaml`);
    const node = loaded.nodes.find(({ metadata }) => metadata.name === loaded.configuration.hostnameOverride);
    const nodeAddresses = (node?.status.addresses ?? []).map(({ address }) => address);
    for (const [family, file] of [
      ['ipv4', 'iptables.save'],
      ['ipv6', 'ip6tables.save'],
    ] as const) {
      const ofFamily = nodeAddresses.filter((text) => familyOf(parseIpAddress(text)) === family);
      const all = serviceTargets(loaded.services, ofFamily.map(parseIpAddress), family);
      // A large cluster's thousands are spread over the whole list.
      const targets = all.filter((_, index) => index % Math.ceil(all.length / 200) === 0);
      const traffic = new ServiceTraffic(clientsOf(loaded, ofFamily[0], family), targets, 2);
      const result = runCase(
        { plan: planOf(loaded, nodeAddresses), backend, engine: 'linear', rules: read(file), family },
        { next: () => traffic.next(), saw: (observation) => traffic.saw(observation) },
        { conntrackEvery: 25 },
      );
      expect(result.differences).toEqual([]);
      expect(result.packets).toBeGreaterThanOrEqual(targets.length * 8);
    }
  });
});
