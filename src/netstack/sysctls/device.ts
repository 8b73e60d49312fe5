/** What sysctls make of one device, as the host at layer 3 takes it. */
import type { DeviceSysctls } from '../device.ts';
import type { SysctlTable } from './sysctl-table.ts';

export function deviceSettings(sysctls: SysctlTable, device: string): DeviceSysctls {
  const rpFilter = sysctls.ipv4Conf(device, 'rp_filter');
  return {
    rpFilter: rpFilter >= 2 ? 2 : rpFilter === 1 ? 1 : 0,
    routeLocalnet: sysctls.ipv4Conf(device, 'route_localnet') !== 0,
    acceptLocal: sysctls.ipv4Conf(device, 'accept_local') !== 0,
    forwarding: sysctls.ipv4Conf(device, 'forwarding') !== 0,
    forwardingIpv6: sysctls.number('net.ipv6.conf.all.forwarding') !== 0,
  };
}
