/**
 * The kernel makes an IPv6 address usable in a worker of its own (addrconf_dad_work), even one that skips duplicate
 * address detection: on a busy machine packets could be there before it, and be forwarded instead of taken.
 */
import { readFileSync } from 'node:fs';
import type { IpAddress, Ipv6Address } from '../../wire/ip-address.ts';
import { KernelUnavailable } from './libc.ts';

/** One line a route: destination and its prefix length, source, next hop, metric, counters, flags, device; all hex. */
const ROUTES = '/proc/net/ipv6_route';
const HOST_LENGTH = '80';
const RTF_LOCAL = 0x80000000;

const POLL_SECONDS = 0.002;
const PATIENCE_SECONDS = 20;

function hexOf({ w0, w1, w2, w3 }: Ipv6Address): string {
  return [w0, w1, w2, w3].map((word) => word.toString(16).padStart(8, '0')).join('');
}

/** The addresses that the current namespace takes packets for, as hex. */
function localAddresses(): ReadonlySet<string> {
  const lines = readFileSync(ROUTES, 'utf8').split('\n');
  const fields = lines.map((line) => line.trim().split(/\s+/));
  const local = fields.filter(
    ([, length, , , , , , , flags]) =>
      length === HOST_LENGTH && (Number.parseInt(flags ?? '0', 16) & RTF_LOCAL) !== 0,
  );
  return new Set(local.map(([address = '']) => address));
}

/** Waits until the current namespace takes packets for every IPv6 one of `addresses`. Throws KernelUnavailable. */
export function waitForLocalRoutes(addresses: readonly IpAddress[]): void {
  const wanted = addresses.filter((address) => typeof address !== 'number').map(hexOf);
  if (wanted.length === 0) return;
  const until = performance.now() + PATIENCE_SECONDS * 1000;
  for (;;) {
    const local = localAddresses();
    const missing = wanted.find((address) => !local.has(address));
    if (missing === undefined) return;
    if (performance.now() > until) {
      throw new KernelUnavailable(
        `the kernel did not make the address ${missing} its own in ${PATIENCE_SECONDS} s`,
      );
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_SECONDS * 1000);
  }
}
