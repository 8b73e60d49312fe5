/**
 * The neighbours of a namespace, over all of its devices: ARP's and neighbour discovery's. Packets that were
 * routed come in here and leave as frames, once it is known to whom.
 *
 *   transmission ─▶ neighbour known? ─▶ frame
 *                        └ no ─▶ wait ─▶ ask ─▶ answer ─▶ frames
 *                                         └ none ─▶ host unreachable
 */

import type { PacketType } from '../../netfilter/skb.ts';
import type { ArpMessage } from '../../wire/arp.ts';
import { ipFrame } from '../../wire/frame.ts';
import { ipLength } from '../../wire/headers.ts';
import type { IpAddress } from '../../wire/ip-address.ts';
import { BROADCAST_MAC, groupMac, type MacAddress } from '../../wire/mac.ts';
import type { Packet } from '../../wire/packet.ts';
import type { Transmission } from '../fate.ts';
import type { Interface } from '../link/interface.ts';
import type { Namespace } from '../namespace.ts';
import { isMulticast, LIMITED_BROADCAST } from '../route-table.ts';
import type { Acquaintances } from './acquaintances.ts';
import { ArpTalk } from './arp-talk.ts';
import type { NeighbourListing } from './entry.ts';
import { NdpTalk } from './ndp-talk.ts';
import { Neighbour, type NeighbourTableSide } from './neighbour.ts';
import { NeighbourCache, type Thresholds } from './neighbour-cache.ts';
import { ProxyQueue } from './proxy.ts';
import { NeighbourSettingsBook, USER_HZ } from './settings.ts';

const FAMILY = (address: IpAddress) => (typeof address === 'number' ? 'ipv4' : 'ipv6');

export class NeighbourTable {
  readonly #namespace: Namespace;
  readonly #cache = new NeighbourCache();
  readonly #settings: NeighbourSettingsBook;
  readonly #sides: Readonly<Record<'ipv4' | 'ipv6', NeighbourTableSide>>;
  readonly #sweeping = { ipv4: false, ipv6: false };
  readonly #arp: ArpTalk;
  readonly #ndp: NdpTalk;

  constructor(namespace: Namespace) {
    this.#namespace = namespace;
    this.#settings = new NeighbourSettingsBook(namespace.sysctls, namespace.randomFor('neighbours'));
    this.#sides = { ipv4: this.#side('ipv4'), ipv6: this.#side('ipv6') };
    const known: Acquaintances = {
      find: (address, device) => this.#cache.find(address, device),
      create: (address, device) => this.#create(address, device),
      meet: (address, device, mac) => {
        const neighbour = known.find(address, device) ?? known.create(address, device);
        neighbour?.update({ mac, state: 'STALE', override: true });
      },
      lockTime: (device) => this.#settings.of('ipv4', device.name, namespace.scheduler.now()).lockTime,
    };
    this.#arp = new ArpTalk(namespace, known, this.#proxyQueue('ipv4'));
    this.#ndp = new NdpTalk(namespace, known, this.#proxyQueue('ipv6'));
  }

  /** Sends `transmission` by `device`, now or when its next hop has been found. */
  output(transmission: Transmission, device: Interface): void {
    const { nextHop, packet, skb } = transmission;
    const known = this.#wellKnown(nextHop, device);
    if (known !== undefined) {
      device.transmit(ipFrame(device.mac, known, packet), skb);
      return;
    }
    const neighbour = this.#cache.find(nextHop, device) ?? this.#create(nextHop, device);
    if (neighbour === undefined) this.#tellDropped(transmission, device, 'neighbour-table-full');
    else neighbour.output(transmission, ipLength(packet));
  }

  /** `ip neigh replace ADDRESS lladdr MAC dev DEVICE nud permanent`. */
  addPermanent(address: IpAddress, mac: MacAddress, device: Interface): void {
    this.set(address, mac, device, 'PERMANENT');
  }

