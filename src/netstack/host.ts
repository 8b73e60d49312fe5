/**
 * One network namespace at layer 3: what Linux does with a packet between its devices and its sockets.
 *
 *   receive ─▶ prerouting ─▶ route ─┬─▶ input ─▶ deliver ─▶ answer
 *                                   └─▶ ttl ─▶ forward ─▶ postrouting ─▶ transmit
 *   send ────▶ route ─▶ output ─▶ (re-route) ─▶ postrouting ─▶ transmit, or lo and in again
 *
 * It refuses nothing: every packet has a Fate. Answers that the host makes of itself pass its own rules.
 */
import type { Choices } from '../netfilter/choices.ts';
import { isIcmpErrorPacket } from '../netfilter/conntrack/icmp-error.ts';
import type { Hook } from '../netfilter/hooks.ts';
import type { Netfilter } from '../netfilter/netfilter.ts';
import { type PacketType, Skb } from '../netfilter/skb.ts';
import { opposite } from '../netfilter/tuple.ts';
import type { Clock } from '../sim/clock.ts';
import { familyOf, type IpAddress, sameAddress } from '../wire/ip-address.ts';
import type { Packet } from '../wire/packet.ts';
import { type AddressBook, selectAddress } from './addressing.ts';
import { type Answerer, closedHost } from './answer.ts';
import type { Device } from './device.ts';
import type { HostTrace } from './events.ts';
import { dropped, type Fate, type Refusal, type Transmission } from './fate.ts';
import { icmpError, refusalOf, tcpReset } from './refuse.ts';
import { isMulticast, LIMITED_BROADCAST, nextHopOf, type Route } from './route-table.ts';
import { checkAddresses, checkReversePath } from './source-check.ts';

export interface HostOptions {
  readonly addresses: AddressBook;
  readonly netfilter: Netfilter;
  readonly answerer?: Answerer;
}

/** What one packet led to: its fate, and everything that left the host because of it, in order. */
export interface Passage {
  readonly fate: Fate;
  readonly transmissions: readonly Transmission[];
}

const TTL_EXCEEDED = { ipv4: { type: 11, code: 0 }, ipv6: { type: 3, code: 0 } } as const;
const NO_ROUTE = { ipv4: { type: 3, code: 0 }, ipv6: { type: 1, code: 0 } } as const;
/** What the host says when the route itself refuses (`ip route add unreachable|prohibit`). */
const ROUTE_REFUSALS = {
  unreachable: { ipv4: { type: 3, code: 1 }, ipv6: { type: 1, code: 0 } },
  prohibit: { ipv4: { type: 3, code: 13 }, ipv6: { type: 1, code: 1 } },
} as const;

/** 224.0.0.1 and ff02::1: every host is a member. */
const ALL_HOSTS_V4 = 0xe0000001;

export class Host {
  readonly addresses: AddressBook;
  readonly netfilter: Netfilter;
  answerer: Answerer;
  #trace: HostTrace | undefined;
  #transmissions: Transmission[] = [];

  constructor({ addresses, netfilter, answerer }: HostOptions) {
    this.addresses = addresses;
    this.netfilter = netfilter;
    this.answerer = answerer ?? closedHost;
  }

  /** An independent copy at `clock`'s time whose random choices come from `choices`. */
  fork(clock: Clock, choices: Choices): Host {
    const netfilter = this.netfilter.fork({ clock, choices, host: this.addresses });
    return new Host({ addresses: this.addresses, netfilter, answerer: this.answerer });
  }

  /** Where the host tells what it does; undefined: nobody listens. */
  set trace(sink: HostTrace | undefined) {
    this.#trace = sink;
    this.netfilter.trace = sink;
  }

