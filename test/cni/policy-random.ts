/** Random pods, namespaces and policies, small enough that they meet often. */
import type {
  Labels,
  Policy,
  PolicyNamespace,
  PolicyPeer,
  PolicyPod,
  PolicyPort,
  PolicyProtocol,
  PolicySelector,
} from '../../src/cni/policy/policy.ts';
import type { Random } from '../../src/sim/random.ts';
import { parseIpAddress } from '../../src/wire/ip-address.ts';
import { type IpPrefix, parseIpPrefix, prefixOf } from '../../src/wire/ip-prefix.ts';
import { type Attempt, type End, NODES } from './policy-world.ts';

const KEYS = ['app', 'tier', 'zone'] as const;
const VALUES = ['a', 'b', 'c'] as const;
const NAMESPACES = ['default', 'shop', 'kube-system'] as const;
const PROTOCOLS: readonly PolicyProtocol[] = ['TCP', 'UDP', 'SCTP'];
const PORTS = [53, 80, 443, 8080, 9090];
const PORT_NAMES = ['http', 'dns', 'admin'];
const OUTSIDE: End = {
  kind: 'outside',
  addresses: [parseIpAddress('192.0.2.9'), parseIpAddress('2001:db8::9')],
};

export class PolicyDice {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  below(bound: number): number {
    return this.#random.below(bound);
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  one<T>(from: readonly T[]): T {
    const chosen = from[this.below(from.length)];
    if (chosen === undefined) throw new Error('nothing to choose from');
    return chosen;
  }

  some<T>(least: number, most: number, make: () => T): T[] {
    return Array.from({ length: least + this.below(most - least + 1) }, make);
  }

  labels(): Labels {
    return Object.fromEntries(KEYS.filter(() => this.chance(60)).map((key) => [key, this.one(VALUES)]));
  }

  namespaces(): PolicyNamespace[] {
    return NAMESPACES.map((name) => ({
      name,
      labels: { ...this.labels(), 'kubernetes.io/metadata.name': name },
    }));
  }

  pods(): PolicyPod[] {
    return Array.from({ length: 4 + this.below(8) }, (_, index) => this.#pod(index));
  }

  #pod(index: number): PolicyPod {
    const node = this.one(NODES);
    const hostNetwork = this.chance(10);
    const number = NODES.indexOf(node) + 1;
    const own = [`10.244.${number}.${index + 5}`, `fd00:10:244:${number}::${index + 5}`].map(parseIpAddress);
    const both = this.chance(70);
    const single = this.one(own);
    return {
      namespace: this.one(NAMESPACES),
      name: `pod${index}`,
      node: node.name,
      labels: this.labels(),
      addresses: hostNetwork ? node.addresses : both ? own : [single],
      hostNetwork,
      ports: this.some(0, 3, () => ({
        ...(this.chance(70) ? { name: this.one(PORT_NAMES) } : {}),
        containerPort: this.one(PORTS),
        protocol: this.one(PROTOCOLS),
      })),
    };
  }

  #selector(): PolicySelector {
    if (this.chance(30)) return { matchLabels: {}, matchExpressions: [] };
    const matchExpressions = this.some(0, 1, () => {
      const operator = this.one(['In', 'NotIn', 'Exists', 'DoesNotExist'] as const);
      const takesValues = operator === 'In' || operator === 'NotIn';
      return {
        key: this.one(KEYS),
        operator,
        values: takesValues ? this.some(1, 2, () => this.one(VALUES)) : [],
      };
    });
    return { matchLabels: this.chance(50) ? this.labels() : {}, matchExpressions };
  }

  #block(): NonNullable<PolicyPeer['ipBlock']> {
    const wide = [
      '0.0.0.0/0',
      '10.0.0.0/8',
      '10.244.0.0/16',
      '172.18.0.0/16',
      '192.0.2.0/24',
      '::/0',
      'fd00::/8',
    ];
    const cidr = parseIpPrefix(this.one([...wide, '10.244.1.0/24', 'fd00:10:244:2::/64', '2001:db8::/32']));
    const except = this.chance(60)
      ? this.some(1, 3, () => this.#within(cidr)).filter((part) => part.length > cidr.length)
      : [];
    return { cidr, except };
  }

  /** A part of `cidr`, around an address that somebody has when there is one. */
  #within(cidr: IpPrefix): IpPrefix {
    const number = 1 + this.below(3);
    const host = 5 + this.below(12);
    const bits = typeof cidr.address === 'number' ? 32 : 128;
    const texts =
      bits === 32
        ? [`10.244.${number}.${host}`, `172.18.0.${number + 1}`, '192.0.2.9']
        : [`fd00:10:244:${number}::${host}`, `fd18::${number + 1}`, '2001:db8::9'];
    const inside = texts
      .map(parseIpAddress)
      .filter((address) => JSON.stringify(prefixOf(address, cidr.length)) === JSON.stringify(cidr));
    const address = inside.length === 0 ? cidr.address : this.one(inside);
    return prefixOf(address, Math.min(bits, cidr.length + 1 + this.below(bits - cidr.length)));
  }

  #peer(): PolicyPeer {
    if (this.chance(35)) return { ipBlock: this.#block() };
    const both = this.chance(33);
    const byPod = this.chance(50);
    return {
      ...(both || byPod ? { podSelector: this.#selector() } : {}),
      ...(both || !byPod ? { namespaceSelector: this.#selector() } : {}),
    };
  }

  #port(): PolicyPort {
    const protocol = this.one(PROTOCOLS);
    if (this.chance(20)) return { protocol };
    if (this.chance(35)) return { protocol, port: this.one(PORT_NAMES) };
    const port = this.one(PORTS);
    return this.chance(30) ? { protocol, port, endPort: port + this.below(9000) } : { protocol, port };
  }

  policies(): Policy[] {
    return Array.from({ length: 1 + this.below(5) }, (_, index): Policy => {
      const rule = () => ({
        ports: this.chance(40) ? [] : this.some(1, 3, () => this.#port()),
        peers: this.chance(25) ? [] : this.some(1, 3, () => this.#peer()),
      });
      return {
        metadata: { namespace: this.one(NAMESPACES), name: `policy${index}` },
        spec: {
          podSelector: this.#selector(),
          policyTypes: this.one([['Ingress'], ['Egress'], ['Ingress', 'Egress']] as const),
          ingress: this.some(0, 2, rule).map(({ ports, peers }) => ({ ports, from: peers })),
          egress: this.some(0, 2, rule).map(({ ports, peers }) => ({ ports, to: peers })),
        },
      };
    });
  }

  attempt(pods: readonly PolicyPod[]): Attempt {
    const end = (): End => {
      if (this.chance(10)) return OUTSIDE;
      if (this.chance(10)) return { kind: 'node', node: this.one(NODES) };
      return { kind: 'pod', pod: this.one(pods) };
    };
    return {
      from: end(),
      to: end(),
      family: this.one(['ipv4', 'ipv6'] as const),
      protocol: this.one(PROTOCOLS),
      port: this.chance(80) ? this.one(PORTS) : 1 + this.below(65535),
    };
  }
}