  /** `ip neigh replace ADDRESS lladdr MAC dev DEVICE nud STATE`. */
  set(
    address: IpAddress,
    mac: MacAddress,
    device: Interface,
    state: 'PERMANENT' | 'REACHABLE' | 'STALE' | 'NOARP',
  ): void {
    const neighbour = this.#cache.find(address, device) ?? this.#make(address, device);
    neighbour.setByHand(mac, state);
  }

  /** `ip neigh del ADDRESS dev DEVICE`: packets that wait for it are gone. */
  remove(address: IpAddress, device: Interface): void {
    const neighbour = this.#cache.find(address, device);
    if (neighbour !== undefined) this.#cache.remove(neighbour);
  }

  /** Forgets the neighbours on `device`; `learned`: those set by hand stay. */
  forget(device: Interface, which: 'all' | 'learned' = 'all'): void {
    for (const neighbour of [...this.#cache.all()]) {
      if (neighbour.device !== device) continue;
      if (which === 'all' || neighbour.state !== 'PERMANENT') this.#cache.remove(neighbour);
    }
  }

  /**
   * The link address of a neighbour that is known without doubt (NUD_CONNECTED) and that packets were sent to
   * before, which needs no more looking up (neigh_hh_bridge).
   */
  cached(address: IpAddress, device: Interface): MacAddress | undefined {
    const neighbour = this.#cache.find(address, device);
    return neighbour?.headerReady === true && neighbour.isConnected ? neighbour.mac : undefined;
  }

  /** A transport made progress through the neighbour: it is there (dst_confirm). */
  confirm(address: IpAddress, device: Interface): void {
    this.#cache.find(address, device)?.confirm();
  }

  /** `ip neigh`: in the order in which they were met. */
  list(): NeighbourListing[] {
    const now = this.#namespace.scheduler.now();
    return [...this.#cache.all()].map(
      ({ address, device, mac, state, isRouter, used, confirmed, updated }) => ({
        address,
        device: device.name,
        ...(mac === undefined ? {} : { mac }),
        state,
        router: isRouter,
        used: now - used,
        confirmed: now - confirmed,
        updated: now - updated,
      }),
    );
  }

  /** Tells everybody on the link that `address` is here: gratuitous ARP, an unsolicited advertisement. */
  announce(address: IpAddress, device: Interface): void {
    if (typeof address === 'number') this.#arp.announce(address, device);
    else this.#ndp.announce(address, device);
  }

  /** An ARP message has come in on `device`. */
  arpIn(message: ArpMessage, device: Interface, packetType: PacketType = 'host'): void {
    this.#arp.hear(message, device, packetType);
  }

  /** A delivered packet; true when it was neighbour discovery. */
  ndpIn(packet: Packet, device: Interface): boolean {
    return this.#ndp.hear(packet, device);
  }

  #proxyQueue(family: 'ipv4' | 'ipv6'): ProxyQueue {
    const { scheduler, sysctls } = this.#namespace;
    return new ProxyQueue({
      delay: (device) => sysctls.neighbour(family, device, 'proxy_delay') / USER_HZ,
      room: (device) => sysctls.neighbour(family, device, 'proxy_qlen'),
      after: (seconds, action) => scheduler.after(seconds, action),
      random: this.#namespace.randomFor(`proxy ${family}`),
    });
  }

