/** Two namespaces on a veth pair, with addresses of both families. */
import type { Impairments } from '../../../src/netstack/link/impairments.ts';
import { createVethPair } from '../../../src/netstack/link/veth.ts';
import { Namespace } from '../../../src/netstack/namespace.ts';
import { Scheduler } from '../../../src/sim/scheduler.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';

export interface Neighbours {
  readonly scheduler: Scheduler;
  readonly a: Namespace;
  readonly b: Namespace;
}

export const ADDRESS = {
  a: { ipv4: parseIpAddress('10.0.0.1'), ipv6: parseIpAddress('fd00::1') },
  b: { ipv4: parseIpAddress('10.0.0.2'), ipv6: parseIpAddress('fd00::2') },
} as const;

/** a and b, each with an eth0 whose outgoing frames suffer `impairments`. */
export function neighbours(seed: number, impairments: Impairments = {}, mtu = 1500): Neighbours {
  const scheduler = new Scheduler();
  const a = new Namespace({ name: 'a', scheduler, seed });
  const b = new Namespace({ name: 'b', scheduler, seed });
  const end = (namespace: Namespace) => ({ namespace, name: 'eth0', up: true, mtu, impairments });
  const veth = createVethPair(end(a), end(b));
  a.addAddress(veth.near, { address: ADDRESS.a.ipv4, length: 24 });
  a.addAddress(veth.near, { address: ADDRESS.a.ipv6, length: 64 });
  b.addAddress(veth.far(), { address: ADDRESS.b.ipv4, length: 24 });
  b.addAddress(veth.far(), { address: ADDRESS.b.ipv6, length: 64 });
  return { scheduler, a, b };
}
