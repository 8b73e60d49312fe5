/** net.netfilter.nf_conntrack_*: what sysctls make of connection tracking. */
import {
  type ConntrackSysctls,
  DEFAULT_CONNTRACK,
  type TcpState,
} from '../../netfilter/conntrack/timeouts.ts';

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

/**
 * Conntrack's settings. `number` is asked for values by dotted name and says undefined where nothing was set:
 * then `base` counts.
 */
export function conntrackSettings(
  number: (name: string) => number | undefined,
  base: ConntrackSysctls = DEFAULT_CONNTRACK,
): ConntrackSysctls {
  const value = (key: string, fallback: number) => number(`net.netfilter.nf_conntrack_${key}`) ?? fallback;
  const tcp = { ...base.tcp };
  for (const state of TCP_TIMEOUTS) tcp[state] = value(`tcp_timeout_${state.toLowerCase()}`, base.tcp[state]);
  return {
    ...base,
    tcp,
    tcpRetrans: value('tcp_timeout_max_retrans', base.tcpRetrans),
    tcpUnacknowledged: value('tcp_timeout_unacknowledged', base.tcpUnacknowledged),
    tcpMaxRetrans: value('tcp_max_retrans', base.tcpMaxRetrans),
    tcpLoose: value('tcp_loose', Number(base.tcpLoose)) !== 0,
    tcpBeLiberal: value('tcp_be_liberal', Number(base.tcpBeLiberal)) !== 0,
    udp: value('udp_timeout', base.udp),
    udpStream: value('udp_timeout_stream', base.udpStream),
    icmp: value('icmp_timeout', base.icmp),
    icmpv6: value('icmpv6_timeout', base.icmpv6),
    gre: value('gre_timeout', base.gre),
    greStream: value('gre_timeout_stream', base.greStream),
    generic: value('generic_timeout', base.generic),
    max: value('max', base.max),
  };
}
