/** The address lists of `-m recent` (xt_recent): per name, least recently seen first. */
import { type IpAddress, sameAddress } from '../../wire/ip-address.ts';

/** How many stamps an address keeps (ip_pkt_list_tot) unless a rule's hitcount needs more. */
const STAMPS = 20;
/** How many addresses a list holds (ip_list_tot); the least recently seen makes way. */
const ADDRESSES = 100;

export interface RecentEntry {
  readonly address: IpAddress;
  ttl: number;
  /** Times of the latest packets, oldest first, in seconds. */
  readonly stamps: number[];
}

export class RecentList {
  readonly #entries: RecentEntry[] = [];

  /** The entry of `address` (with `ttl`, when the rule says --rttl). */
  find(address: IpAddress, ttl?: number): RecentEntry | undefined {
    return this.#entries.find(
      (entry) => sameAddress(entry.address, address) && (ttl === undefined || entry.ttl === ttl),
    );
  }

  /** Lists `address` as seen now. */
  add(address: IpAddress, ttl: number, now: number): void {
    if (this.#entries.length >= ADDRESSES) this.#entries.shift();
    this.#entries.push({ address, ttl, stamps: [now] });
  }

  /** Stamps `entry` and makes it the most recently seen. */
  touch(entry: RecentEntry, ttl: number, now: number): void {
    entry.ttl = ttl;
    entry.stamps.push(now);
    if (entry.stamps.length > STAMPS) entry.stamps.shift();
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
    for (const entry of this.#entries) copy.#entries.push({ ...entry, stamps: [...entry.stamps] });
    return copy;
  }
}
