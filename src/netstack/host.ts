/**
 * One network namespace at layer 3: what Linux does with a packet between its devices and its sockets.
 *
 *   receive ─▶ prerouting ─▶ route ─┬─▶ input ─▶ deliver ─▶ answer
 *                                   └─▶ ttl ─▶ forward ─▶ postrouting ─▶ transmit
 *   send ────▶ route ─▶ output ─▶ (re-route) ─▶ postrouting ─▶ transmit, or lo and in again
 *
 * It refuses nothing: every packet has a Fate. Answers that the host makes of itself pass its own rules.
 * The decisions are in input-route.ts, output-route.ts, forward.ts and error-source.ts; this is their shell.
 */
import type { Choices } from '../netfilter/choices.ts';
import { isIcmpErrorPacket } from '../netfilter/conntrack/icmp-error.ts';
import type { Hook } from '../netfilter/hooks.ts';
import type { Netfilter } from '../netfilter/netfilter.ts';
import { type BridgeInfo, type PacketType, Skb } from '../netfilter/skb.ts';
import { opposite } from '../netfilter/tuple.ts';
import type { DropReason } from '../netfilter/verdict.ts';
import type { Clock } from '../sim/clock.ts';
import { ipLength } from '../wire/headers.ts';
import { familyOf, type IpAddress, type IpFamily, sameAddress } from '../wire/ip-address.ts';
import { type Packet, protocolOf } from '../wire/packet.ts';
import { PROTOCOL } from '../wire/protocol.ts';
import { type AddressBook, selectAddress } from './addressing.ts';
import { type Answerer, closedHost, type Delivery } from './answer.ts';
import { type Departure, depart } from './departure.ts';
import type { Device } from './device.ts';
import { errorSource } from './error-source.ts';
import type { HostTrace } from './events.ts';
import { dropped, type Fate, type Refusal, type Transmission } from './fate.ts';
import { checkForward, tooBig } from './forward.ts';
import type { IcmpLimiter } from './icmp-limit.ts';
import { type Audience, isImpossibleIpv6, routeInput } from './input-route.ts';
import { type OutputDecision, type OutputQuestion, routeOutput } from './output-route.ts';
import { lacksFirstHeader } from './payload.ts';
import { ReassemblyQueues } from './reassembly.ts';
import { fittedError, icmpError, isIntactForReject, refusalOf, rejectReset } from './refuse.ts';
import { RouteExceptions } from './route-exceptions.ts';
import { isUnspecified, nextHopOf, type Route } from './route-table.ts';

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

/** What a hook inside a bridge led to; no fate: the packet may go on. */
export interface BridgedPassage {
  readonly fate: Fate | undefined;
  readonly transmissions: readonly Transmission[];
}

const LETS_GO: ReadonlySet<number> = new Set([PROTOCOL.udp, PROTOCOL.udplite]);

/** "Host unreachable", "address unreachable" (ipv4_link_failure, ip6_link_failure). */
const HOST_UNREACHABLE = { ipv4: { type: 3, code: 1 }, ipv6: { type: 1, code: 3 } } as const;

const INCOMPLETE_HEADER: Refusal = { kind: 'icmp', type: 4, code: 3 };

/** How far a packet that passes through has come: before step number `step` of HOOK_STEPS at `hook`. */
export interface Standpoint {
  readonly hook: 'prerouting' | 'forward' | 'postrouting';
  readonly step: number;
}

/** A device by which packets leave, and the MTU of the route that says so. */
interface Hop {
  readonly device: string;
  readonly mtu?: number | undefined;
}

/** A refusal that is about to be sent. */
interface Refusing {
  readonly refusal: Refusal;
  /** The packet's fate when nothing may be said. */
  readonly otherwise: DropReason;
  /** The word after an ICMP error's checksum: an MTU. */
  readonly parameter?: number;
}

