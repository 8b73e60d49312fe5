/**
 * Small networks at random, and packets through them: routers in a chain, hosts and bridges with pods at each, MTUs,
 * wrong and missing routes, rules, sysctls that matter. One seed makes one scenario.
 */
import { Dice } from '../rig/dice.ts';
import type { DeviceSpec, NamespaceSpec, NetworkSpec, RouteSpec, Step } from './network-spec.ts';
import { ping, send, sendPieces, tcp, udp } from './packets.ts';
import type { Scenario } from './play.ts';

/** A namespace while it is being put together. */
interface Draft {
  devices: Record<string, DeviceSpec>;
  routes: RouteSpec[];
  sysctls: Record<string, number>;
  iptables?: string;
  ip6tables?: string;
}

/** How a family writes addresses: `subnet` and `host` are at most 255. */
interface Notation {
  readonly address: (subnet: number, host: number) => string;
  readonly length: number;
  readonly whole: number;
}

const IPV4: Notation = { address: (subnet, host) => `10.0.${subnet}.${host}`, length: 24, whole: 32 };
const IPV6: Notation = {
  address: (subnet, host) => `fd00:${subnet}::${host.toString(16)}`,
  length: 64,
  whole: 128,
};

/** Where a router is in its subnets. */
const ROUTER = 254;

interface Place {
  readonly subnet: number;
  readonly host: number;
}

/** A network while it is being drawn. */
class Draught {
  readonly dice: Dice;
  readonly notation: Notation;
  readonly v6: boolean;
  readonly drafts = new Map<string, Draft>();
  readonly wires: (readonly [string, string])[] = [];
  /** Every address of the network, by the namespace that has it. */
  readonly addresses: { readonly at: string; readonly address: string }[] = [];
  #subnets = 0;

  constructor(seed: number) {
    this.dice = new Dice(seed);
    this.v6 = this.dice.chance(30);
    this.notation = this.v6 ? IPV6 : IPV4;
  }

  draft(name: string): Draft {
    const known = this.drafts.get(name);
    if (known !== undefined) return known;
    const draft: Draft = { devices: {}, routes: [], sysctls: {} };
    this.drafts.set(name, draft);
    return draft;
  }

  subnet(): number {
    this.#subnets++;
    return this.#subnets;
  }

  mtu(): number {
    return this.dice.pick(this.v6 ? [1500, 1500, 1400, 1280] : [1500, 1500, 1400, 1280, 900, 576]);
  }

  /** No device takes less: a route that says more than its device does loses what it says. */
  smallest(): number {
    return this.v6 ? 1280 : 576;
  }

  /** Gives `end` (NAMESPACE/DEVICE) an address in a subnet. */
  device(end: string, { subnet, host }: Place, spec: DeviceSpec): void {
    const [at = '', device = ''] = end.split('/');
    const { address, length } = this.notation;
    const own = address(subnet, host);
    // One address in IPv6's every link, of which neighbour discovery speaks.
    const local = this.v6 ? [`fe80::${subnet.toString(16)}:${host.toString(16)}/64`] : [];
    const addresses = [`${own}/${length}`, ...local];
    this.draft(at).devices[device] = { ...spec, addresses } as DeviceSpec;
    this.addresses.push({ at, address: own });
  }

  prefix(subnet: number): string {
    return `${this.notation.address(subnet, 0)}/${this.notation.length}`.replace('::0/', '::/');
  }
}

interface RouterDraft {
  readonly name: string;
  /** Subnets right at it. */
  readonly own: number[];
}