  /** A packet comes in on `device`, in a frame addressed to `packetType`. */
  receive(packet: Packet, device: Device, packetType: PacketType = 'host'): Passage {
    const skb = new Skb(packet, device.name);
    skb.packetType = packetType;
    return this.#passage(() => {
      this.#trace?.({ kind: 'receive', device: device.name, packet });
      return this.#receive(skb, device);
    });
  }

  /** A packet made on this host, by a raw socket: its source may be anything. */
  send(packet: Packet): Passage {
    return this.#passage(() => {
      this.#trace?.({ kind: 'originate', packet });
      return this.#send(new Skb(packet));
    });
  }

  #passage(run: () => Fate): Passage {
    this.#transmissions = [];
    const fate = run();
    this.#trace?.({ kind: 'fate', fate });
    return { fate, transmissions: this.#transmissions };
  }

  /** Runs `hook`; undefined when the packet passes, else its fate. */
  #hook(hook: Hook, skb: Skb): Fate | undefined {
    const verdict = this.netfilter.run(hook, skb);
    switch (verdict.kind) {
      case 'accept':
        return undefined;
      case 'drop':
        return dropped(verdict.reason);
      case 'unknown':
        return verdict;
      case 'reject':
        return this.#refuse(skb, refusalOf(verdict.with), dropped('rule'));
    }
  }

  #receive(skb: Skb, device: Device): Fate {
    const v6 = familyOf(skb.packet.src) === 'ipv6';
    // IPv6 sorts out impossible addresses before netfilter sees the packet, IPv4 when it routes.
    if (skb.packet.corrupt === 'ip-checksum') return dropped('corrupt');
    if (v6 && this.#martian(skb, device)) return dropped('martian');
    const stopped = this.#hook('prerouting', skb);
    if (stopped !== undefined) return stopped;
    if (!v6 && this.#martian(skb, device)) return dropped('martian');
    return this.#routeInput(skb, device);
  }

  #martian(skb: Skb, device: Device): boolean {
    const { src, dst } = skb.packet;
    return checkAddresses({ src, dst, device }) !== 'ok';
  }

  /** ip_route_input_slow: whose packet is it, and may it come from there? */
  #routeInput(skb: Skb, device: Device): Fate {
    const { src, dst } = skb.packet;
    const family = familyOf(dst);
    if (isMulticast(dst)) {
      const joined = typeof dst !== 'number' || dst === ALL_HOSTS_V4;
      return joined ? this.#input(skb) : dropped('multicast-not-joined');
    }
    const route = this.addresses.routes.lookup(dst);
    const forUs = dst === LIMITED_BROADCAST || route?.type === 'local' || route?.type === 'broadcast';
    const leavesBy = forUs ? undefined : route?.device;
    const source = checkReversePath({ src, dst, device }, leavesBy, this.addresses);
    if (forUs) {
      if (source !== 'ok') return dropped(source);
      this.#trace?.({ kind: 'route', route, destination: dst });
      return this.#input(skb);
    }
    if (!device.forwarding) return dropped('forwarding-off');
    if (route !== undefined && source !== 'ok') return dropped(source);
    this.#trace?.({ kind: 'route', route, destination: dst });
    if (route === undefined)
      return this.#refuse(skb, { kind: 'icmp', ...NO_ROUTE[family] }, dropped('no-route'));
    if (route.type === 'blackhole') return dropped('blackhole');
    if (route.type === 'unreachable' || route.type === 'prohibit') {
      const refusal: Refusal = { kind: 'icmp', ...ROUTE_REFUSALS[route.type][family] };
      return this.#refuse(skb, refusal, dropped('no-route'));
    }
    return this.#forward(skb, route);
  }

  #forward(skb: Skb, route: Route): Fate {
    const { packet } = skb;
    if (skb.packetType !== 'host') return dropped('not-for-us');
    if (packet.ttl <= 1) {
      const refusal: Refusal = { kind: 'icmp', ...TTL_EXCEEDED[familyOf(packet.src)] };
      return this.#refuse(skb, refusal, dropped('ttl-exceeded'));
    }
    skb.packet = { ...packet, ttl: packet.ttl - 1 };
    skb.outDevice = route.device;
    skb.nextHop = nextHopOf(route, packet.dst);
    const stopped = this.#hook('forward', skb) ?? this.#hook('postrouting', skb);
    if (stopped !== undefined) return stopped;
    return this.#transmit(skb, 'forwarded');
  }

  #transmit(skb: Skb, kind: 'forwarded' | 'sent'): Fate {
    const { packet, outDevice: device = 'lo', nextHop = skb.packet.dst } = skb;
    this.#transmissions.push({ device, nextHop, packet });
    this.#trace?.({ kind: 'transmit', device, nextHop, packet });
    return { kind, device, packet };
  }

  #input(skb: Skb): Fate {
    const stopped = this.#hook('input', skb);
    if (stopped !== undefined) return stopped;
    const { packet } = skb;
    const answer = skb.packetType === 'host' ? this.answerer(packet) : undefined;
    if (answer !== undefined) {
      this.#trace?.({ kind: 'originate', packet: answer, answers: 'socket' });
      this.#send(isIcmpErrorPacket(answer) ? errorSkb(answer, skb) : new Skb(answer));
    }
    return { kind: 'delivered', packet };
  }

  /**
   * Refuses the packet: an ICMP error or reset goes back through the host's own output rules.
   * `otherwise` is the packet's fate when nothing may be said.
   */
  #refuse(skb: Skb, refusal: Refusal, otherwise: Fate): Fate {
    const answer = refusal.kind === 'tcp-reset' ? tcpReset(skb.packet) : this.#icmpError(skb, refusal);
    if (answer === undefined) return otherwise;
    if (refusal.kind === 'tcp-reset') closeConnection(skb, this.netfilter);
    this.#trace?.({ kind: 'originate', packet: answer, answers: refusal });
    const fate = this.#send(errorSkb(answer, skb));
    switch (fate.kind) {
      case 'sent':
        return { kind: 'rejected', refusal, device: fate.device };
      case 'delivered':
        return { kind: 'rejected', refusal, device: 'lo' };
      case 'unknown':
        return fate;
      default:
        return dropped('answer-dropped');
    }
  }

  #icmpError(skb: Skb, refusal: Extract<Refusal, { kind: 'icmp' }>): Packet | undefined {
    const { packet } = skb;
    if (skb.packetType !== 'host') return undefined;
    const { routes, devices } = this.addresses;
    const target = routes.lookup(packet.dst);
    if (target?.type === 'broadcast' || isMulticast(packet.dst)) return undefined;
    const back = routes.lookup(packet.src);
    // The error speaks for the address that was asked, or for the device it leaves by.
    const source =
      target?.type === 'local'
        ? packet.dst
        : (back?.src ?? (back && selectAddress(devices, back.device, nextHopOf(back, packet.src))));
    return source === undefined ? undefined : icmpError(packet, refusal, source);
  }

  /** ip_local_out: route first, then the output hooks, which may change where it goes. */
  #send(skb: Skb): Fate {
    const { routes } = this.addresses;
    let route = routes.lookup(skb.packet.dst);
    this.#trace?.({ kind: 'route', route, destination: skb.packet.dst });
    if (route?.type === 'blackhole') return dropped('blackhole');
    if (!isUsable(route)) return dropped('no-route');
    setRoute(skb, route);
    const destination: IpAddress = skb.packet.dst;
    const stopped = this.#hook('output', skb);
    if (stopped !== undefined) return stopped;
    if (!sameAddress(destination, skb.packet.dst)) {
      // ip_route_me_harder: the output hooks still saw the old device; postrouting sees the new one.
      route = routes.lookup(skb.packet.dst);
      this.#trace?.({ kind: 'route', route, destination: skb.packet.dst });
      if (!isUsable(route)) return dropped('no-route');
      setRoute(skb, route);
    }
    const held = this.#hook('postrouting', skb);
    if (held !== undefined) return held;
    return skb.outDevice === 'lo' ? this.#loop(skb) : this.#transmit(skb, 'sent');
  }

  /** Out through lo and in again: the packet keeps its conntrack entry and its route. */
  #loop(skb: Skb): Fate {
    this.#trace?.({ kind: 'loopback', packet: skb.packet });
    skb.inDevice = 'lo';
    skb.outDevice = undefined;
    const stopped = this.#hook('prerouting', skb);
    return stopped ?? this.#input(skb);
  }
}

function isUsable(route: Route | undefined): route is Route {
  return route !== undefined && ['unicast', 'local', 'broadcast'].includes(route.type);
}

function setRoute(skb: Skb, route: Route): void {
  skb.outDevice = route.type === 'local' ? 'lo' : route.device;
  skb.nextHop = nextHopOf(route, skb.packet.dst);
}

/**
 * The skb of an ICMP error or a REJECT's reset about `cause`: it carries the entry of the packet that caused
 * it, as RELATED in the other direction (nf_conntrack_attach), even while that entry is unconfirmed.
 */
function errorSkb(answer: Packet, cause: Skb): Skb {
  const skb = new Skb(answer);
  const { ct } = cause;
  if (ct !== undefined) {
    skb.ct = { entry: ct.entry, direction: opposite(ct.direction), state: 'RELATED' };
  }
  return skb;
}

/** nf_ct_set_closing: a REJECT's reset ends the flow it resets, whatever its window says. */
function closeConnection(skb: Skb, netfilter: Netfilter): void {
  const entry = skb.ct?.entry;
  if (entry?.tcp === undefined) return;
  entry.tcp.state = 'CLOSE';
  entry.expires = netfilter.clock.now() + netfilter.sysctls.tcp.CLOSE;
}
