/** Three nodes on a switch under a cluster network, pods on them, a router with the outside behind it. */
import { applyNodeNetwork } from '../../src/cni/networks/apply-network.ts';
import { attachPod, podDeviceName } from '../../src/cni/networks/attach-pod.ts';
import type {
  ClusterNetwork,
  NetworkInput,
  NetworkNode,
  NetworkOptions,
} from '../../src/cni/networks/network.ts';
import { planNodeNetwork } from '../../src/cni/networks/plan-network.ts';
import type { PolicyIndex } from '../../src/cni/policy/policy-index.ts';
import { closedHost } from '../../src/netstack/answer.ts';
import { Segment } from '../../src/netstack/link/segment.ts';
import type { VethPair } from '../../src/netstack/link/veth.ts';
import { Namespace } from '../../src/netstack/namespace.ts';
import { parseIpsetSave } from '../../src/ruletext/ipset-save.ts';
import { mergeRuleSets } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { Random } from '../../src/sim/random.ts';
import { Scheduler } from '../../src/sim/scheduler.ts';
import { ICMP, ICMPV6 } from '../../src/wire/icmp.ts';
import { formatIpAddress, type IpAddress, parseIpAddress } from '../../src/wire/ip-address.ts';
import { parseInterfaceAddress, parseIpPrefix } from '../../src/wire/ip-prefix.ts';
import type { Packet } from '../../src/wire/packet.ts';

const FAMILIES = ['ipv4', 'ipv6'] as const;

export const POD_SUBNETS = [parseIpPrefix('10.244.0.0/16'), parseIpPrefix('fd00:10:244::/48')];

export function networkNodes(count: number): NetworkNode[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `n${index + 1}`,
    addresses: [parseIpAddress(`172.18.0.${index + 2}`), parseIpAddress(`fd18::${index + 2}`)],
    podCIDRs: [parseIpPrefix(`10.244.${index + 1}.0/24`), parseIpPrefix(`fd00:10:244:${index + 1}::/64`)],
  }));
}

export function networkInput(network: ClusterNetwork, index = 0, options: NetworkOptions = {}): NetworkInput {
  const nodes = networkNodes(3);
  const node = nodes[index];
  if (node === undefined) throw new Error(`no node ${index}`);
  return {
    network,
    options,
    node,
    nodes,
    podSubnets: POD_SUBNETS,
    uplink: {
      name: 'eth0',
      mtu: 1500,
      addresses: [`172.18.0.${index + 2}/16`, `fd18::${index + 2}/64`].map(parseInterfaceAddress),
    },
  };
}

export interface Answer {
  readonly from: string;
  /** `reply`, or the ICMP error. */
  readonly what: string;
  readonly ttl: number;
}

/** What an ICMP message says to a program that pings. */
function describe({ transport, dst }: Packet): string | undefined {
  if (transport.kind !== 'icmp') return undefined;
  const { type, code } = transport;
  const reply = typeof dst === 'number' ? ICMP.echoReply : ICMPV6.echoReply;
  const request = typeof dst === 'number' ? ICMP.echoRequest : ICMPV6.echoRequest;
  if (type === request) return undefined;
  return type === reply ? 'reply' : `icmp ${type}/${code}`;
}

export class NetworkWorld {
  readonly scheduler = new Scheduler();
  readonly segment = new Segment({ name: 'nodes', scheduler: this.scheduler, random: new Random(1) });
  readonly nodes: readonly Namespace[];
  readonly router: Namespace;
  readonly outside: Namespace;
  readonly pods = new Map<string, VethPair>();
  readonly #inputs: readonly NetworkInput[];
  readonly #policies: PolicyIndex | undefined;