/** Takes a delivered packet before any socket sees it (a tunnel, neighbour discovery); true when it did. */
export type EarlyReceiver = (packet: Packet, delivery: Delivery, skb: Skb) => boolean;

/** How a packet made here leaves, where it does not follow from the packet alone. */
export interface SendOptions {
  /** The packet must leave by this device (SO_BINDTODEVICE); link-local addresses and groups belong to it. */
  readonly device?: string;
  /** SO_MARK. */
  readonly mark?: number;
  /** False: an IPv6 packet that is too long may be cut up (a socket's); by default it may not (a raw one's). */
  readonly whole?: boolean;
}

export class Host {
  /** Devices and routes; whoever changes them puts a new book here. */
  addresses: AddressBook;
  readonly netfilter: Netfilter;
  answerer: Answerer;
  /** Asked before `answerer`. */
  earlyReceiver: EarlyReceiver | undefined;
  /**
   * Puts off what comes in through lo, as the kernel's backlog does: without it a packet to the host itself
   * is received before `send` returns.
   */
  deferLoopback: ((resume: () => Passage, skb: Skb) => void) | undefined;
  /** How often ICMP errors may be said; undefined: always. */
  icmpLimiter: IcmpLimiter | undefined;
  /** Draws the identifications of packets that are cut up here; without it they have none. */
  identify: (() => number) | undefined;
  #trace: HostTrace | undefined;
  #transmissions: Transmission[] = [];
  #queues = new ReassemblyQueues();
  /** Pieces of packets made here, which conntrack wants whole as well. */
  #outQueues = new ReassemblyQueues();
  /** What is known of the paths beyond the first link. */
  exceptions = new RouteExceptions();
  /** The family whose ICMP socket is at work: no error comes of a packet that it sends. */
  #icmpBusy: IpFamily | undefined;

  constructor({ addresses, netfilter, answerer }: HostOptions) {
    this.addresses = addresses;
    this.netfilter = netfilter;
    this.answerer = answerer ?? closedHost;
  }

  /** An independent copy at `clock`'s time whose random choices come from `choices`. */
  fork(clock: Clock, choices: Choices): Host {
    const netfilter = this.netfilter.fork({ clock, choices, host: this.addresses });
    const copy = new Host({ addresses: this.addresses, netfilter, answerer: this.answerer });
    copy.#queues = this.#queues.clone();
    copy.#outQueues = this.#outQueues.clone();
    copy.exceptions = this.exceptions.clone();
    return copy;
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
    return this.receiveSkb(skb, device);
  }