/** A router with hosts behind it, some on wires of their own, some as pods on a bridge. */
function addRouter(draught: Draught, index: number): RouterDraft {
  const { dice, notation, v6 } = draught;
  const name = `r${index}`;
  const router: RouterDraft = { name, own: [] };
  const draft = draught.draft(name);
  const forwards = dice.chance(95) ? 1 : 0;
  draft.sysctls['net.ipv4.ip_forward'] = forwards;
  draft.sysctls['net.ipv6.conf.all.forwarding'] = forwards;
  if (dice.chance(20)) draft.sysctls['net.ipv4.conf.all.rp_filter'] = dice.pick([1, 2]);
  if (dice.chance(60)) {
    const subnet = draught.subnet();
    router.own.push(subnet);
    const mtu = draught.mtu();
    const host = `h${index}`;
    draught.device(`${name}/host0`, { subnet, host: ROUTER }, { mtu });
    draught.device(`${host}/eth0`, { subnet, host: 1 }, { mtu: dice.chance(90) ? mtu : draught.mtu() });
    draught.wires.push([`${name}/host0`, `${host}/eth0`]);
    draught.draft(host).routes.push({ to: 'default', via: notation.address(subnet, ROUTER) });
  }
  if (router.own.length === 0 || dice.chance(40)) {
    const subnet = draught.subnet();
    router.own.push(subnet);
    const mtu = draught.mtu();
    draught.device(`${name}/br0`, { subnet, host: ROUTER }, { kind: 'bridge', mtu });
    const hairpin = dice.chance(50);
    const isolated = dice.chance(10);
    for (const pod of [1, 2]) {
      const at = `p${index}${pod}`;
      const port = `veth${pod}`;
      draft.devices[port] = { master: 'br0', hairpin, isolated, mtu };
      draught.device(`${at}/eth0`, { subnet, host: pod }, { mtu });
      draught.wires.push([`${name}/${port}`, `${at}/eth0`]);
      draught.draft(at).routes.push({ to: 'default', via: notation.address(subnet, ROUTER) });
    }
    draft.sysctls[`net.bridge.bridge-nf-call-${v6 ? 'ip6tables' : 'iptables'}`] = dice.pick([0, 1, 1]);
  }
  return router;
}

/** Joins two routers by a wire; returns its subnet. */
function join(draught: Draught, left: RouterDraft, right: RouterDraft): number {
  const { dice, notation } = draught;
  const subnet = draught.subnet();
  const mtu = draught.mtu();
  draught.device(`${left.name}/right0`, { subnet, host: 1 }, { mtu });
  draught.device(`${right.name}/left0`, { subnet, host: 2 }, { mtu: dice.chance(90) ? mtu : draught.mtu() });
  draught.wires.push([`${left.name}/right0`, `${right.name}/left0`]);
  const forth = dice.chance(50);
  if (forth) draught.draft(right.name).routes.push({ to: 'default', via: notation.address(subnet, 1) });
  return subnet;
}

/** Every router's way to every subnet, with mistakes. */
function addRoutes(draught: Draught, routers: readonly RouterDraft[], links: readonly number[]): void {
  const { dice, notation } = draught;
  for (const [index, { name }] of routers.entries()) {
    for (const [other, { own }] of routers.entries()) {
      if (other === index) continue;
      const link = other > index ? links[index] : links[index - 1];
      if (link === undefined) continue;
      const via = notation.address(link, other > index ? 2 : 1);
      for (const subnet of own) {
        const to = draught.prefix(subnet);
        const luck = dice.between(0, 99);
        const draft = draught.draft(name);
        if (luck < 6) continue;
        if (luck < 9)
          draft.routes.push({ to: `${dice.pick(['unreachable', 'prohibit', 'blackhole'])} ${to}` });
        else if (luck < 12) draft.routes.push({ to, via: notation.address(link, 77) });
        else if (luck < 18) draft.routes.push({ to, via, mtu: draught.smallest() });
        else draft.routes.push({ to, via });
      }
    }
  }
}

