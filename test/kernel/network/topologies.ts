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
