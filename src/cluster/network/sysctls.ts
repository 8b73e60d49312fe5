/** The sysctls of a node, by their dotted names, as its devices and its conntrack take them. */
import type { ConntrackSysctls } from '../../netfilter/conntrack/timeouts.ts';
import type { DeviceSysctls } from '../../netstack/device.ts';
import { conntrackSettings } from '../../netstack/sysctls/conntrack.ts';
import { deviceSettings } from '../../netstack/sysctls/device.ts';
import { SysctlTable } from '../../netstack/sysctls/sysctl-table.ts';
import type { Sysctls } from '../topology.ts';

/** Nodes route: this is what kubelet's host is set to before anybody configures it. */
const NODE = { 'net.ipv4.ip_forward': 1, 'net.ipv6.conf.all.forwarding': 1 } as const;

/** What `sysctls` make of the device called `device`. Forwarding is on unless switched off: nodes route. */
export function deviceSysctls(sysctls: Sysctls, device: string): DeviceSysctls {
  return deviceSettings(new SysctlTable({ ...NODE, ...sysctls }), device);
}

/** What `sysctls` make of connection tracking. */
export function conntrackSysctls(sysctls: Sysctls): ConntrackSysctls {
  return conntrackSettings((name) => {
    const text = sysctls[name];
    const value = text === undefined ? Number.NaN : Number(text);
    return Number.isFinite(value) ? value : undefined;
  });
}
