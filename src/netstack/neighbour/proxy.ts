/**
 * When a router answers ARP and neighbour solicitations for addresses that are not its own: proxy_arp, proxy_ndp
 * and `ip neigh add proxy`, as pure decisions (arp.c arp_process, arp_fwd_proxy; ndisc.c ndisc_recv_ns).
 */
import type { Random } from '../../sim/random.ts';
import { formatIpAddress, type IpAddress, type Ipv6Address } from '../../wire/ip-address.ts';
import { solicitedNodeGroup } from '../../wire/ndp.ts';
import type { Route } from '../route-table.ts';

/** The addresses for which a namespace answers on a device (`ip neigh add proxy ADDRESS dev DEVICE`). */
export class ProxyNeighbours {
  readonly #entries = new Set<string>();
  readonly #groups = new Set<string>();

  /** `device`: its name. */
  add(address: IpAddress, device: string): void {
    this.#entries.add(`${device} ${formatIpAddress(address)}`);
    if (typeof address !== 'number')
      this.#groups.add(`${device} ${formatIpAddress(solicitedNodeGroup(address))}`);
  }

  remove(address: IpAddress, device: string): void {
    this.#entries.delete(`${device} ${formatIpAddress(address)}`);
  }

  has(address: IpAddress, device: string): boolean {
    return this.#entries.size > 0 && this.#entries.has(`${device} ${formatIpAddress(address)}`);
  }

  /** Whether neighbours look for one of the addresses in `group` (pndisc_constructor joins it). */
  listensTo(group: Ipv6Address, device: string): boolean {
    return this.#groups.has(`${device} ${formatIpAddress(group)}`);
  }
}

export interface ProxyQuestion {
  /** The device the question came in on. */
  readonly device: string;
  /** The route on which a packet from the asker to the address would be passed on; undefined when none would. */
  readonly route: Route | undefined;
  /** The device forwards (IPv6: the namespace does). */
  readonly forwards: boolean;
  /** proxy_arp of the device or of `all`. */
  readonly proxyArp: boolean;
  /** proxy_arp_pvlan: the answer is given for hosts on the very device the question came from. */
  readonly privateVlan: boolean;
  /** There is a proxy entry for the address on this device. */
  readonly listed: boolean;
}

/** Whether an ARP request for an address that is not the host's own is answered. */
export function answersArpFor(question: ProxyQuestion): boolean {
  const { device, route, forwards, proxyArp, privateVlan, listed } = question;
  if (!forwards || route?.type !== 'unicast') return false;
  const elsewhere = route.device !== device;
  return elsewhere ? proxyArp || listed : privateVlan;
}

/** Whether a neighbour solicitation for an address that is not the host's own is answered. */
export function answersSolicitationFor({
  forwards,
  proxyNdp,
  listed,
}: Pick<ProxyQuestion, 'forwards' | 'listed'> & {
  /** proxy_ndp of the device or of `all`. */
  readonly proxyNdp: boolean;
}): boolean {
  return forwards && proxyNdp && listed;
}

/** What a queue of answers needs of its namespace. */
export interface ProxyTiming {
  /** Seconds: proxy_delay of the device. */
  delay(device: string): number;
  /** proxy_qlen of the device. */
  room(device: string): number;
  after(seconds: number, action: () => void): void;
  readonly random: Random;
}

/**
 * Answers on behalf of others that were asked of everybody wait a random part of proxy_delay, so that the address's
 * owner, or another proxy, comes first (pneigh_enqueue).
 */
export class ProxyQueue {
  readonly #timing: ProxyTiming;
  readonly #waiting = new Map<string, number>();

  constructor(timing: ProxyTiming) {
    this.#timing = timing;
  }

  /** Calls `say` now or later; never when the queue is full. */
  answer(device: string, say: () => void): void {
    const delay = this.#timing.delay(device);
    if (delay === 0) {
      say();
      return;
    }
    const waiting = this.#waiting.get(device) ?? 0;
    if (waiting > this.#timing.room(device)) return;
    this.#waiting.set(device, waiting + 1);
    this.#timing.after((this.#timing.random.uint32() / 2 ** 32) * delay, () => {
      this.#waiting.set(device, (this.#waiting.get(device) ?? 1) - 1);
      say();
    });
  }
}
