/**
 * The sysctls of a network namespace that this emulation knows, with the values a new namespace has (Linux
 * 6.18, Documentation/networking/ip-sysctl.rst). Others can be set and read back; nothing looks at them.
 */

/** How `all`'s and a device's values become one (include/linux/inetdevice.h). */
export type Combination =
  /** The device's own value alone counts (IN_DEV_CONF_GET). */
  | 'device'
  /** On when either is (IN_DEV_ORCONF). */
  | 'or'
  /** The larger of both (IN_DEV_MAXCONF). */
  | 'max';

/** net.ipv4.conf.{all,default,DEVICE}.KEY. */
export const IPV4_CONF = {
  accept_local: [0, 'or'],
  arp_accept: [0, 'max'],
  arp_announce: [0, 'max'],
  arp_filter: [0, 'or'],
  arp_ignore: [0, 'max'],
  arp_notify: [0, 'or'],
  drop_gratuitous_arp: [0, 'or'],
  forwarding: [0, 'device'],
  proxy_arp: [0, 'or'],
  proxy_arp_pvlan: [0, 'device'],
  route_localnet: [0, 'or'],
  rp_filter: [0, 'max'],
  send_redirects: [1, 'or'],
  src_valid_mark: [0, 'or'],
} as const satisfies Readonly<Record<string, readonly [value: number, combination: Combination]>>;
export type Ipv4ConfKey = keyof typeof IPV4_CONF;

/** net.ipv6.conf.{all,default,DEVICE}.KEY; `all` is copied to every device when it is written. */
export const IPV6_CONF = {
  accept_dad: 1,
  addr_gen_mode: 0,
  dad_transmits: 1,
  disable_ipv6: 0,
  forwarding: 0,
  hop_limit: 64,
  keep_addr_on_down: 0,
  proxy_ndp: 0,
} as const;
export type Ipv6ConfKey = keyof typeof IPV6_CONF;

/** net.ipv4.neigh.{default,DEVICE}.KEY and the same under net.ipv6. */
export const NEIGHBOUR_CONF = {
  anycast_delay: 100,
  app_solicit: 0,
  base_reachable_time_ms: 30_000,
  delay_first_probe_time: 5,
  gc_stale_time: 60,
  locktime: 100,
  mcast_resolicit: 0,
  mcast_solicit: 3,
  proxy_delay: 80,
  proxy_qlen: 64,
  retrans_time_ms: 1000,
  ucast_solicit: 3,
  unres_qlen: 101,
  unres_qlen_bytes: 212_992,
} as const;
export type NeighbourConfKey = keyof typeof NEIGHBOUR_CONF;

