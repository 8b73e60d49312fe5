/** What those who speak ARP and neighbour discovery need of the table of neighbours. */
import type { IpAddress } from '../../wire/ip-address.ts';
import type { MacAddress } from '../../wire/mac.ts';
import type { Interface } from '../link/interface.ts';
import type { Neighbour } from './neighbour.ts';

export interface Acquaintances {
  /** The entry for `address` on `device`, if there is one. */
  find(address: IpAddress, device: Interface): Neighbour | undefined;
  /** A new entry; undefined when the table is full. */
  create(address: IpAddress, device: Interface): Neighbour | undefined;
  /** Somebody has asked, and so is there as far as we know (neigh_event_ns). */
  meet(address: IpAddress, device: Interface, mac: MacAddress): void;
  /** Seconds for which the first of several answers counts. */
  lockTime(device: Interface): number;
}
