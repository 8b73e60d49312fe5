/** Small networks that several suites use. */
import type { DeviceSpec, NamespaceSpec, NetworkSpec } from './network-spec.ts';

export const FORWARDS = { 'net.ipv4.ip_forward': 1, 'net.ipv6.conf.all.forwarding': 1 } as const;

/** A wire between `a` (10.0.0.1, fd00::1) and `b` (10.0.0.2, fd00::2). */
export function onOneWire(a: NamespaceSpec = {}, b: NamespaceSpec = {}): NetworkSpec {
  const end = (last: number, spec: NamespaceSpec): NamespaceSpec => ({
    ...spec,
    devices: {
      eth0: { addresses: [`10.0.0.${last}/24`, `fd00::${last}/64`, `fe80::${last}/64`] },
      ...spec.devices,
    },
  });
  return { namespaces: { a: end(1, a), b: end(2, b) }, wires: [['a/eth0', 'b/eth0']] };
}

export interface NodeOptions {
  /** Per pod, what its bridge port is like. */
  readonly port?: Partial<DeviceSpec>;
  readonly sysctls?: Readonly<Record<string, number>>;
  readonly iptables?: string;
  readonly ip6tables?: string;
  readonly pods?: number;
}

/**
 * A node with a bridge br0 (10.0.0.254, fd00::254) and pods p1, p2, … (10.0.0.1, fd00::1, …) on its ports
 * veth1, veth2, …, and an outside host `out` (192.168.0.2, fd01::2) behind eth0 (192.168.0.1, fd01::1).
 */
export function nodeWithPods({
  port,
  sysctls,
  iptables,
  ip6tables,
  pods = 2,
}: NodeOptions = {}): NetworkSpec {
  const numbers = Array.from({ length: pods }, (_, index) => index + 1);
  const ports = numbers.map((n) => [`veth${n}`, { master: 'br0', ...port } as DeviceSpec] as const);
  const members = numbers.map((n) => {
    const pod: NamespaceSpec = {
      devices: { eth0: { addresses: [`10.0.0.${n}/24`, `fd00::${n}/64`, `fe80::${n}/64`] } },
      routes: [
        { to: 'default', via: '10.0.0.254' },
        { to: 'default', via: 'fd00::fe' },
      ],
    };
    return [`p${n}`, pod] as const;
  });
  return {
    namespaces: {
      node: {
        devices: {
          br0: { kind: 'bridge', addresses: ['10.0.0.254/24', 'fd00::fe/64', 'fe80::fe/64'] },
          ...Object.fromEntries(ports),
          eth0: { addresses: ['192.168.0.1/24', 'fd01::1/64', 'fe80::1/64'] },
        },
        sysctls: { ...FORWARDS, ...sysctls },
        ...(iptables === undefined ? {} : { iptables }),
        ...(ip6tables === undefined ? {} : { ip6tables }),
      },
      ...Object.fromEntries(members),
      out: {
        devices: { eth0: { addresses: ['192.168.0.2/24', 'fd01::2/64', 'fe80::2/64'] } },
        routes: [
          { to: 'default', via: '192.168.0.1' },
          { to: 'default', via: 'fd01::1' },
        ],
      },
    },
    wires: [
      ...numbers.map((n) => [`node/veth${n}`, `p${n}/eth0`] as const),
      ['node/eth0', 'out/eth0'] as const,
    ],
  };
}

export interface OverlayOptions {
  /** Changes the VXLAN device of both nodes. */
  readonly vxlan?: Partial<Extract<DeviceSpec, { kind: 'vxlan' }>>;
  /** False: the VXLAN devices are not bound to eth0, whose MTU then does not limit theirs. */
  readonly bound?: boolean;
  /** The MTU of the pods' side; by default what the VXLAN device leaves, 1450. */
  readonly podMtu?: number;
  /** The MTU between the nodes. */
  readonly underlayMtu?: number;
  readonly iptables?: string;
  readonly sysctls?: Readonly<Record<string, number>>;
}

const VTEP = (node: number) => `02:00:00:00:ee:0${node}`;

