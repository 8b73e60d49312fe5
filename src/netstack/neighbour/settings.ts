/** net.FAMILY.neigh.DEVICE.*: how patient a device is with its neighbours. Times in seconds. */
import type { Random } from '../../sim/random.ts';
import type { NeighbourConfKey } from '../sysctls/defaults.ts';
import type { SysctlTable } from '../sysctls/sysctl-table.ts';

export interface NeighbourSettings {
  readonly retransmit: number;
  readonly baseReachable: number;
  /** How long an entry is believed: drawn anew every five minutes, 0.5 to 1.5 times the base. */
  readonly reachable: number;
  readonly delayFirstProbe: number;
  readonly stale: number;
  readonly lockTime: number;
  readonly unicastProbes: number;
  readonly multicastProbes: number;
  readonly multicastReprobes: number;
  readonly queueBytes: number;
}

/** neigh_periodic_work draws the reachable time again after this many seconds. */
const REDRAW = 300;
/** USER_HZ: locktime and proxy_delay are counted in hundredths of seconds. */
export const USER_HZ = 100;

interface Known {
  readonly settings: NeighbourSettings;
  readonly version: number;
  readonly drawn: number;
}

export class NeighbourSettingsBook {
  readonly #sysctls: SysctlTable;
  readonly #random: Random;
  readonly #known = new Map<string, Known>();

  constructor(sysctls: SysctlTable, random: Random) {
    this.#sysctls = sysctls;
    this.#random = random;
  }

  /** What counts for `device` at `now`. */
  of(family: 'ipv4' | 'ipv6', device: string, now: number): NeighbourSettings {
    const key = `${family} ${device}`;
    const known = this.#known.get(key);
    if (known !== undefined && known.version === this.#sysctls.version && now - known.drawn < REDRAW) {
      return known.settings;
    }
    const value = (name: NeighbourConfKey) => this.#sysctls.neighbour(family, device, name);
    const baseReachable = value('base_reachable_time_ms') / 1000;
    const unchanged = known?.settings.baseReachable === baseReachable && now - known.drawn < REDRAW;
    const settings: NeighbourSettings = {
      // neigh_probe waits at least a hundredth of a second.
      retransmit: Math.max(value('retrans_time_ms') / 1000, 0.01),
      baseReachable,
      reachable: unchanged ? known.settings.reachable : this.#draw(baseReachable),
      delayFirstProbe: value('delay_first_probe_time'),
      stale: value('gc_stale_time'),
      lockTime: value('locktime') / USER_HZ,
      unicastProbes: value('ucast_solicit'),
      multicastProbes: value('mcast_solicit'),
      multicastReprobes: value('mcast_resolicit'),
      queueBytes: value('unres_qlen_bytes'),
    };
    this.#known.set(key, {
      settings,
      version: this.#sysctls.version,
      drawn: unchanged ? known.drawn : now,
    });
    return settings;
  }

  /** neigh_rand_reach_time. */
  #draw(base: number): number {
    return base === 0 ? 0 : base * (0.5 + this.#random.uint32() / 2 ** 32);
  }
}
