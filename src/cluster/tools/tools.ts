/** Every tool by the name it is called with. */
import { conntrack } from './conntrack.ts';
import { curl } from './curl/curl.ts';
import { dig } from './dig/dig.ts';
import { ip } from './ip/ip.ts';
import { rulesSave } from './iptables-save.ts';
import { nc } from './nc.ts';
import { nft } from './nft.ts';
import { ping } from './ping/ping.ts';
import { resolvConf } from './resolv-conf.ts';
import { ss } from './ss.ts';
import { sysctl } from './sysctl.ts';
import { tcpdump } from './tcpdump/tcpdump.ts';
import type { Tool } from './tool.ts';
import { traceroute } from './traceroute/traceroute.ts';

export const TOOLS: Readonly<Record<string, Tool>> = {
  cat: resolvConf,
  conntrack,
  curl,
  dig,
  ip,
  'ip6tables-save': rulesSave('ipv6'),
  'iptables-save': rulesSave('ipv4'),
  nc,
  nft,
  ping,
  ping6: (args, context) => ping(['-6', ...args], context),
  ss,
  sysctl,
  tcpdump,
  traceroute,
  traceroute6: (args, context) => traceroute(['-6', ...args], context),
};
