/** ARP as a namespace speaks it: questions, answers, and what it takes from what it hears (net/ipv4/arp.c). */
import type { PacketType } from '../../netfilter/skb.ts';
import { ARP_OPERATION, type ArpMessage } from '../../wire/arp.ts';
import { BROADCAST_MAC, type MacAddress } from '../../wire/mac.ts';
import type { Interface } from '../link/interface.ts';
import type { Namespace } from '../namespace.ts';
import type { Acquaintances } from './acquaintances.ts';
import { askingAddress, judgeArp } from './arp.ts';
import { answersArpFor, type ProxyQueue } from './proxy.ts';

export class ArpTalk {
  readonly #namespace: Namespace;
  readonly #known: Acquaintances;
  readonly #proxies: ProxyQueue;

  constructor(namespace: Namespace, known: Acquaintances, proxies: ProxyQueue) {
    this.#namespace = namespace;
    this.#known = known;
    this.#proxies = proxies;
  }

  /** Asks who has `address`: `mac` alone when that is known. `wanted`: the source of the packet that waits. */
  ask(address: number, device: Interface, wanted: number | undefined, mac: MacAddress | undefined): void {
    const { book, sysctls } = this.#namespace;
    const senderIp = askingAddress(address, wanted, { book, sysctls, device: device.name });
    const question = { operation: ARP_OPERATION.request, senderIp, targetIp: address, targetMac: 0 };
    this.#send(device, mac ?? BROADCAST_MAC, question);
  }

  /** Gratuitous ARP: tells everybody on the link that `address` is here. */
  announce(address: number, device: Interface): void {
    const message = { senderIp: address, targetIp: address, targetMac: 0 };
    this.#send(device, BROADCAST_MAC, { ...message, operation: ARP_OPERATION.request });
  }

  /** A message has come in on `device` (arp_process). */
  hear(message: ArpMessage, device: Interface, packetType: PacketType): void {
    if (device.noArp || device.kind === 'loopback') return;
    const { book, sysctls } = this.#namespace;
    const { operation, senderIp, senderMac, targetIp } = message;
    if (senderIp === targetIp && sysctls.ipv4Conf(device.name, 'drop_gratuitous_arp') !== 0) return;
    const verdict = judgeArp(message, { book, sysctls, device: device.name });
    if (verdict.kind === 'silent') return;
    const answers =
      verdict.kind === 'answer' ||
      (verdict.kind === 'not-ours' && this.#answersFor(targetIp, senderIp, device));
    if (!answers) {
      this.#believe(message, device, operation === ARP_OPERATION.reply && packetType === 'host');
      return;
    }
    if (verdict.kind !== 'answer' || verdict.learn) this.#known.meet(senderIp, device, senderMac);
    const answer = { senderIp: targetIp, targetIp: senderIp, targetMac: senderMac };
    const say = () => this.#send(device, senderMac, { ...answer, operation: ARP_OPERATION.reply });
    if (verdict.kind === 'answer' || packetType === 'host') say();
    else this.#proxies.answer(device.name, say);
  }

  #send(device: Interface, destination: MacAddress, message: Omit<ArpMessage, 'senderMac'>): void {
    const payload = { kind: 'arp', message: { ...message, senderMac: device.mac } } as const;
    device.transmit({ source: device.mac, destination, payload });
  }

  /** What is known of the sender may change; arp_accept makes strangers known. */
  #believe(
    { senderIp, senderMac, targetIp, operation }: ArpMessage,
    device: Interface,
    proves: boolean,
  ): void {
    const isGratuitous = senderIp === targetIp;
    let neighbour = this.#known.find(senderIp, device);
    if (neighbour === undefined && this.#acceptsStranger(senderIp, device)) {
      if (isGratuitous || operation === ARP_OPERATION.reply) neighbour = this.#known.create(senderIp, device);
    }
    if (neighbour === undefined) return;
    // Several proxies may answer: the first counts for a while.
    const locked = neighbour.updated + this.#known.lockTime(device);
    const override = isGratuitous || this.#namespace.scheduler.now() > locked;
    neighbour.update({ mac: senderMac, state: proves ? 'REACHABLE' : 'STALE', override });
  }

  #acceptsStranger(address: number, device: Interface): boolean {
    const accept = this.#namespace.sysctls.ipv4Conf(device.name, 'arp_accept');
    if (accept !== 2) return accept === 1;
    return this.#namespace.book.routes.lookup(address, device.name)?.gateway === undefined;
  }

  #answersFor(target: number, asker: number, device: Interface): boolean {
    const { book, sysctls, proxied } = this.#namespace;
    const route = book.routes.lookup(target, undefined, { src: asker, iif: device.name });
    return answersArpFor({
      device: device.name,
      route,
      forwards: sysctls.ipv4Conf(device.name, 'forwarding') !== 0,
      proxyArp: sysctls.ipv4Conf(device.name, 'proxy_arp') !== 0,
      privateVlan: sysctls.ipv4Conf(device.name, 'proxy_arp_pvlan') !== 0,
      listed: proxied.has(target, device.name),
    });
  }
}
