/** The kernel's coarse clock, by which xt_recent and xt_hashlimit count. */

/** CONFIG_HZ of common distributions' kernels. */
const HZ = 250;

/** `seconds` of virtual time as ticks, rounded down; a rounding error of the clock's sums does not cost one. */
export function toJiffies(seconds: number): number {
  return Math.floor(seconds * HZ + 1e-6);
}

/** The time of the tick that `seconds` lies in. */
export function atTick(seconds: number): number {
  return toJiffies(seconds) / HZ;
}