/** Rules of a router: translations to pods and hosts, refusals, and what lets them see connections. */
function rulesFor(draught: Draught): string {
  const { dice, v6 } = draught;
  const { whole } = draught.notation;
  const target = () => dice.pick(draught.addresses).address;
  const service = v6 ? 'fd96::1' : '10.96.0.1';
  const bracket = (address: string) => (v6 ? `[${address}]` : address);
  const nat = [
    `-A PREROUTING -d ${service}/${whole} -p udp -m udp --dport 53 -j DNAT --to-destination ${bracket(target())}:5353`,
    `-A PREROUTING -d ${service}/${whole} -p tcp -m tcp --dport 80 -j DNAT --to-destination ${bracket(target())}:8080`,
    ...(dice.chance(50) ? [`-A POSTROUTING -d ${target()}/${whole} -j MASQUERADE`] : []),
    ...(dice.chance(30) ? ['-A PREROUTING -p udp -m udp --dport 54 -j REDIRECT --to-ports 5454'] : []),
  ];
  const reject = v6 ? 'icmp6-adm-prohibited' : 'icmp-host-prohibited';
  const filter = [
    ...(dice.chance(40) ? ['-A FORWARD -m conntrack --ctstate INVALID -j DROP'] : []),
    ...(dice.chance(30)
      ? [`-A FORWARD -d ${target()}/${whole} -p udp -j REJECT --reject-with ${reject}`]
      : []),
    ...(dice.chance(30) ? ['-A FORWARD -p tcp -m tcp --dport 81 -j REJECT --reject-with tcp-reset'] : []),
    ...(dice.chance(20)
      ? [`-A FORWARD -s ${target()}/${whole} -m physdev --physdev-is-bridged -j DROP`]
      : []),
    ...(dice.chance(20)
      ? ['-A FORWARD -m physdev --physdev-in veth1 ! --physdev-out veth2 -p udp -j DROP']
      : []),
  ];
  const chains = (names: readonly string[]) => names.map((name) => `:${name} ACCEPT [0:0]`);
  return [
    '*nat',
    ...chains(['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING']),
    ...nat,
    'COMMIT',
    '*filter',
    ...chains(['INPUT', 'FORWARD', 'OUTPUT']),
    ...filter,
    'COMMIT',
    '',
  ].join('\n');
}

function randomSteps(draught: Draught, count: number): Step[] {
  const { dice, v6, addresses } = draught;
  const service = v6 ? 'fd96::1' : '10.96.0.1';
  const senders = addresses.filter(({ at }) => !at.startsWith('r') || dice.chance(20));
  const steps: Step[] = [];
  for (let number = 1; number <= count; number++) {
    const from = dice.pick(senders.length === 0 ? addresses : senders);
    const anywhere = [dice.pick(addresses).address, service, dice.pick(addresses).address];
    const stranger = v6 ? 'fd00:1::77' : '10.0.1.77';
    const dst = dice.chance(5) ? stranger : dice.pick(anywhere);
    const src = dice.chance(95) ? from.address : dice.pick(addresses).address;
    const headers = {
      ttl: dice.chance(80) ? 64 : dice.between(1, 5),
      df: dice.chance(40),
      id: number,
    };
    const size = dice.chance(70) ? dice.between(0, 64) : dice.between(200, 1452);
    const sport = 20_000 + number;
    switch (dice.pick(['ping', 'udp', 'tcp', 'pieces'] as const)) {
      case 'ping':
        steps.push(send(from.at, ping(src, dst, { ...headers, size, echo: number })));
        break;
      case 'udp':
        steps.push(send(from.at, udp(src, dst, { ...headers, size, sport, dport: dice.pick([53, 54, 99]) })));
        break;
      case 'tcp':
        steps.push(send(from.at, tcp(src, dst, { ...headers, sport, dport: dice.pick([80, 81]) })));
        break;
      case 'pieces': {
        const whole = udp(src, dst, { ttl: 64, id: number, size: 1600, sport, dport: 53 });
        steps.push(...sendPieces(from.at, whole, [dice.pick([480, 800, 1200])], number));
        break;
      }
    }
  }
  return steps;
}

/** The scenario of `seed`. It waits for nothing: within a second no timer of the kernel's comes between. */
export function randomScenario(seed: number): Scenario {
  const draught = new Draught(seed);
  const { dice, v6 } = draught;
  const routers: RouterDraft[] = [];
  const links: number[] = [];
  const count = dice.between(1, 3);
  for (let index = 0; index < count; index++) {
    const router = addRouter(draught, index);
    const left = routers.at(-1);
    if (left !== undefined) links.push(join(draught, left, router));
    routers.push(router);
  }
  addRoutes(draught, routers, links);
  for (const { name } of routers) {
    if (!dice.chance(50)) continue;
    const rules = rulesFor(draught);
    const draft = draught.draft(name);
    if (v6) draft.ip6tables = rules;
    else draft.iptables = rules;
  }
  const namespaces: Record<string, NamespaceSpec> = Object.fromEntries(draught.drafts);
  const network: NetworkSpec = { namespaces, wires: draught.wires };
  const steps = randomSteps(draught, 10);
  return { title: `seed ${seed}`, network, steps };
}
