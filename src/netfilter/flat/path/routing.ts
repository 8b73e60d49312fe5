/**
 * What the flat path asks of the host's routes, by numbers: a destination lies in one of the address ranges that
 * the routes cut the address space into, and all addresses of a range are treated alike.
 */

/** Whether packets between two ranges are passed on. */
export interface FlatRouting {
  /** Device names; devices are numbered in this order. */
  readonly devices: readonly string[];
  /** Addresses of type LOCAL: ascending ranges, first and last of each. */
  readonly locals: Uint32Array;
  /** The number of the range that `address` (a signed or unsigned 32-bit number) lies in. */
  rangeOf(address: number): number;
  /** The device by which packets to this range leave; -1: they are not simply passed on. */
  deviceTo(range: number): number;
  /** The gateway towards this range; 0: it is on the link. */
  gatewayTo(range: number): number;
  /** The longest packet that leaves for this range, in bytes. */
  mtuTo(range: number): number;
  /** The address that MASQUERADE takes towards this range; 0: there is none. */
  masqueradeTo(range: number): number;
  /** Whether packets from this range that come in by `device` are passed on, wherever they go. */
  takesFrom(range: number, device: number): boolean;
}
