/** Which matches and targets iptables 1.8.9 comes with, by family. */
import type { IpFamily } from '../../../wire/ip-address.ts';

const MATCHES = `
  addrtype ah bpf cgroup cluster comment connbytes connlabel connlimit connmark conntrack cpu dccp devgroup dscp
  ecn esp hashlimit helper ipcomp iprange ipvs length limit mac mark multiport nfacct owner physdev pkttype
  policy quota rateest recent rpfilter sctp set socket state statistic string tcp tcpmss time tos u32 udp
`;
const MATCHES_IPV4 = 'icmp osf realm ttl';
const MATCHES_IPV6 = 'dst eui64 frag hbh hl icmp6 ipv6header mh rt srh';

const TARGETS = `
  ACCEPT DROP QUEUE RETURN AUDIT CHECKSUM CLASSIFY CONNMARK CONNSECMARK CT DNAT DSCP HMARK IDLETIMER LED LOG MARK
  MASQUERADE NETMAP NFLOG NFQUEUE NOTRACK RATEEST REDIRECT REJECT SECMARK SET SNAT SYNPROXY TCPMSS TCPOPTSTRIP TEE
  TOS TPROXY TRACE
`;
const TARGETS_IPV4 = 'CLUSTERIP ECN TTL ULOG';
const TARGETS_IPV6 = 'DNPT HL SNPT';

function names(...lists: readonly string[]): ReadonlySet<string> {
  return new Set(lists.flatMap((list) => list.trim().split(/\s+/)));
}

export const KNOWN_MATCHES: Readonly<Record<IpFamily, ReadonlySet<string>>> = {
  ipv4: names(MATCHES, MATCHES_IPV4),
  ipv6: names(MATCHES, MATCHES_IPV6),
};

export const KNOWN_TARGETS: Readonly<Record<IpFamily, ReadonlySet<string>>> = {
  ipv4: names(TARGETS, TARGETS_IPV4),
  ipv6: names(TARGETS, TARGETS_IPV6),
};
