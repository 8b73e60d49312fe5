/** Behind which tunnel endpoint a MAC address is (`bridge fdb … dst`; drivers/net/vxlan). */
import { type IpAddress, sameAddress } from '../../wire/ip-address.ts';
import { isMulticastMac, type MacAddress, NO_MAC } from '../../wire/mac.ts';

interface Entry {
  /** Several only for the default entry, to which frames are copied. */
  remotes: readonly IpAddress[];
  readonly static: boolean;
  updated: number;
}

export interface VxlanFdbListing {
  readonly mac: MacAddress;
  readonly remotes: readonly IpAddress[];
  readonly static: boolean;
}

export class VxlanFdb {
  readonly #entries = new Map<MacAddress, Entry>();
  readonly #ageing: number;

  /** `ageing`: seconds after which learned entries are forgotten. */
  constructor(ageing: number) {
    this.#ageing = ageing;
  }

  /** `bridge fdb append MAC dev DEVICE dst REMOTE`: the all-zeros MAC stands for all that are unknown. */
  add(mac: MacAddress, remote: IpAddress, now: number): void {
    const known = this.#entries.get(mac);
    const others = known?.static === true ? known.remotes.filter((other) => !sameAddress(other, remote)) : [];
    this.#entries.set(mac, { remotes: [...others, remote], static: true, updated: now });
  }

  /** `bridge fdb del MAC dev DEVICE dst REMOTE`; every remote when none is named. */
  remove(mac: MacAddress, remote?: IpAddress): void {
    const known = this.#entries.get(mac);
    if (known === undefined) return;
    known.remotes = remote === undefined ? [] : known.remotes.filter((other) => !sameAddress(other, remote));
    if (known.remotes.length === 0) this.#entries.delete(mac);
  }

  /** Learns where `mac` is from a frame that came from `remote` (vxlan_snoop). Static entries stay. */
  learn(mac: MacAddress, remote: IpAddress, now: number): void {
    if (isMulticastMac(mac) || mac === NO_MAC) return;
    const known = this.#entries.get(mac);
    if (known?.static === true) return;
    this.#entries.set(mac, { remotes: [remote], static: false, updated: now });
  }

  /** To whom a frame for `mac` goes; empty: to nobody. */
  lookup(mac: MacAddress, now: number): readonly IpAddress[] {
    return this.#live(mac, now) ?? this.#live(NO_MAC, now) ?? [];
  }

  #live(mac: MacAddress, now: number): readonly IpAddress[] | undefined {
    const entry = this.#entries.get(mac);
    if (entry === undefined) return undefined;
    return entry.static || now - entry.updated < this.#ageing ? entry.remotes : undefined;
  }

  /** `bridge fdb show dev DEVICE`, in the order in which entries were made. */
  list(now: number): VxlanFdbListing[] {
    return [...this.#entries]
      .filter(([mac]) => this.#live(mac, now) !== undefined)
      .map(([mac, { remotes, static: isStatic }]) => ({ mac, remotes, static: isStatic }));
  }
}
