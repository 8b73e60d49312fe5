/** A host that has containers behind it forwards. */
import type { Namespace } from '../../netstack/namespace.ts';
import { familyOf } from '../../wire/ip-address.ts';
import { forwardingSysctls } from '../networks/forwarding.ts';
import type { ResultIp } from './result.ts';

/** Switches forwarding on in the families of `ips` (EnableForward). */
export function enableForwarding(namespace: Namespace, ips: readonly ResultIp[]): void {
  const families = new Set(ips.map(({ address }) => familyOf(address.address)));
  for (const [name, value] of Object.entries(forwardingSysctls([...families]))) {
    if (namespace.sysctl(name) !== value) namespace.setSysctl(name, value);
  }
}