  /** As `receive`. `prerouted`: a bridge has run the prerouting hooks already. */
  receiveSkb(skb: Skb, device: Device, prerouted = false): Passage {
    return this.#passage(() => {
      this.#trace?.({ kind: 'receive', device: device.name, packet: skb.packet });
      return this.#receive(skb, device, prerouted);
    });
  }

  /**
   * Goes on with a packet whose way in by `device` began in another engine. It is whole, and beyond prerouting it
   * is routed: ttl, outgoing device and next hop are set.
   */
  resume(skb: Skb, device: Device, { hook, step }: Standpoint): Passage {
    return this.#passage(() => {
      const stopped = this.#hook(hook, skb, 'unicast', step);
      if (stopped !== undefined) return stopped;
      if (hook === 'prerouting') return this.#route(skb, device);
      const held = hook === 'forward' ? this.#hook('postrouting', skb) : undefined;
      return held ?? this.#transmit(skb, 'forwarded', true);
    });
  }

  /** A packet made on this host, by a raw socket unless `options` say otherwise: its source may be anything. */
  send(packet: Packet, { device, mark, whole = true }: SendOptions = {}): Passage {
    return this.#passage(() => {
      this.#trace?.({ kind: 'originate', packet });
      const skb = new Skb(packet);
      if (mark !== undefined) skb.mark = mark;
      return this.#send(skb, {
        dst: packet.dst,
        whole,
        ...(device === undefined ? {} : { device, link: device }),
      });
    });
  }

  /** The link could not deliver `skb`, which this host has sent or passed on: its source is told (dst_link_failure). */
  linkFailed(skb: Skb): Passage {
    const refusal: Refusal = { kind: 'icmp', ...HOST_UNREACHABLE[familyOf(skb.packet.src)] };
    return this.#passage(() => this.#refuse(skb, { refusal, otherwise: 'no-neighbour' }));
  }

  /**
   * The way under a tunnel device takes `mtu` bytes of `skb`, which is longer and may not be cut up: its source, as it
   * was before SNAT, is told (icmp_ndo_send).
   */
  tunnelTooNarrow(skb: Skb, mtu: number): Passage {
    const { ct, packet } = skb;
    const changed = ct?.direction === 'original' && !sameAddress(ct.entry.original.src, ct.entry.reply.dst);
    if (changed) skb.packet = { ...packet, src: ct.entry.original.src };
    return this.#passage(() => this.#refuse(skb, tooBig(skb.packet, mtu)));
  }

  /**
   * Runs one of the IP hooks on a packet that a bridge passes on (br_netfilter). The fate is undefined when the
   * packet may go on; before prerouting, pieces are put together where connections are tracked.
   */
  filterBridged(hook: 'prerouting' | 'forward' | 'postrouting', skb: Skb): BridgedPassage {
    return this.#collect(() => {
      const { tracksConnections } = this.netfilter.rules(familyOf(skb.packet.src));
      if (hook === 'prerouting' && tracksConnections && !this.#reassemble(skb)) {
        return dropped('awaiting-fragments');
      }
      const stopped = this.#hook(hook, skb, skb.packetType === 'host' ? 'unicast' : 'broadcast');
      if (stopped !== undefined) this.#trace?.({ kind: 'fate', fate: stopped });
      return stopped;
    });
  }

  #passage(run: () => Fate): Passage {
    this.netfilter.memory.tick = {};
    return this.#collect(() => {
      const fate = run();
      this.#trace?.({ kind: 'fate', fate });
      return fate;
    });
  }

  /** Runs what may lead to transmissions; one passage may happen inside another (a socket that sends). */
  #collect<F extends Fate | undefined>(
    run: () => F,
  ): { readonly fate: F; readonly transmissions: Transmission[] } {
    const outer = this.#transmissions;
    const transmissions: Transmission[] = [];
    this.#transmissions = transmissions;
    try {
      return { fate: run(), transmissions };
    } finally {
      this.#transmissions = outer;
    }
  }

  /** Runs `hook` from step number `from` on; undefined when the packet passes, else its fate. */
  #hook(hook: Hook, skb: Skb, audience: Audience = 'unicast', from = 0): Fate | undefined {
    const verdict = this.netfilter.run(hook, skb, from);
    switch (verdict.kind) {
      case 'accept':
        return undefined;
      case 'drop':
        return dropped(verdict.reason);
      case 'unknown':
        return verdict;
      case 'reject': {
        const forAll = audience === 'broadcast' || audience === 'multicast';
        if (forAll || !isIntactForReject(skb.packet)) return dropped('rule');
        return this.#refuse(skb, { refusal: refusalOf(verdict.with), otherwise: 'rule' });
      }
    }
  }

  #receive(skb: Skb, device: Device, prerouted: boolean): Fate {
    if (skb.packetType === 'other-host') return dropped('not-for-us');
    if (skb.packet.corrupt === 'ip-checksum') return dropped('corrupt');
    if (isImpossibleIpv6(skb.packet, device)) return dropped('martian');
    // Connection tracking sees whole packets only.
    const { tracksConnections } = this.netfilter.rules(familyOf(skb.packet.src));
    if (tracksConnections && !this.#reassemble(skb)) return dropped('awaiting-fragments');
    const stopped = prerouted ? undefined : this.#hook('prerouting', skb);
    return stopped ?? this.#route(skb, device);
  }

  /** What becomes of a packet that prerouting let pass. */
  #route(skb: Skb, device: Device): Fate {
    const decision = routeInput({ packet: skb.packet, device, book: this.addresses, mark: skb.mark });
    if (decision.kind === 'drop') return dropped(decision.reason);
    this.#trace?.({ kind: 'route', route: decision.route, destination: skb.packet.dst });
    if (decision.kind === 'forward') return this.#forward(skb, decision.route);
    if (decision.kind === 'local') return this.#input(skb, decision.audience);
    return this.#mayAnswerRouteless(skb.packet) ? this.#refuse(skb, decision) : dropped(decision.otherwise);
  }

  /** Puts fragments together. False while some are missing. */
  #reassemble(skb: Skb, queues = this.#queues): boolean {
    if (skb.packet.fragment === undefined) return true;
    // An IPv6 fragment that lacks the start of its upper-layer header is never put together with others.
    if (lacksFirstHeader(skb.packet)) return true;
    const whole = queues.add(skb.packet, this.netfilter.clock.now());
    if (whole === undefined) return false;
    skb.packet = whole.packet;
    skb.pieces = whole.pieces;
    return true;
  }

  #forward(skb: Skb, route: Route): Fate {
    const { packet } = skb;
    const { mtu: linkMtu } = this.addresses.devices.get(route.device) ?? {};
    // IPv6 asks how much the path takes when the packet leaves, not before the hooks.
    const v4 = typeof packet.dst === 'number';
    const limit = v4 ? this.#mtuTo(packet.dst, route, true) : linkMtu;
    const verdict = checkForward(skb, route, limit);
    if (verdict.kind === 'drop') return dropped(verdict.reason);
    if (verdict.kind === 'refuse') return this.#refuse(skb, verdict);
    skb.packet = { ...packet, ttl: packet.ttl - 1 };
    skb.outDevice = route.device;
    skb.nextHop = nextHopOf(route, packet.dst);
    skb.mtu = route.mtu;
    const stopped = this.#hook('forward', skb) ?? this.#hook('postrouting', skb);
    return stopped ?? this.#transmit(skb, 'forwarded', true);
  }

  /** The most bytes that go to `dst` in one piece: what the device takes, or what its path is known to take. */
  #mtuTo(dst: IpAddress, { device, mtu: given }: Hop, forwarded: boolean): number | undefined {
    const mtu = given ?? this.addresses.devices.get(device)?.mtu;
    const known = this.exceptions.mtu({ dst, device, forwarded, now: this.netfilter.clock.now() });
    return known === undefined ? mtu : Math.min(known, mtu ?? known);
  }

  /** Hands the packet to its device; `whole`: IPv6 may not cut it up on the way out. */
  #transmit(skb: Skb, kind: 'forwarded' | 'sent', whole: boolean): Fate {
    const { packet, outDevice: device = 'lo', nextHop = skb.packet.dst } = skb;
    const mtu = this.#mtuTo(packet.dst, { device, mtu: skb.mtu }, kind === 'forwarded');
    const pieces = this.cutUp({ packet, pieces: skb.pieces, written: skb.written, mtu, whole });
    if (pieces === 'too-big') return this.#refuse(skb, tooBig(packet, mtu));
    for (const piece of pieces) {
      this.#transmissions.push({ device, nextHop, packet: piece, skb });
      this.#trace?.({ kind: 'transmit', device, nextHop, packet: piece });
    }
    return { kind, device, packet };
  }

  /**
   * The pieces in which a packet leaves; those of a packet without identification get one (ip_select_ident,
   * ipv6_select_ident).
   */
  cutUp(departure: Departure): readonly Packet[] | 'too-big' {
    const { packet } = departure;
    const pieces = depart(departure);
    if (pieces === 'too-big' || packet.fragment !== undefined || packet.id !== 0) return pieces;
    if (pieces.length < 2) return pieces;
    const id = this.identify?.() ?? 0;
    return pieces.map((piece) => ({ ...piece, id }));
  }

  #input(skb: Skb, audience: Audience): Fate {
    // IPv4 puts fragments together for itself too, IPv6 only behind the input hook.
    const v4 = typeof skb.packet.src === 'number';
    if (v4 && !this.#reassemble(skb)) return dropped('awaiting-fragments');
    const stopped = this.#hook('input', skb, audience);
    if (stopped !== undefined) return stopped;
    const { packet } = skb;
    if (lacksFirstHeader(packet)) this.#complain(skb);
    else if (this.#reassemble(skb)) this.#answer(skb, audience);
    return { kind: 'delivered', packet };
  }

  /** Lets the sockets, and the kernel behind them, say what they have to say to a delivered packet. */
  #answer(skb: Skb, audience: Audience): void {
    const { packet, packetType, inDevice = 'lo', mark } = skb;
    const toHost = packetType === 'host';
    const now = this.netfilter.clock.now();
    const delivery = { audience, toHost, now, device: inDevice, mark };
    this.exceptions.learn({ packet, audience, device: inDevice, book: this.addresses, now });
    if (this.earlyReceiver?.(packet, delivery, skb) === true) return;
    const said = this.answerer(packet, delivery);
    if (said === undefined) return;
    const src = isUnspecified(said.src) ? this.#ownAddress(said.dst, inDevice) : said.src;
    if (src === undefined || !this.#mayBeSaid(said)) return;
    const answer = { ...said, src };
    this.#trace?.({ kind: 'originate', packet: answer, answers: 'socket' });
    // UDP's receiver has let go of the entry before it finds no socket: its errors are tracked like any other.
    const attaches = isIcmpErrorPacket(answer) && !LETS_GO.has(protocolOf(packet));
    const answerSkb = attaches ? errorSkb(answer, skb) : new Skb(answer);
    // An answer whose source is still to be chosen goes back by the device the question came in on.
    const bound = isUnspecified(said.src) && inDevice !== 'lo' ? { device: inDevice } : {};
    this.#sendAnswer(answerSkb, { dst: answer.dst, src, link: inDevice, ...bound });
  }

  /** The host's address for an answer that leaves by the device the question came in on, if it can. */
  #ownAddress(dst: IpAddress, device: string): IpAddress | undefined {
    const { routes, devices } = this.addresses;
    const route = routes.lookup(dst, device);
    if (device !== 'lo' && route?.type !== 'unicast') return undefined;
    return route?.src ?? selectAddress(devices, device, dst);
  }

  /** "First fragment has incomplete IPv6 header chain" (RFC 7112 §5). */
  #complain(skb: Skb): void {
    this.#refuse(skb, { refusal: INCOMPLETE_HEADER, otherwise: 'malformed' });
  }

  /** Refuses the packet: an ICMP error or reset goes back through the host's own output rules. */
  #refuse(skb: Skb, { refusal, otherwise, parameter }: Refusing): Fate {
    const answer =
      refusal.kind === 'tcp-reset' ? rejectReset(skb.packet) : this.#icmpError(skb, refusal, parameter);
    if (answer === undefined) return dropped(otherwise);
    // Resets do not ask for the device that a link-local address belongs to (nf_send_reset6).
    const link = refusal.kind === 'tcp-reset' ? {} : { link: skb.inDevice ?? 'lo' };
    const question: OutputQuestion = { dst: answer.dst, src: answer.src, ...link };
    // What has no way to go is never made, and a reset that is not made does not end its flow.
    if (routeOutput(question, this.addresses).kind === 'drop') return dropped(otherwise);
    if (refusal.kind === 'tcp-reset') closeConnection(skb, this.netfilter);
    this.#trace?.({ kind: 'originate', packet: answer, answers: refusal });
    if (refusal.kind === 'tcp-reset' && skb.bridge !== undefined)
      return this.#resetBridged(answer, skb.bridge);
    const fate = this.#sendAnswer(errorSkb(answer, skb), question);
    switch (fate.kind) {
      case 'sent':
        return { kind: 'rejected', refusal, device: fate.device };
      case 'delivered':
        return { kind: 'rejected', refusal, device: 'lo' };
      // The answer was answered in turn: that is what can be seen.
      case 'rejected':
      case 'unknown':
        return fate;
      default:
        return dropped('answer-dropped');
    }
  }

  /**
   * A reset about a packet that came through a bridge leaves by the port it came from, with the MAC addresses
   * exchanged, past all hooks (nf_reject_ipv4.c nf_send_reset).
   */
  #resetBridged(answer: Packet, { inPort: device, source, destination }: BridgeInfo): Fate {
    const link = { source: destination, destination: source };
    this.#transmissions.push({ device, nextHop: answer.dst, packet: answer, link });
    this.#trace?.({ kind: 'transmit', device, nextHop: answer.dst, packet: answer });
    return { kind: 'rejected', refusal: { kind: 'tcp-reset' }, device };
  }

  #icmpError(skb: Skb, refusal: Extract<Refusal, { kind: 'icmp' }>, parameter = 0): Packet | undefined {
    const { packet, packetType, inDevice } = skb;
    // Nobody is told about what came in a frame for everybody (RFC 1122 §3.2.2).
    if (packetType !== 'host' || this.#icmpBusy === familyOf(packet.src)) return undefined;
    const source = errorSource(packet, inDevice, this.addresses);
    if (source === undefined) return undefined;
    const error = icmpError(packet, { refusal, source, parameter });
    return error === undefined || this.#mayBeSaid(error) ? error : undefined;
  }

  /** Whether the limits on ICMP leave room for `packet`; what is no ICMP error always may. */
  #mayBeSaid({ src, dst, transport }: Packet): boolean {
    if (this.icmpLimiter === undefined || transport.kind !== 'icmp') return true;
    const { type, code } = transport;
    const route = this.addresses.routes.lookup(dst);
    const message = { type, code, target: dst, toSelf: route?.type === 'local' };
    return this.icmpLimiter.allows({ ...message, family: familyOf(src) }, this.netfilter.clock.now());
  }

  /** ip_error: what has no route is not answered as often as it comes. */
  #mayAnswerRouteless({ src }: Packet): boolean {
    if (typeof src !== 'number') return true;
    return this.icmpLimiter?.allowsRouteError(src, this.netfilter.clock.now()) !== false;
  }

  /** Sends what the host says of itself. ICMP messages go through one socket a family (icmp_xmit_lock). */
  #sendAnswer(skb: Skb, question: OutputQuestion): Fate {
    if (skb.packet.transport.kind !== 'icmp') return this.#send(skb, question);
    const way = this.addresses.routes.lookup(question.dst);
    if (way?.type === 'unicast') skb.packet = fittedError(skb.packet, this.#mtuTo(question.dst, way, false));
    const outer = this.#icmpBusy;
    this.#icmpBusy = familyOf(skb.packet.src);
    const fate = this.#send(skb, question);
    this.#icmpBusy = outer;
    return fate;
  }

  /** ip_local_out: route first, then the output hooks, which may change where it goes. */
  #send(skb: Skb, question: OutputQuestion): Fate {
    const destination = skb.packet.dst;
    let decision = this.#routeOutput(skb, question);
    if (decision.kind === 'drop') return dropped(decision.reason);
    // A raw socket does not cut packets up (EMSGSIZE).
    const { mtu } = this.addresses.devices.get(decision.device) ?? {};
    if (question.whole === true && mtu !== undefined && ipLength(skb.packet) > mtu) return dropped('too-big');
    const { tracksConnections } = this.netfilter.rules(familyOf(skb.packet.src));
    if (tracksConnections && !this.#reassemble(skb, this.#outQueues)) return dropped('awaiting-fragments');
    const stopped = this.#hook('output', skb, decision.audience);
    if (stopped !== undefined) return stopped;
    const { src, dst } = skb.packet;
    if (!sameAddress(destination, dst) || (skb.reroute && this.addresses.routes.hasPolicy)) {
      // ip_route_me_harder: the output hooks still saw the old device; postrouting sees the new one.
      // A link-local destination stays with the device that was chosen first (ip6_route_me_harder).
      decision = this.#routeOutput(skb, { dst, src, link: decision.device });
      if (decision.kind === 'drop') return dropped(decision.reason);
    }
    if (decision.loopsBack) this.#loopCopy(skb, decision);
    const held = this.#hook('postrouting', skb);
    if (held !== undefined) return held;
    const whole = question.whole === true;
    if (skb.outDevice !== 'lo') return this.#transmit(skb, 'sent', whole);
    const { packet } = skb;
    const loMtu = this.#mtuTo(packet.dst, { device: 'lo' }, false);
    // Pieces would be put together again at once; only what may not be cut up shows.
    const pieces = depart({ packet, pieces: undefined, written: 0, mtu: loMtu, whole });
    return pieces === 'too-big'
      ? this.#refuse(skb, tooBig(packet, loMtu))
      : this.#loop(skb, decision.audience);
  }

  #routeOutput(skb: Skb, question: OutputQuestion): OutputDecision {
    const from = skb.packet.src;
    const asked = { ...question, mark: skb.mark, ...(isUnspecified(from) ? {} : { from }) };
    const decision = routeOutput(asked, this.addresses);
    this.#trace?.({ kind: 'route', route: decision.route, destination: question.dst });
    if (decision.kind === 'send') {
      skb.mtu = decision.route?.mtu;
      skb.outDevice = decision.device;
      skb.nextHop = decision.nextHop;
    }
    return decision;
  }

  /** Out through lo and in again: the packet keeps its conntrack entry, its mark and its route. */
  #loop(skb: Skb, audience: Audience): Fate {
    this.#trace?.({ kind: 'loopback', packet: skb.packet });
    skb.inDevice ??= 'lo';
    skb.outDevice = undefined;
    const comeIn = () => this.#comeIn(skb, audience);
    if (this.deferLoopback === undefined) return comeIn();
    this.deferLoopback(() => this.#passage(comeIn), skb);
    return { kind: 'sent', device: 'lo', packet: skb.packet };
  }

  #comeIn(skb: Skb, audience: Audience): Fate {
    const device = this.addresses.devices.get(skb.inDevice ?? 'lo');
    if (device !== undefined && isImpossibleIpv6(skb.packet, device)) return dropped('martian');
    const outer = this.#icmpBusy;
    // What comes in does so after the sender is done.
    this.#icmpBusy = undefined;
    const fate = this.#hook('prerouting', skb) ?? this.#input(skb, audience);
    this.#icmpBusy = outer;
    return fate;
  }

  /** The copy of a broadcast for the host itself: it comes back by the device the original leaves by. */
  #loopCopy(skb: Skb, { device, audience }: Extract<OutputDecision, { kind: 'send' }>): void {
    const copy = skb.clone();
    if (this.#hook('postrouting', copy) !== undefined) return;
    copy.inDevice = device;
    copy.packetType = audience === 'multicast' ? 'multicast' : 'broadcast';
    this.#loop(copy, audience);
  }
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
  skb.beyondCt = cause.untracked;
  return skb;
}

/** nf_ct_set_closing: a REJECT's reset ends the flow it resets, whatever its window says. */
function closeConnection(skb: Skb, netfilter: Netfilter): void {
  const entry = skb.ct?.entry;
  // A flow that is not in the table yet keeps the state its first packet gave it.
  if (entry?.tcp === undefined || !entry.confirmed || entry.tcp.state === 'CLOSE') return;
  entry.tcp.state = 'CLOSE';
  entry.expires = netfilter.clock.now() + netfilter.sysctls.tcp.CLOSE;
}
