/** The sysctls of a node, by their dotted names, as its devices and its conntrack take them. */
import {
  type ConntrackSysctls,
  DEFAULT_CONNTRACK,
  type TcpState,
} from '../../netfilter/conntrack/timeouts.ts';
import type { DeviceSysctls } from '../../netstack/device.ts';
import type { Sysctls } from '../topology.ts';

function number(sysctls: Sysctls, name: string): number | undefined {
  const text = sysctls[name];
  const value = text === undefined ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** The larger of `all`'s and the device's value, as the kernel combines rp_filter and route_localnet. */
function largest(sysctls: Sysctls, device: string, key: string): number {
  const of = (name: string) => number(sysctls, `net.ipv4.conf.${name}.${key}`);
  return Math.max(of('all') ?? 0, of(device) ?? of('default') ?? 0);
}

/** What `sysctls` make of the device called `device`. Forwarding is on unless switched off: nodes route. */
export function deviceSysctls(sysctls: Sysctls, device: string): DeviceSysctls {
  const forwarding =
    number(sysctls, `net.ipv4.conf.${device}.forwarding`) ??
    number(sysctls, 'net.ipv4.conf.all.forwarding') ??
    number(sysctls, 'net.ipv4.ip_forward') ??
    1;
  const rpFilter = largest(sysctls, device, 'rp_filter');
  return {
    rpFilter: rpFilter >= 2 ? 2 : rpFilter === 1 ? 1 : 0,
    routeLocalnet: largest(sysctls, device, 'route_localnet') > 0,
    acceptLocal: largest(sysctls, device, 'accept_local') > 0,
    forwarding: forwarding !== 0,
  };
}

const TCP_TIMEOUTS: readonly TcpState[] = [
  'SYN_SENT',
  'SYN_RECV',
  'ESTABLISHED',
  'FIN_WAIT',
  'CLOSE_WAIT',
  'LAST_ACK',
  'TIME_WAIT',
  'CLOSE',
];

/** What `sysctls` make of connection tracking. */
export function conntrackSysctls(sysctls: Sysctls): ConntrackSysctls {
  const value = (key: string, fallback: number) =>
    number(sysctls, `net.netfilter.nf_conntrack_${key}`) ?? fallback;
  const base = DEFAULT_CONNTRACK;
  const tcp = { ...base.tcp };
  for (const state of TCP_TIMEOUTS) tcp[state] = value(`tcp_timeout_${state.toLowerCase()}`, base.tcp[state]);
  return {
    ...base,
    tcp,
    tcpLoose: value('tcp_loose', 1) !== 0,
    tcpBeLiberal: value('tcp_be_liberal', 0) !== 0,
    udp: value('udp_timeout', base.udp),
    udpStream: value('udp_timeout_stream', base.udpStream),
    icmp: value('icmp_timeout', base.icmp),
    generic: value('generic_timeout', base.generic),
    max: value('max', base.max),
  };
}
