/** Conntrack's sysctls: timeouts in seconds with the kernel's defaults, and the trackers' switches. */

export const TCP_STATES = [
  'NONE',
  'SYN_SENT',
  'SYN_RECV',
  'ESTABLISHED',
  'FIN_WAIT',
  'CLOSE_WAIT',
  'LAST_ACK',
  'TIME_WAIT',
  'CLOSE',
  'SYN_SENT2',
] as const;
export type TcpState = (typeof TCP_STATES)[number];

export const SCTP_STATES = [
  'NONE',
  'CLOSED',
  'COOKIE_WAIT',
  'COOKIE_ECHOED',
  'ESTABLISHED',
  'SHUTDOWN_SENT',
  'SHUTDOWN_RECD',
  'SHUTDOWN_ACK_SENT',
  'HEARTBEAT_SENT',
] as const;
export type SctpState = (typeof SCTP_STATES)[number];

export interface ConntrackSysctls {
  /** nf_conntrack_tcp_timeout_*. */
  readonly tcp: Readonly<Record<TcpState, number>>;
  /** nf_conntrack_tcp_timeout_max_retrans, after `tcpMaxRetrans` unanswered repeats. */
  readonly tcpRetrans: number;
  /** nf_conntrack_tcp_timeout_unacknowledged. */
  readonly tcpUnacknowledged: number;
  readonly tcpMaxRetrans: number;
  /** nf_conntrack_tcp_loose: pick up flows in the middle. */
  readonly tcpLoose: boolean;
  /** nf_conntrack_tcp_be_liberal: out-of-window segments are not INVALID. */
  readonly tcpBeLiberal: boolean;
  /** nf_conntrack_sctp_timeout_*. */
  readonly sctp: Readonly<Record<SctpState, number>>;
  readonly udp: number;
  readonly udpStream: number;
  readonly icmp: number;
  readonly icmpv6: number;
  readonly gre: number;
  readonly greStream: number;
  readonly generic: number;
  /** nf_conntrack_max; 0 means no limit. */
  readonly max: number;
}

/** Linux 6.18 (Documentation/networking/nf_conntrack-sysctl.rst); nf_conntrack_max depends on memory there. */
export const DEFAULT_CONNTRACK: ConntrackSysctls = {
  tcp: {
    NONE: 0,
    SYN_SENT: 120,
    SYN_RECV: 60,
    ESTABLISHED: 432_000,
    FIN_WAIT: 120,
    CLOSE_WAIT: 60,
    LAST_ACK: 30,
    TIME_WAIT: 120,
    CLOSE: 10,
    SYN_SENT2: 120,
  },
  tcpRetrans: 300,
  tcpUnacknowledged: 300,
  tcpMaxRetrans: 3,
  tcpLoose: true,
  tcpBeLiberal: false,
  sctp: {
    NONE: 10,
    CLOSED: 10,
    COOKIE_WAIT: 3,
    COOKIE_ECHOED: 3,
    ESTABLISHED: 210,
    SHUTDOWN_SENT: 3,
    SHUTDOWN_RECD: 3,
    SHUTDOWN_ACK_SENT: 3,
    HEARTBEAT_SENT: 30,
  },
  udp: 30,
  udpStream: 120,
  icmp: 30,
  icmpv6: 30,
  gre: 30,
  greStream: 180,
  generic: 600,
  max: 262_144,
};
