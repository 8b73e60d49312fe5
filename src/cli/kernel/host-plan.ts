/** The host to build in the kernel, in the engine's own words, so that both are told the same. */
import type { ConntrackSysctls, SctpState, TcpState } from '../../netfilter/conntrack/timeouts.ts';
import type { Backend } from '../../netfilter/hooks.ts';
import type { Device } from '../../netstack/device.ts';
import type { Route } from '../../netstack/route-table.ts';
import type { IpFamily } from '../../wire/ip-address.ts';

export interface HostPlan {
  /** In the order in which they are made. `lo` is always there; listing it adds its further addresses. */
  readonly devices: readonly Device[];
  /** Besides those that the addresses bring along. */
  readonly routes: readonly Route[];
  readonly conntrack: ConntrackSysctls;
  /** `ipset save` text. */
  readonly sets?: string;
}

export interface RulesText {
  readonly family: IpFamily;
  /** As `iptables-save` or `ip6tables-save` prints it. */
  readonly text: string;
  /** As the user named it, for messages. */
  readonly file: string;
}

export interface KernelPlan {
  readonly host: HostPlan;
  /** Loaded one after the other; the second and later ones leave alone what they do not name. */
  readonly rules: readonly RulesText[];
  readonly backend: Backend;
}

const TCP_TIMEOUTS: readonly (readonly [TcpState, string])[] = [
  ['SYN_SENT', 'syn_sent'],
  ['SYN_RECV', 'syn_recv'],
  ['ESTABLISHED', 'established'],
  ['FIN_WAIT', 'fin_wait'],
  ['CLOSE_WAIT', 'close_wait'],
  ['LAST_ACK', 'last_ack'],
  ['TIME_WAIT', 'time_wait'],
  ['CLOSE', 'close'],
];

const SCTP_TIMEOUTS: readonly (readonly [SctpState, string])[] = [
  ['CLOSED', 'closed'],
  ['COOKIE_WAIT', 'cookie_wait'],
  ['COOKIE_ECHOED', 'cookie_echoed'],
  ['ESTABLISHED', 'established'],
  ['SHUTDOWN_SENT', 'shutdown_sent'],
  ['SHUTDOWN_RECD', 'shutdown_recd'],
  ['SHUTDOWN_ACK_SENT', 'shutdown_ack_sent'],
  ['HEARTBEAT_SENT', 'heartbeat_sent'],
];

/**
 * Conntrack's sysctls as files under /proc/sys/net/netfilter and what to write there. nf_conntrack_max is
 * left out: it belongs to the machine, not to a namespace.
 */
export function conntrackSysctlFiles(sysctls: ConntrackSysctls): readonly (readonly [string, number])[] {
  const {
    tcp,
    tcpRetrans,
    tcpUnacknowledged,
    tcpMaxRetrans,
    tcpLoose,
    tcpBeLiberal,
    sctp,
    udp,
    udpStream,
    icmp,
    icmpv6,
    gre,
    greStream,
    generic,
  } = sysctls;
  const named: readonly (readonly [string, number])[] = [
    ...TCP_TIMEOUTS.map(([state, name]) => [`tcp_timeout_${name}`, tcp[state]] as const),
    ...SCTP_TIMEOUTS.map(([state, name]) => [`sctp_timeout_${name}`, sctp[state]] as const),
    ['tcp_timeout_max_retrans', tcpRetrans],
    ['tcp_timeout_unacknowledged', tcpUnacknowledged],
    ['tcp_max_retrans', tcpMaxRetrans],
    ['tcp_loose', Number(tcpLoose)],
    ['tcp_be_liberal', Number(tcpBeLiberal)],
    ['udp_timeout', udp],
    ['udp_timeout_stream', udpStream],
    ['icmp_timeout', icmp],
    ['icmpv6_timeout', icmpv6],
    ['gre_timeout', gre],
    ['gre_timeout_stream', greStream],
    ['generic_timeout', generic],
  ];
  return named.map(([name, value]) => [`netfilter/nf_conntrack_${name}`, value] as const);
}
