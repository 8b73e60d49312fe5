/** The sysctls that every plugin which makes a node a router sets (plugins/pkg/ip, EnableForward). */
import type { IpFamily } from '../../wire/ip-address.ts';

const FORWARDING: Readonly<Record<IpFamily, string>> = {
  ipv4: 'net.ipv4.ip_forward',
  ipv6: 'net.ipv6.conf.all.forwarding',
};

/** By their dotted names. */
export function forwardingSysctls(families: readonly IpFamily[]): Readonly<Record<string, string>> {
  return Object.fromEntries(families.map((family) => [FORWARDING[family], '1']));
}
