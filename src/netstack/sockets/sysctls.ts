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

/** Where values come from. */
export interface SysctlSource {
  /** The value of a sysctl by its dotted name; undefined: its default. */
  sysctl(name: string): string | undefined;
  /** Counts changes: while it stays, all values do. */
  readonly sysctlVersion: number;
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

/** The sysctls of one namespace as numbers, read again only when one has changed. */
export class SocketSysctls {
  readonly #source: SysctlSource;
  readonly #numbers = new Map<SocketSysctl, readonly number[]>();
  readonly #settings = new Map<boolean, TcpSettings>();
  #version = Number.NaN;

  constructor(source: SysctlSource) {
    this.#source = source;
  }

  #refresh(): void {
    const { sysctlVersion } = this.#source;
    if (sysctlVersion === this.#version) return;
    this.#version = sysctlVersion;
    this.#numbers.clear();
    this.#settings.clear();
  }

  #read(name: SocketSysctl): readonly number[] {
    const text = this.#source.sysctl(name);
    const numbers = text?.trim().split(/\s+/).map(Number);
    return numbers?.every(Number.isFinite) ? numbers : DEFAULTS[name];
  }

  #all(name: SocketSysctl): readonly number[] {
    this.#refresh();
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const numbers = this.#read(name);
    this.#numbers.set(name, numbers);
    return numbers;
  }

  /** The first (mostly the only) number of sysctl `name`. */
  number(name: SocketSysctl): number {
    return this.#all(name)[0] ?? DEFAULTS[name][0];
  }

  /** net.ipv4.ip_local_port_range, both ends included. */
  portRange(): { readonly first: number; readonly last: number } {
    const [first = 32768, last = 60999] = this.#all('net.ipv4.ip_local_port_range');
    return { first, last };
  }

  /** The TTL, or with `v6` the hop limit, of what programs send. */
  ttl(v6: boolean): number {
    return this.number(v6 ? 'net.ipv6.conf.all.hop_limit' : 'net.ipv4.ip_default_ttl');
  }

  /** The settings with which a connection begins. */
  tcp(v6: boolean): TcpSettings {
    this.#refresh();
    const known = this.#settings.get(v6);
    if (known !== undefined) return known;
    const settings = this.#tcp(v6);
    this.#settings.set(v6, settings);
    return settings;
  }

  #tcp(v6: boolean): TcpSettings {
    const [, receiveMemory = 131_072, maxReceiveMemory = 6_291_456] = this.#all('net.ipv4.tcp_rmem');
    return {
      ttl: this.ttl(v6),
      timestamps: this.number('net.ipv4.tcp_timestamps') !== 0,
      sack: this.number('net.ipv4.tcp_sack') !== 0,
      windowScaling: this.number('net.ipv4.tcp_window_scaling') !== 0,
      receiveMemory,
      maxReceiveMemory,
      synRetries: this.number('net.ipv4.tcp_syn_retries'),
      synLinearTimeouts: this.number('net.ipv4.tcp_syn_linear_timeouts'),
      synackRetries: this.number('net.ipv4.tcp_synack_retries'),
      retries: this.number('net.ipv4.tcp_retries2'),
      orphanRetries: this.number('net.ipv4.tcp_orphan_retries') || DEFAULT_ORPHAN_RETRIES,
      finTimeout: this.number('net.ipv4.tcp_fin_timeout'),
      slowStartAfterIdle: this.number('net.ipv4.tcp_slow_start_after_idle') !== 0,
    };
  }
}
