/** The neighbours of a namespace, over all of its devices: ARP's and neighbour discovery's. */
import type { Skb } from '../../netfilter/skb.ts';
import type { DropReason } from '../../netfilter/verdict.ts';
import type { Timer } from '../../sim/scheduler.ts';
import { ARP_OPERATION, type ArpMessage } from '../../wire/arp.ts';
import { ipFrame } from '../../wire/frame.ts';
import { formatIpAddress, type IpAddress } from '../../wire/ip-address.ts';
import { BROADCAST_MAC, groupMac, type MacAddress } from '../../wire/mac.ts';
import type { Packet } from '../../wire/packet.ts';
import type { Transmission } from '../fate.ts';
import type { Interface } from '../link/interface.ts';
import type { Namespace } from '../namespace.ts';
import { isMulticast, LIMITED_BROADCAST } from '../route-table.ts';
import type { NeighbourListing, NeighbourState } from './entry.ts';

const CONNECTED: ReadonlySet<NeighbourState> = new Set(['REACHABLE', 'PERMANENT', 'NOARP']);

interface Entry {
  readonly address: IpAddress;
  readonly device: Interface;
  state: NeighbourState;
  mac: MacAddress | undefined;
  probes: number;
  waiting: Transmission[];
  timer: Timer | undefined;
  updated: number;
  /** A packet has been sent to it: its header is ready for the next (hh_cache). */
  used: boolean;
}

export class NeighbourTable {
  readonly #namespace: Namespace;
  readonly #entries = new Map<string, Entry>();

  constructor(namespace: Namespace) {
    this.#namespace = namespace;
  }

  /** Sends `transmission` by `device`, now or when its next hop has been found. */
  output(transmission: Transmission, device: Interface): void {
    const { nextHop, packet, skb } = transmission;
    const known = this.#known(nextHop, device);
    if (known !== undefined) {
      device.transmit(ipFrame(device.mac, known, packet), skb);
      return;
    }
    const entry = this.#entry(nextHop, device);
    if (entry.mac !== undefined) {
      entry.used = true;
      device.transmit(ipFrame(device.mac, entry.mac, packet), skb);
      return;
    }
    entry.waiting.push(transmission);
    this.#namespace.tell({ kind: 'neighbour-wait', device: device.name, address: nextHop, packet });
    if (entry.state !== 'INCOMPLETE') {
      entry.probes = 0;
      this.#set(entry, 'INCOMPLETE');
      this.#probe(entry);
    }
  }

  /** `ip neigh replace ADDRESS lladdr MAC dev DEVICE nud permanent`. */
  addPermanent(address: IpAddress, mac: MacAddress, device: Interface): void {
    const entry = this.#entry(address, device);
    entry.mac = mac;
    entry.timer?.cancel();
    this.#set(entry, 'PERMANENT');
    this.#flush(entry);
  }

  /**
   * The link address of a neighbour that is known without doubt (NUD_CONNECTED) and that packets were sent to
   * before, which needs no more looking up (neigh_hh_bridge).
   */
  cached(address: IpAddress, device: Interface): MacAddress | undefined {
    const entry = this.#entries.get(keyOf(address, device));
    if (entry?.used !== true) return undefined;
    return CONNECTED.has(entry.state) ? entry.mac : undefined;
  }