/** The rest, by full name. */
export const PLAIN_SYSCTLS: Readonly<Record<string, string>> = {
  'net.bridge.bridge-nf-call-arptables': '1',
  'net.bridge.bridge-nf-call-ip6tables': '1',
  'net.bridge.bridge-nf-call-iptables': '1',
  'net.bridge.bridge-nf-filter-pppoe-tagged': '0',
  'net.bridge.bridge-nf-filter-vlan-tagged': '0',
  'net.bridge.bridge-nf-pass-vlan-input-dev': '0',
  'net.core.rmem_default': '212992',
  'net.core.somaxconn': '4096',
  'net.core.wmem_default': '212992',
  'net.ipv4.icmp_echo_ignore_all': '0',
  'net.ipv4.icmp_echo_ignore_broadcasts': '1',
  'net.ipv4.icmp_errors_use_inbound_ifaddr': '0',
  'net.ipv4.icmp_msgs_burst': '50',
  'net.ipv4.icmp_msgs_per_sec': '1000',
  'net.ipv4.icmp_ratelimit': '1000',
  'net.ipv4.icmp_ratemask': '6168',
  'net.ipv4.ip_default_ttl': '64',
  'net.ipv4.ip_forward': '0',
  'net.ipv4.ip_forward_use_pmtu': '0',
  'net.ipv4.ip_local_port_range': '32768\t60999',
  'net.ipv4.ip_no_pmtu_disc': '0',
  'net.ipv4.ip_nonlocal_bind': '0',
  'net.ipv4.ip_unprivileged_port_start': '1024',
  'net.ipv4.ipfrag_time': '30',
  'net.ipv4.neigh.default.gc_interval': '30',
  'net.ipv4.neigh.default.gc_thresh1': '128',
  'net.ipv4.neigh.default.gc_thresh2': '512',
  'net.ipv4.neigh.default.gc_thresh3': '1024',
  'net.ipv4.ping_group_range': '1\t0',
  'net.ipv4.route.min_pmtu': '552',
  'net.ipv4.route.mtu_expires': '600',
  'net.ipv4.tcp_fin_timeout': '60',
  'net.ipv4.tcp_keepalive_intvl': '75',
  'net.ipv4.tcp_keepalive_probes': '9',
  'net.ipv4.tcp_keepalive_time': '7200',
  'net.ipv4.tcp_max_syn_backlog': '2048',
  'net.ipv4.tcp_retries1': '3',
  'net.ipv4.tcp_retries2': '15',
  'net.ipv4.tcp_sack': '1',
  'net.ipv4.tcp_syn_retries': '6',
  'net.ipv4.tcp_synack_retries': '5',
  'net.ipv4.tcp_timestamps': '1',
  'net.ipv4.tcp_tw_reuse': '2',
  'net.ipv4.tcp_window_scaling': '1',
  'net.ipv6.bindv6only': '0',
  'net.ipv6.icmp.echo_ignore_all': '0',
  'net.ipv6.icmp.ratelimit': '100',
  'net.ipv6.icmp.ratemask': '0-1,3-127',
  'net.ipv6.ip6frag_time': '60',
  'net.ipv6.ip_nonlocal_bind': '0',
  'net.ipv6.neigh.default.gc_interval': '30',
  'net.ipv6.neigh.default.gc_thresh1': '128',
  'net.ipv6.neigh.default.gc_thresh2': '512',
  'net.ipv6.neigh.default.gc_thresh3': '1024',
  'net.ipv6.route.mtu_expires': '600',
  'net.netfilter.nf_conntrack_checksum': '1',
  'net.netfilter.nf_conntrack_generic_timeout': '600',
  'net.netfilter.nf_conntrack_gre_timeout': '30',
  'net.netfilter.nf_conntrack_gre_timeout_stream': '180',
  'net.netfilter.nf_conntrack_icmp_timeout': '30',
  'net.netfilter.nf_conntrack_icmpv6_timeout': '30',
  'net.netfilter.nf_conntrack_max': '262144',
  'net.netfilter.nf_conntrack_tcp_be_liberal': '0',
  'net.netfilter.nf_conntrack_tcp_loose': '1',
  'net.netfilter.nf_conntrack_tcp_max_retrans': '3',
  'net.netfilter.nf_conntrack_tcp_timeout_close': '10',
  'net.netfilter.nf_conntrack_tcp_timeout_close_wait': '60',
  'net.netfilter.nf_conntrack_tcp_timeout_established': '432000',
  'net.netfilter.nf_conntrack_tcp_timeout_fin_wait': '120',
  'net.netfilter.nf_conntrack_tcp_timeout_last_ack': '30',
  'net.netfilter.nf_conntrack_tcp_timeout_max_retrans': '300',
  'net.netfilter.nf_conntrack_tcp_timeout_syn_recv': '60',
  'net.netfilter.nf_conntrack_tcp_timeout_syn_sent': '120',
  'net.netfilter.nf_conntrack_tcp_timeout_time_wait': '120',
  'net.netfilter.nf_conntrack_tcp_timeout_unacknowledged': '300',
  'net.netfilter.nf_conntrack_udp_timeout': '30',
  'net.netfilter.nf_conntrack_udp_timeout_stream': '120',
};
