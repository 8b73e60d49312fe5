/** Packet and byte counters of rules and of built-in chains' policies, as far as packets have met them. */
import type { LoadedChain, LoadedRule } from './loaded-rules.ts';

export interface PacketCounters {
  readonly packets: number;
  readonly bytes: number;
}

const NONE: PacketCounters = { packets: 0, bytes: 0 };

export class RuleCounters {
  readonly #counts = new Map<LoadedRule | LoadedChain, PacketCounters>();

  /** Counts one packet of `bytes` (IP total length). */
  count(of: LoadedRule | LoadedChain, bytes: number): void {
    const old = this.of(of);
    this.#counts.set(of, { packets: old.packets + 1, bytes: old.bytes + bytes });
  }

  /** What has been counted so far, without what the rule set's text brought along. */
  of(rule: LoadedRule | LoadedChain): PacketCounters {
    return this.#counts.get(rule) ?? NONE;
  }

  clone(): RuleCounters {
    const copy = new RuleCounters();
    for (const [of, counters] of this.#counts) copy.#counts.set(of, counters);
    return copy;
  }
}