  /** `ip neigh`: in the order in which they were met. */
  list(): NeighbourListing[] {
    const now = this.#namespace.scheduler.now();
    return [...this.#entries.values()].map(({ address, device, mac, state, updated }) => ({
      address,
      device: device.name,
      ...(mac === undefined ? {} : { mac }),
      state,
      router: false,
      used: now - updated,
      confirmed: now - updated,
      updated: now - updated,
    }));
  }

  /** An ARP message has come in on `device`. */
  arpIn(message: ArpMessage, device: Interface): void {
    const { operation, senderIp, senderMac, targetIp } = message;
    const route = this.#namespace.book.routes.lookup(targetIp);
    const forUs = route?.type === 'local';
    if (operation === ARP_OPERATION.request && forUs) {
      this.#learn(this.#entry(senderIp, device), senderMac, 'STALE');
      device.transmit({
        source: device.mac,
        destination: senderMac,
        payload: {
          kind: 'arp',
          message: {
            operation: ARP_OPERATION.reply,
            senderMac: device.mac,
            senderIp: targetIp,
            targetMac: senderMac,
            targetIp: senderIp,
          },
        },
      });
      return;
    }
    const known = this.#entries.get(keyOf(senderIp, device));
    if (operation === ARP_OPERATION.reply && known !== undefined) this.#learn(known, senderMac, 'REACHABLE');
  }

  /** Link addresses that nobody needs to ask for. */
  #known(address: IpAddress, device: Interface): MacAddress | undefined {
    if (isMulticast(address)) return groupMac(address);
    if (address === LIMITED_BROADCAST) return BROADCAST_MAC;
    return device.noArp ? device.mac : undefined;
  }

  #entry(address: IpAddress, device: Interface): Entry {
    const key = keyOf(address, device);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const entry: Entry = {
      address,
      device,
      state: 'NONE',
      mac: undefined,
      probes: 0,
      waiting: [],
      timer: undefined,
      updated: this.#namespace.scheduler.now(),
      used: false,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  #set(entry: Entry, state: NeighbourState): void {
    entry.state = state;
    entry.updated = this.#namespace.scheduler.now();
    const { address, device, mac } = entry;
    this.#namespace.tell({
      kind: 'neighbour',
      device: device.name,
      address,
      state,
      ...(mac === undefined ? {} : { mac }),
    });
  }

  #learn(entry: Entry, mac: MacAddress, state: 'REACHABLE' | 'STALE'): void {
    if (entry.state === 'PERMANENT') return;
    entry.mac = mac;
    entry.timer?.cancel();
    this.#set(entry, state);
    this.#flush(entry);
  }

  #flush(entry: Entry): void {
    const { waiting, device, mac } = entry;
    entry.waiting = [];
    if (mac === undefined) return;
    if (waiting.length > 0) entry.used = true;
    for (const { packet, skb } of waiting) device.transmit(ipFrame(device.mac, mac, packet), skb);
  }

  #probe(entry: Entry): void {
    const { address, device } = entry;
    if (entry.probes >= 3) {
      this.#set(entry, 'FAILED');
      const { waiting } = entry;
      entry.waiting = [];
      for (const { packet, skb } of waiting) this.#fail(packet, skb, device, 'no-neighbour');
      return;
    }
    entry.probes++;
    if (typeof address === 'number') {
      const first = entry.waiting[0]?.packet.src;
      const senderIp =
        typeof first === 'number' && this.#isOwn(first) ? first : this.#ownAddress(address, device);
      device.transmit({
        source: device.mac,
        destination: BROADCAST_MAC,
        payload: {
          kind: 'arp',
          message: {
            operation: ARP_OPERATION.request,
            senderMac: device.mac,
            senderIp,
            targetMac: 0,
            targetIp: address,
          },
        },
      });
    }
    entry.timer = this.#namespace.scheduler.after(1, () => this.#probe(entry));
  }

  #isOwn(address: number): boolean {
    return this.#namespace.book.routes.lookup(address)?.type === 'local';
  }

  #ownAddress(address: number, device: Interface): number {
    const own = this.#namespace.book.masqueradeAddress(device.name, address);
    return typeof own === 'number' ? own : 0;
  }

  #fail(packet: Packet, skb: Skb | undefined, device: Interface, reason: DropReason): void {
    this.#namespace.tell({ kind: 'packet-dropped', device: device.name, packet, reason });
    if (skb !== undefined) this.#namespace.linkFailed(skb, packet);
  }
}

function keyOf(address: IpAddress, device: Interface): string {
  return `${device.index} ${formatIpAddress(address)}`;
}
