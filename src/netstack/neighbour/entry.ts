/** One neighbour: what is known of who has an address on a link (RFC 4861 §5.1; `ip neigh`). */
import type { IpAddress } from '../../wire/ip-address.ts';
import type { MacAddress } from '../../wire/mac.ts';

/** nud states, as `ip neigh` prints them. */
export type NeighbourState =
  | 'NONE'
  | 'INCOMPLETE'
  | 'REACHABLE'
  | 'STALE'
  | 'DELAY'
  | 'PROBE'
  | 'FAILED'
  | 'NOARP'
  | 'PERMANENT';

/** A line of `ip neigh`. */
export interface NeighbourListing {
  readonly address: IpAddress;
  readonly device: string;
  readonly mac?: MacAddress;
  readonly state: NeighbourState;
  readonly router: boolean;
  /** Seconds since it was last used, confirmed, updated (`ip -s neigh`). */
  readonly used: number;
  readonly confirmed: number;
  readonly updated: number;
}
