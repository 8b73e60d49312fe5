/** The sysctls that sockets obey (ip-sysctl.rst), with their defaults. */

/** Numbers that one sysctl holds. */
const DEFAULTS = {
  'net.ipv4.ip_default_ttl': [64],
  'net.ipv4.ip_local_port_range': [32768, 60999],
  'net.ipv4.tcp_abort_on_overflow': [0],
  'net.ipv4.tcp_fin_timeout': [60],
  'net.ipv4.tcp_keepalive_intvl': [75],
  'net.ipv4.tcp_keepalive_probes': [9],
  'net.ipv4.tcp_keepalive_time': [7200],
  'net.ipv4.tcp_orphan_retries': [0],
  'net.ipv4.tcp_retries2': [15],
  'net.ipv4.tcp_rmem': [4096, 131_072, 6_291_456],
  'net.ipv4.tcp_sack': [1],
  'net.ipv4.tcp_slow_start_after_idle': [1],
  // 4 since Linux 6.5; the nodes of most clusters are older.
  'net.ipv4.tcp_syn_linear_timeouts': [0],
  'net.ipv4.tcp_syn_retries': [6],
  'net.ipv4.tcp_synack_retries': [5],
  'net.ipv4.tcp_timestamps': [1],
  'net.ipv4.tcp_window_scaling': [1],
  'net.core.somaxconn': [4096],
  'net.ipv6.conf.all.hop_limit': [64],
} as const;

export type SocketSysctl = keyof typeof DEFAULTS;

/** The defaults as text, for whoever lists sysctls. */
export const SOCKET_SYSCTL_DEFAULTS: readonly (readonly [SocketSysctl, string])[] = Object.entries(
  DEFAULTS,
).map(([name, values]) => [name as SocketSysctl, values.join('\t')]);

/** Where values come from; undefined: the default. */
export type SysctlSource = (name: string) => string | undefined;

function numbersOf(name: SocketSysctl, source: SysctlSource): readonly number[] {
  const text = source(name);
  if (text === undefined) return DEFAULTS[name];
  const numbers = text.trim().split(/\s+/).map(Number);
  return numbers.every(Number.isFinite) ? numbers : DEFAULTS[name];
}

/** The first (mostly the only) number of sysctl `name`. */
export function sysctlNumber(name: SocketSysctl, source: SysctlSource): number {
  return numbersOf(name, source)[0] ?? DEFAULTS[name][0];
}

/** net.ipv4.ip_local_port_range, both ends included. */
export function localPortRange(source: SysctlSource): { readonly first: number; readonly last: number } {
  const [first = 32768, last = 60999] = numbersOf('net.ipv4.ip_local_port_range', source);
  return { first, last };
}

/** What a TCP connection reads once, when it begins. */
export interface TcpSettings {
  readonly ttl: number;
  readonly timestamps: boolean;
  readonly sack: boolean;
  readonly windowScaling: boolean;
  /** Bytes of receive memory to begin with and at most. */
  readonly receiveMemory: number;
  readonly maxReceiveMemory: number;
  readonly synRetries: number;
  readonly synLinearTimeouts: number;
  readonly synackRetries: number;
  readonly retries: number;
  /** For connections whose program has let go of them. */
  readonly orphanRetries: number;
  /** Seconds. */
  readonly finTimeout: number;
  readonly slowStartAfterIdle: boolean;
}

/** Linux takes 8 for the 0 of tcp_orphan_retries (tcp_timer.c tcp_orphan_retries). */
const DEFAULT_ORPHAN_RETRIES = 8;

/** Reads the settings of a connection; `v6`: whose hop limit counts. */
export function tcpSettings(source: SysctlSource, v6: boolean): TcpSettings {
  const number = (name: SocketSysctl) => sysctlNumber(name, source);
  const [, receiveMemory = 131_072, maxReceiveMemory = 6_291_456] = numbersOf('net.ipv4.tcp_rmem', source);
  return {
    ttl: number(v6 ? 'net.ipv6.conf.all.hop_limit' : 'net.ipv4.ip_default_ttl'),
    timestamps: number('net.ipv4.tcp_timestamps') !== 0,
    sack: number('net.ipv4.tcp_sack') !== 0,
    windowScaling: number('net.ipv4.tcp_window_scaling') !== 0,
    receiveMemory,
    maxReceiveMemory,
    synRetries: number('net.ipv4.tcp_syn_retries'),
    synLinearTimeouts: number('net.ipv4.tcp_syn_linear_timeouts'),
    synackRetries: number('net.ipv4.tcp_synack_retries'),
    retries: number('net.ipv4.tcp_retries2'),
    orphanRetries: number('net.ipv4.tcp_orphan_retries') || DEFAULT_ORPHAN_RETRIES,
    finTimeout: number('net.ipv4.tcp_fin_timeout'),
    slowStartAfterIdle: number('net.ipv4.tcp_slow_start_after_idle') !== 0,
  };
}
