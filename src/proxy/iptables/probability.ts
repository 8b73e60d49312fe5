/** `-m statistic --mode random --probability`, as it comes back from the kernel. */

const KERNEL_ONE = 0x80000000;
const DECIMALS_SCALE = 5n ** 11n;
const DECIMALS_SHIFT = 20n;

/**
 * `units` of 2^-31 with eleven decimals, exact halves to the even digit as printf rounds them: the value
 * times 10^11 is units * 5^11 / 2^20.
 */
function formatKernelProbability(units: number): string {
  const scaled = BigInt(units) * DECIMALS_SCALE;
  const whole = scaled >> DECIMALS_SHIFT;
  const rest = scaled & ((1n << DECIMALS_SHIFT) - 1n);
  const half = 1n << (DECIMALS_SHIFT - 1n);
  const rounded = rest > half || (rest === half && (whole & 1n) === 1n) ? whole + 1n : whole;
  const digits = rounded.toString().padStart(12, '0');
  return `${digits.slice(0, -11)}.${digits.slice(-11)}`;
}

const formatted = new Map<number, string>();

/**
 * The probability 1/n as iptables-save prints it: kube-proxy writes ten decimals, iptables keeps the nearest
 * multiple of 2^-31 (libxt_statistic.c) and prints that with eleven. `n` is at least 1.
 */
export function balancingProbability(n: number): string {
  const known = formatted.get(n);
  if (known !== undefined) return known;
  const written = Number((1 / n).toFixed(10));
  const text = formatKernelProbability(Math.floor(written * KERNEL_ONE + 0.5));
  formatted.set(n, text);
  return text;
}