  #side(family: 'ipv4' | 'ipv6'): NeighbourTableSide {
    const { scheduler } = this.#namespace;
    return {
      now: () => scheduler.now(),
      settings: (device) => this.#settings.of(family, device.name, scheduler.now()),
      after: (seconds, action, background) => scheduler.after(seconds, action, { background }),
      solicit: (neighbour, mac) => this.#solicit(neighbour, mac),
      emit: ({ device }, mac, { packet, skb }) => device.transmit(ipFrame(device.mac, mac, packet), skb),
      fail: ({ device }, waiting) => {
        for (const transmission of waiting) {
          this.#tellDropped(transmission, device, 'no-neighbour');
          if (transmission.skb !== undefined)
            this.#namespace.linkFailed(transmission.skb, transmission.packet);
        }
      },
      overflow: ({ device }, transmission) => this.#tellDropped(transmission, device, 'neighbour-queue-full'),
      waits: ({ device, address }, { packet }) =>
        this.#namespace.tell({ kind: 'neighbour-wait', device: device.name, address, packet }),
      changed: ({ device, address, state, mac }) =>
        this.#namespace.tell({
          kind: 'neighbour',
          device: device.name,
          address,
          state,
          ...(mac === undefined ? {} : { mac }),
        }),
    };
  }

  #tellDropped(
    { packet }: Transmission,
    device: Interface,
    reason: 'no-neighbour' | 'neighbour-queue-full' | 'neighbour-table-full',
  ): void {
    this.#namespace.tell({ kind: 'packet-dropped', device: device.name, packet, reason });
  }

  /** Link addresses that nobody needs to ask for (arp_constructor, ndisc_constructor). */
  #wellKnown(address: IpAddress, device: Interface): MacAddress | undefined {
    if (isMulticast(address)) return groupMac(address);
    if (device.noArp || device.kind === 'loopback') return device.mac;
    if (typeof address !== 'number') return undefined;
    if (address === LIMITED_BROADCAST) return BROADCAST_MAC;
    if (this.#cache.find(address, device) !== undefined) return undefined;
    return this.#namespace.book.routes.lookupLocal(address)?.type === 'broadcast' ? BROADCAST_MAC : undefined;
  }

  #thresholds(family: 'ipv4' | 'ipv6'): Thresholds {
    const of = (number: 1 | 2 | 3) =>
      this.#namespace.sysctls.number(`net.${family}.neigh.default.gc_thresh${number}`);
    return { low: of(1), middle: of(2), high: of(3) };
  }

  /** A new entry; undefined when the table is full. */
  #create(address: IpAddress, device: Interface): Neighbour | undefined {
    const family = FAMILY(address);
    // Thresholds matter to large tables only.
    if (this.#cache.size(family) >= 100) {
      const thresholds = this.#thresholds(family);
      if (!this.#cache.makeRoom(family, thresholds, this.#namespace.scheduler.now())) return undefined;
      if (this.#cache.size(family) + 1 >= thresholds.low) this.#sweepLater(family);
    }
    return this.#make(address, device);
  }

  #make(address: IpAddress, device: Interface): Neighbour {
    const neighbour = new Neighbour(address, device, this.#sides[FAMILY(address)]);
    this.#cache.add(neighbour);
    return neighbour;
  }

  /** neigh_periodic_work: twice in a reachable time, while the table is large. */
  #sweepLater(family: 'ipv4' | 'ipv6'): void {
    if (this.#sweeping[family]) return;
    this.#sweeping[family] = true;
    const { scheduler } = this.#namespace;
    const { baseReachable } = this.#settings.of(family, 'default', scheduler.now());
    const sweep = () => {
      this.#sweeping[family] = false;
      const thresholds = this.#thresholds(family);
      this.#cache.sweep(family, thresholds, ({ used, device }) => {
        const { stale } = this.#settings.of(family, device.name, scheduler.now());
        return scheduler.now() - used > stale;
      });
      if (this.#cache.size(family) >= thresholds.low) this.#sweepLater(family);
    };
    scheduler.after(baseReachable / 2, sweep, { background: true });
  }

  #solicit({ address, device, lastWaiting }: Neighbour, mac: MacAddress | undefined): void {
    const wanted = lastWaiting?.packet.src;
    if (typeof address === 'number') {
      this.#arp.ask(address, device, typeof wanted === 'number' ? wanted : undefined, mac);
    } else this.#ndp.ask(address, device, typeof wanted === 'number' ? undefined : wanted, mac);
  }
}
