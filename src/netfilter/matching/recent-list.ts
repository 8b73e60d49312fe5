/** The address lists of `-m recent` (xt_recent): per name, least recently seen first. */
import { type IpAddress, sameAddress } from '../../wire/ip-address.ts';

/** How many stamps an address keeps unless a rule's hitcount needs more (nstamps_max_mask + 1). */
const STAMPS = 32;
/** How many addresses a list holds (ip_list_tot); the least recently seen makes way. */
const ADDRESSES = 100;

export interface RecentEntry {
  readonly address: IpAddress;
  ttl: number;
  /** Ticks of the latest packets, oldest first. */
  readonly stamps: number[];
}

export class RecentList {
  readonly #entries: RecentEntry[] = [];
  #stamps = STAMPS;

  /** The entry of `address` (with `ttl`, when the rule says --rttl; 0 stands for any). */
  find(address: IpAddress, ttl = 0): RecentEntry | undefined {
    return this.#entries.find(
      (entry) => sameAddress(entry.address, address) && (ttl === 0 || entry.ttl === 0 || entry.ttl === ttl),
    );
  }

  /** Makes sure that `hitcount` stamps fit: a power of two. Growing forgets all addresses (recent_mt_check). */
  reserve(hitcount: number): void {
    const needed = 2 ** Math.ceil(Math.log2(Math.max(1, hitcount)));
    if (needed <= this.#stamps) return;
    this.#stamps = needed;
    this.#entries.length = 0;
  }

  /** Lists `address` as seen at tick `now`. */
  add(address: IpAddress, ttl: number, now: number): void {
    if (this.#entries.length >= ADDRESSES) this.#entries.shift();
    this.#entries.push({ address, ttl, stamps: [now] });
  }

  /** Stamps `entry` and makes it the most recently seen. */
  touch(entry: RecentEntry, ttl: number, now: number): void {
    entry.ttl = ttl;
    entry.stamps.push(now);
    if (entry.stamps.length > this.#stamps) entry.stamps.shift();
    this.remove(entry);
    this.#entries.push(entry);
  }

  remove(entry: RecentEntry): void {
    const at = this.#entries.indexOf(entry);
    if (at >= 0) this.#entries.splice(at, 1);
  }

  /** `--reap`: forgets the least recently seen address when its last packet came before `horizon`. */
  reap(horizon: number, keep: RecentEntry | undefined): void {
    const oldest = this.#entries[0];
    if (oldest === undefined || oldest === keep) return;
    if ((oldest.stamps.at(-1) ?? 0) < horizon) this.#entries.shift();
  }

  clone(): RecentList {
    const copy = new RecentList();
    copy.#stamps = this.#stamps;
    for (const entry of this.#entries) copy.#entries.push({ ...entry, stamps: [...entry.stamps] });
    return copy;
  }
}
