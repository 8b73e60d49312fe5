/** The names that `--icmp-type` and `--icmpv6-type` take (extensions/libxt_icmp.h). */
import type { NumberRange } from '../netfilter/match.ts';

export interface IcmpTypeName {
  readonly name: string;
  readonly type: number;
  readonly code: NumberRange;
}

/** `TYPE name alias` lines; below a type, ` CODE name` lines. */
function readTable(text: string): readonly IcmpTypeName[] {
  const names: IcmpTypeName[] = [];
  let type = 0;
  for (const line of text.split('\n')) {
    const [number = '', ...words] = line.trim().split(' ');
    if (words.length === 0) continue;
    const isCode = line.startsWith('  ');
    if (!isCode) type = Number(number);
    const code = isCode ? { from: Number(number), to: Number(number) } : { from: 0, to: 255 };
    for (const name of words) names.push({ name, type, code });
  }
  return names;
}

export const ICMP_TYPE_NAMES = readTable(`
255 any
0 echo-reply pong
3 destination-unreachable
  0 network-unreachable
  1 host-unreachable
  2 protocol-unreachable
  3 port-unreachable
  4 fragmentation-needed
  5 source-route-failed
  6 network-unknown
  7 host-unknown
  9 network-prohibited
  10 host-prohibited
  11 TOS-network-unreachable
  12 TOS-host-unreachable
  13 communication-prohibited
  14 host-precedence-violation
  15 precedence-cutoff
4 source-quench
5 redirect
  0 network-redirect
  1 host-redirect
  2 TOS-network-redirect
  3 TOS-host-redirect
8 echo-request ping
9 router-advertisement
10 router-solicitation
11 time-exceeded ttl-exceeded
  0 ttl-zero-during-transit
  1 ttl-zero-during-reassembly
12 parameter-problem
  0 ip-header-bad
  1 required-option-missing
13 timestamp-request
14 timestamp-reply
17 address-mask-request
18 address-mask-reply
`);

export const ICMPV6_TYPE_NAMES = readTable(`
1 destination-unreachable
  0 no-route
  1 communication-prohibited
  2 beyond-scope
  3 address-unreachable
  4 port-unreachable
  5 failed-policy
  6 reject-route
2 packet-too-big
3 time-exceeded ttl-exceeded
  0 ttl-zero-during-transit
  1 ttl-zero-during-reassembly
4 parameter-problem
  0 bad-header
  1 unknown-header-type
  2 unknown-option
128 echo-request ping
129 echo-reply pong
133 router-solicitation
134 router-advertisement
135 neighbour-solicitation neighbor-solicitation
136 neighbour-advertisement neighbor-advertisement
137 redirect
`);