  /** `policies`: enforced on every node, beside the network's own rules. */
  constructor(network: ClusterNetwork, options: NetworkOptions = {}, policies?: PolicyIndex) {
    this.#policies = policies;
    this.#inputs = [0, 1, 2].map((index) => networkInput(network, index, options));
    this.nodes = this.#inputs.map((input) => this.#makeNode(input));
    this.router = this.#namespace('router', {
      'net.ipv4.ip_forward': '1',
      'net.ipv6.conf.all.forwarding': '1',
    });
    const lan = this.segment.plug(this.router, { name: 'lan0', up: true });
    for (const text of ['172.18.0.1/16', 'fd18::1/64'])
      this.router.addAddress(lan, parseInterfaceAddress(text));
    this.outside = this.#namespace('outside');
    const far = new Segment({ name: 'outside', scheduler: this.scheduler, random: new Random(2) });
    const wan = far.plug(this.router, { name: 'wan0', up: true });
    const eth = far.plug(this.outside, { name: 'eth0', up: true });
    for (const text of ['192.0.2.1/24', '2001:db8::1/64'])
      this.router.addAddress(wan, parseInterfaceAddress(text));
    for (const text of ['192.0.2.9/24', '2001:db8::9/64'])
      this.outside.addAddress(eth, parseInterfaceAddress(text));
    this.#defaultRoutes(this.outside, '192.0.2.1', '2001:db8::1');
  }

  #namespace(name: string, sysctls: Record<string, string> = {}): Namespace {
    return new Namespace({ name, scheduler: this.scheduler, seed: 1, sysctls });
  }

  #defaultRoutes(namespace: Namespace, ...gateways: readonly string[]): void {
    for (const text of gateways) {
      const prefix = parseIpPrefix(text.includes(':') ? '::/0' : '0.0.0.0/0');
      const gateway = parseIpAddress(text);
      namespace.addRoute({ type: 'unicast', prefix, device: 'eth0', gateway, metric: 0 });
    }
  }

  #makeNode(input: NetworkInput): Namespace {
    const plan = planNodeNetwork(input);
    const node = new Namespace({
      name: `node/${input.node.name}`,
      scheduler: this.scheduler,
      seed: 1,
      rules: () =>
        FAMILIES.flatMap((family) => {
          const enforced = this.#policies?.nodeRules(input.node.name, family).rules ?? '';
          const texts = [plan.rules[family], enforced].filter((text) => text !== '');
          return texts.length === 0 ? [] : [mergeRuleSets(texts.map((text) => parseRules(text, { family })))];
        }),
      sets: () =>
        new Map([
          ...parseIpsetSave(plan.sets),
          ...FAMILIES.flatMap((family) => [...(this.#policies?.loadedSets(input.node.name, family) ?? [])]),
        ]),
    });
    const uplink = this.segment.plug(node, { name: 'eth0', mtu: input.uplink.mtu, up: true });
    for (const address of input.uplink.addresses) node.addAddress(uplink, address);
    this.#defaultRoutes(node, '172.18.0.1', 'fd18::1');
    applyNodeNetwork(node, plan);
    return node;
  }

  /** The namespace of a pod on the node of this index, with the host part `number`. */
  pod(index: number, number = 5): Namespace {
    const name = `pod${index}-${number}`;
    const known = this.pods.get(name);
    if (known !== undefined) return known.far().namespace;
    const input = this.#inputs[index];
    const node = this.nodes[index];
    if (input === undefined || node === undefined) throw new Error(`no node ${index}`);
    const plan = planNodeNetwork(input);
    const pair = attachPod(node, plan, {
      device: podDeviceName(plan.pods, { namespace: 'default', name }),
      addresses: [`10.244.${index + 1}.${number}`, `fd00:10:244:${index + 1}::${number}`].map(parseIpAddress),
      namespace: () => this.#namespace(name),
    });
    this.pods.set(name, pair);
    return pair.far().namespace;
  }

  /** Pings `to` from `from` with `size` bytes of data; every answer within `seconds`. */
  ping(from: Namespace, to: string, { size = 56, dontFragment = false, seconds = 10 } = {}): Answer[] {
    const answers: Answer[] = [];
    from.answerer = (packet, delivery) => {
      const what = describe(packet);
      if (what !== undefined) answers.push({ from: formatIpAddress(packet.src), what, ttl: packet.ttl });
      return closedHost(packet, delivery);
    };
    const dst = parseIpAddress(to);
    const src = from.routeTo(dst)?.source;
    if (src === undefined) return [{ from: 'self', what: 'no route', ttl: 0 }];
    from.send(echoRequest(src, dst, { size, dontFragment }));
    this.scheduler.runUntil(this.scheduler.now() + seconds);
    from.answerer = undefined;
    return answers;
  }
}

let identifier = 0;

function echoRequest(
  src: IpAddress,
  dst: IpAddress,
  { size, dontFragment }: { readonly size: number; readonly dontFragment: boolean },
): Packet {
  const family = typeof dst === 'number' ? 'ipv4' : 'ipv6';
  identifier++;
  const data = new Uint8Array(size);
  return {
    src,
    dst,
    ttl: 64,
    tos: 0,
    id: identifier,
    dontFragment: dontFragment && family === 'ipv4',
    transport: {
      kind: 'icmp',
      type: family === 'ipv4' ? ICMP.echoRequest : ICMPV6.echoRequest,
      code: 0,
      id: identifier,
      sequence: 1,
      data,
    },
  };
}
