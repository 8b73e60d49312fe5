/** Neighbour discovery as a namespace speaks it: questions, answers, and what it hears (net/ipv6/ndisc.c). */
import { type Ipv6Address, sameAddress } from '../../wire/ip-address.ts';
import type { MacAddress } from '../../wire/mac.ts';
import { type NdpMessage, ndpPacket, parseNdp } from '../../wire/ndp.ts';
import type { Packet } from '../../wire/packet.ts';
import { selectAddress } from '../addressing.ts';
import type { Interface } from '../link/interface.ts';
import type { Namespace } from '../namespace.ts';
import { isMulticast, isUnspecified } from '../route-table.ts';
import type { Acquaintances } from './acquaintances.ts';
import { advertisementFor, announcement, isOnDevice, type Outgoing, solicitationFor } from './ndp.ts';
import { answersSolicitationFor, type ProxyQueue } from './proxy.ts';

/** Who asked whom, and where. */
interface Question {
  readonly src: Ipv6Address;
  readonly dst: Ipv6Address;
  readonly device: Interface;
}

export class NdpTalk {
  readonly #namespace: Namespace;
  readonly #known: Acquaintances;
  readonly #proxies: ProxyQueue;

  constructor(namespace: Namespace, known: Acquaintances, proxies: ProxyQueue) {
    this.#namespace = namespace;
    this.#known = known;
    this.#proxies = proxies;
  }

  /** Asks who has `address`: `mac` alone when that is known. `wanted`: the source of the packet that waits. */
  ask(
    address: Ipv6Address,
    device: Interface,
    wanted: Ipv6Address | undefined,
    mac: MacAddress | undefined,
  ): void {
    const question = solicitationFor(address, device, { wanted, mac });
    if (question !== undefined) this.#send(device, question);
  }

  /** An unsolicited advertisement: tells everybody on the link that `address` is here. */
  announce(address: Ipv6Address, device: Interface): void {
    this.#send(device, announcement(address, device, this.#isRouter(device)));
  }

  /** A delivered packet; true when it was neighbour discovery. */
  hear(packet: Packet, device: Interface): boolean {
    const message = parseNdp(packet);
    const { src, dst } = packet;
    if (message === undefined || typeof src === 'number' || typeof dst === 'number') return false;
    if (message.kind === 'advertisement') this.#advertised(message, device);
    else this.#solicited(message, { src, dst, device });
    return true;
  }

  /** What speaks for `device` towards `asker`. */
  #ownAddress(asker: Ipv6Address, device: Interface): Ipv6Address | undefined {
    const own = selectAddress(this.#namespace.book.devices, device.name, asker);
    return typeof own === 'number' ? undefined : own;
  }

  #isRouter(device: Interface): boolean {
    return this.#namespace.sysctls.ipv6Conf(device.name, 'forwarding') !== 0;
  }

  #send(device: Interface, { src, dst, message }: Outgoing<NdpMessage>): void {
    this.#namespace.send(ndpPacket(src, dst, message), { device: device.name });
  }

  #solicited(
    { target, sourceMac }: Extract<NdpMessage, { kind: 'solicitation' }>,
    { src, dst, device }: Question,
  ): void {
    const { proxied, sysctls } = this.#namespace;
    const router = this.#isRouter(device);
    const own = isOnDevice(target, device);
    const proxyNdp = sysctls.ipv6Conf(device.name, 'proxy_ndp') !== 0;
    const listed = proxied.has(target, device.name);
    if (!own && !answersSolicitationFor({ forwards: router, listed, proxyNdp })) return;
    if (!isUnspecified(src)) {
      if (sourceMac !== undefined) this.#known.meet(src, device, sourceMac);
      else if (isMulticast(dst)) return;
    }
    const proxy = own ? undefined : this.#ownAddress(src, device);
    const question = { src, dst, device, target, proxy, router: own && router };
    const say = () => this.#send(device, advertisementFor(question));
    if (own || !isMulticast(dst)) say();
    else this.#proxies.answer(device.name, say);
  }

  #advertised(message: Extract<NdpMessage, { kind: 'advertisement' }>, device: Interface): void {
    const { target, targetMac, solicited, override, router } = message;
    const neighbour = this.#known.find(target, device);
    if (neighbour === undefined || neighbour.state === 'FAILED') return;
    // An own proxy answer that came back says nothing.
    const isOwn = targetMac === device.mac && isOnDevice(target, device);
    if (isOwn && sameAddress(target, neighbour.address)) return;
    const state = solicited ? 'REACHABLE' : 'STALE';
    neighbour.update({ mac: targetMac, state, override, weakOverride: true, router });
  }
}