/**
 * Two nodes joined as flannel joins them: n1 (192.168.0.1) with pod p1 (10.244.1.2), n2 (192.168.0.2) with pod p2
 * (10.244.2.2); pods behind the bridge cni0, nodes' VXLAN devices with permanent neighbours and forwarding entries.
 */
export function overlay(options: OverlayOptions = {}): NetworkSpec {
  const { vxlan, bound = true, podMtu = 1450, underlayMtu = 1500, iptables, sysctls } = options;
  const node = (self: number, other: number): NamespaceSpec => ({
    devices: {
      eth0: { addresses: [`192.168.0.${self}/24`], mtu: underlayMtu },
      'flannel.1': {
        kind: 'vxlan',
        id: 1,
        local: `192.168.0.${self}`,
        ...(bound ? { link: 'eth0' } : {}),
        mac: VTEP(self),
        addresses: [`10.244.${self}.0/32`],
        ...vxlan,
      },
      cni0: { kind: 'bridge', addresses: [`10.244.${self}.1/24`], mtu: podMtu },
      veth1: { master: 'cni0', hairpin: true, mtu: podMtu },
    },
    neighbours: [{ address: `10.244.${other}.0`, dev: 'flannel.1', mac: VTEP(other) }],
    fdb: [{ mac: VTEP(other), dev: 'flannel.1', dst: `192.168.0.${other}` }],
    routes: [{ to: `10.244.${other}.0/24`, via: `10.244.${other}.0`, dev: 'flannel.1', onlink: true }],
    sysctls: { ...FORWARDS, ...sysctls },
    ...(iptables === undefined ? {} : { iptables }),
  });
  const pod = (self: number): NamespaceSpec => ({
    devices: { eth0: { addresses: [`10.244.${self}.2/24`], mtu: podMtu } },
    routes: [{ to: 'default', via: `10.244.${self}.1` }],
  });
  return {
    namespaces: { n1: node(1, 2), n2: node(2, 1), p1: pod(1), p2: pod(2) },
    wires: [
      ['n1/eth0', 'n2/eth0'],
      ['n1/veth1', 'p1/eth0'],
      ['n2/veth1', 'p2/eth0'],
    ],
  };
}

/**
 * A node as Calico makes it: pods p1 (10.1.0.1) and p2 (10.1.0.2) with a /32 each and a default route to
 * 169.254.1.1, for which the node answers ARP; an outside host `out` (192.168.0.2) behind eth0.
 */
export function routedPods(sysctls: Readonly<Record<string, number>> = {}): NetworkSpec {
  const pod = (n: number): NamespaceSpec => ({
    devices: { eth0: { addresses: [`10.1.0.${n}/32`] } },
    routes: [
      { to: '169.254.1.1', dev: 'eth0', link: true },
      { to: 'default', via: '169.254.1.1', dev: 'eth0' },
    ],
  });
  const port = (n: number) => ({
    [`net.ipv4.conf.cali${n}.proxy_arp`]: 1,
    [`net.ipv4.conf.cali${n}.rp_filter`]: 1,
    [`net.ipv4.neigh.cali${n}.proxy_delay`]: 0,
  });
  return {
    namespaces: {
      node: {
        devices: { cali1: {}, cali2: {}, eth0: { addresses: ['192.168.0.1/24'] } },
        routes: [
          { to: '10.1.0.1', dev: 'cali1', link: true },
          { to: '10.1.0.2', dev: 'cali2', link: true },
          { to: 'default', via: '192.168.0.2' },
        ],
        sysctls: { ...FORWARDS, ...port(1), ...port(2), ...sysctls },
      },
      p1: pod(1),
      p2: pod(2),
      out: {
        devices: { eth0: { addresses: ['192.168.0.2/24'] } },
        routes: [{ to: '10.1.0.0/16', via: '192.168.0.1' }],
      },
    },
    wires: [
      ['node/cali1', 'p1/eth0'],
      ['node/cali2', 'p2/eth0'],
      ['node/eth0', 'out/eth0'],
    ],
  };
}
