/** The IPv6 address that a device makes for itself (RFC 4291 §2.5.1, appendix A; addrconf_addr_gen). */
import { ipv6 } from '../../wire/ip-address.ts';
import type { InterfaceAddress } from '../../wire/ip-prefix.ts';
import type { SysctlTable } from '../sysctls/sysctl-table.ts';
import type { Interface, InterfaceKind } from './interface.ts';

/** Kinds without a MAC to make one from, or without IPv6. */
const WITHOUT: ReadonlySet<InterfaceKind> = new Set(['loopback', 'ipip']);
/** addr_gen_mode: 0 makes the address of the MAC, others none or a random one. */
const EUI64 = 0;

/** fe80::/64 and the modified EUI-64 of the device's MAC; undefined while it is down or may not have one. */
export function linkLocalAddress(device: Interface, sysctls: SysctlTable): InterfaceAddress | undefined {
  const { name, mac, kind, up } = device;
  if (!up || WITHOUT.has(kind) || mac === 0) return undefined;
  if (sysctls.ipv6Conf(name, 'disable_ipv6') !== 0) return undefined;
  if (sysctls.ipv6Conf(name, 'addr_gen_mode') !== EUI64) return undefined;
  const high = Math.floor(mac / 2 ** 24);
  // The universal/local bit is turned over, ff:fe goes in the middle.
  const w2 = (((high ^ 0x020000) << 8) | 0xff) >>> 0;
  return { address: ipv6(0xfe800000, 0, w2, (0xfe000000 | (mac % 2 ** 24)) >>> 0), length: 64 };
}
