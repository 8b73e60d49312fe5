/** Which port leads to which MAC address: what a bridge has learned, and what it was told (br_fdb.c). */
import type { MacAddress } from '../../wire/mac.ts';
import type { Interface } from '../link/interface.ts';

/** A line of `bridge fdb`. */
export interface FdbListing {
  readonly mac: MacAddress;
  readonly port: Interface;
  /** `permanent`: the bridge's or a port's own address; `static`: told by hand, never forgotten. */
  readonly kind: 'learned' | 'static' | 'permanent';
  /** Seconds since it was last seen as a source. */
  readonly age: number;
}

interface Entry {
  port: Interface;
  readonly static: boolean;
  /** Virtual time, seconds. */
  updated: number;
}

export class ForwardingDatabase {
  /** Seconds after which what was learned is forgotten. */
  ageing = 300;
  readonly #entries = new Map<MacAddress, Entry>();

  /** A frame from `mac` came in by `port` at `now`. Static entries, too, follow their address to another port. */
  learn(mac: MacAddress, port: Interface, now: number): void {
    const known = this.#entries.get(mac);
    if (known === undefined) this.#entries.set(mac, { port, static: false, updated: now });
    else {
      known.port = port;
      known.updated = now;
    }
  }

  /** `bridge fdb add MAC dev PORT master static`. */
  add(mac: MacAddress, port: Interface, now: number): void {
    this.#entries.set(mac, { port, static: true, updated: now });
  }

  /** `bridge fdb del MAC dev PORT master`. */
  remove(mac: MacAddress): void {
    this.#entries.delete(mac);
  }

  /** The port that leads to `mac`, as far as is known at `now`. */
  find(mac: MacAddress, now: number): Interface | undefined {
    const entry = this.#entries.get(mac);
    if (entry === undefined) return undefined;
    if (entry.static || now - entry.updated < this.ageing) return entry.port;
    this.#entries.delete(mac);
    return undefined;
  }

  /** Forgets what leads to `port`; `learned`: what was told by hand stays. */
  flush(port: Interface, which: 'all' | 'learned'): void {
    for (const [mac, entry] of this.#entries) {
      if (entry.port === port && (which === 'all' || !entry.static)) this.#entries.delete(mac);
    }
  }

  /** What is known at `now`, in the order in which it became known. */
  list(now: number): FdbListing[] {
    const listed: FdbListing[] = [];
    for (const [mac, entry] of this.#entries) {
      const age = now - entry.updated;
      if (!entry.static && age >= this.ageing) continue;
      listed.push({ mac, port: entry.port, kind: entry.static ? 'static' : 'learned', age });
    }
    return listed;
  }
}
