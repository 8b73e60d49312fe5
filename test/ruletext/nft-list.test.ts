/** Rules as `nft list` shows them. What is expected was recorded from nft 1.0.6 and iptables-nft 1.8.9. */
import { describe, expect, test } from 'vitest';
import { nftList, nftListChains, nftListTables } from '../../src/ruletext/nft-list.ts';
import type { IpFamily } from '../../src/wire/ip-address.ts';
import { nftTablesOf } from './nft-tables.ts';

/** [what, rule, as listed, table or else filter] */
type Row = readonly [string, string, string, string?];

function lineOf(family: IpFamily, rule: string, table = 'filter'): string {
  const text = `*${table}\n:USER - [0:0]\n[3:180] -A USER ${rule}\nCOMMIT\n`;
  return (
    nftList(nftTablesOf(text, family))
      .text.split('\n')
      .find((line) => line.includes('counter'))
      ?.slice(2) ?? ''
  );
}

const C = 'counter packets 3 bytes 180';

const IPV4: readonly Row[] = [
  ['a bare rule', '', C],
  [
    'devices come first',
    '-s 10.0.0.0/8 -i eth0 -o veth+ -p tcp',
    `iifname "eth0" oifname "veth*" meta l4proto tcp ip saddr 10.0.0.0/8 ${C}`,
  ],
  ['the negation of any device', '! -i +', `iifname "INVAL/D" ${C}`],
  ['a mask with a hole', '! -d 10.0.2.0/255.0.255.0', `ip daddr & 255.0.255.0 != 10.0.2.0 ${C}`],
  ['a port implies its protocol', '-p tcp -d 1.2.3.4 --dport 80', `ip daddr 1.2.3.4 tcp dport 80 ${C}`],
  [
    'not across a comment',
    '-p tcp -m comment --comment x -m tcp --dport 80',
    `meta l4proto tcp  tcp dport 80 ${C}`,
  ],
  [
    'nor across a limit',
    '-p udp -m limit --limit 5/sec -m udp --dport 5',
    `meta l4proto udp limit rate 5/second udp dport 5 ${C}`,
  ],
  [
    'but across a mark',
    '-p tcp -m mark --mark 1 -m tcp --dport 80',
    `meta mark 0x00000001 tcp dport 80 ${C}`,
  ],
  ['ports from 0', '-p udp --sport :1023', `udp sport <= 1023 ${C}`],
  ['flags', '-p tcp --syn --dport 80', `tcp flags syn / fin,syn,rst,ack tcp dport 80 ${C}`],
  [
    'a TCP option keeps the extension',
    '-p tcp --tcp-option 5 --dport 80',
    `meta l4proto tcp tcp dport 80 tcp option 5 exists ${C}`,
  ],
  ['no flags to compare', '-p tcp --tcp-flags NONE NONE', `meta l4proto tcp  ${C}`],
  ['no bits to compare', '-m mark ! --mark 0x1/0', `meta mark != 0x00000001/0 ${C}`],
  ['a burst of none', '-m limit --limit 7/min --limit-burst 0', `limit rate 7/minute ${C}`],
  ['a range of one owner', '-m owner --uid-owner 5-5', `skuid 5 ${C}`],
  ['a bare module', '-p tcp -m tcp', `meta l4proto tcp  ${C}`],
  [
    'multiport',
    '-p tcp -m multiport --dports 80,443,8000:8080',
    `meta l4proto tcp tcp dport { 80, 443, 8000-8080 } ${C}`,
  ],
  ['states', '-m conntrack --ctstate ESTABLISHED,RELATED', `ct state related,established ${C}`],
  ['a state of NAT', '-m conntrack --ctstate DNAT', `ct status dnat ${C}`],
  ['local addresses', '-m addrtype --dst-type LOCAL', `fib daddr type local ${C}`],
  [
    'probabilities',
    '-m statistic --mode random --probability 0.5',
    `meta random & 2147483647 < 1073741824 ${C}`,
  ],
  ['no translation', '-m recent --rcheck --seconds 3 --name a', `xt match recent ${C}`],
  ['ICMP types, not codes', '-p icmp -m icmp --icmp-type 3/4', `meta l4proto icmp xt match icmp ${C}`],
  ['one owner', '-m owner ! --uid-owner 1337', `skuid != 1337 ${C}`],
  ['marks are or-ed', '-j MARK --or-mark 0x4000', `${C} meta mark set mark or 0x4000`, 'mangle'],
  ['verdicts', '-j RETURN', `${C} return`],
  ['reject', '-j REJECT --reject-with icmp-host-prohibited', `${C} reject with icmp type host-prohibited`],
  ['TOS speaks of IPv6', '-j TOS --set-tos 0x10/0x3f', `${C} ip6 dscp set 0x04`, 'mangle'],
  [
    'DNAT',
    '-p tcp -j DNAT --to-destination 10.0.0.1:80 --persistent',
    `meta l4proto tcp ${C} dnat to 10.0.0.1:80 persistent`,
    'nat',
  ],
  [
    'shifted ports',
    '-p tcp -j DNAT --to-destination 1.1.1.1:1-9/5',
    `meta l4proto tcp ${C} xt target DNAT`,
    'nat',
  ],
  ['masquerade', '-j MASQUERADE --random-fully', `${C} masquerade fully-random`, 'nat'],
  [
    'LOG',
    '-j LOG --log-prefix "a b" --log-level 6 --log-tcp-options',
    `${C} log prefix "a b" level info flags tcp options`,
  ],
  ['NFLOG', '-j NFLOG --nflog-prefix p --nflog-group 5', `${C} log prefix "p" group 5`],
];

const IPV6: readonly Row[] = [
  ['addresses', '! -s fd00::/64', `ip6 saddr != fd00::/64 ${C}`],
  [
    'neighbour discovery',
    '-p ipv6-icmp -m icmp6 --icmpv6-type 135',
    `meta l4proto ipv6-icmp icmpv6 type nd-neighbor-solicit ${C}`,
  ],
  [
    'DNAT',
    '-p tcp -j DNAT --to-destination [fd00::1]:80',
    `meta l4proto tcp ${C} dnat to [fd00::1]:80`,
    'nat',
  ],
  ['hop limits', '-m hl --hl-gt 5', `ip6 hoplimit gt 5 ${C}`],
];

describe.each([
  ['ipv4', IPV4],
  ['ipv6', IPV6],
] as const)('%s', (family, rows) => {
  const situations = rows.map(([what, rule, listed, table]) => ({ what, rule, listed, table }));
  test.each(situations)('$what', ({ rule, listed, table }) => {
    expect(lineOf(family, rule, table)).toBe(listed);
  });
});

const NAT = `*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:USER - [0:0]
-A POSTROUTING -j USER
-A USER -j MASQUERADE
COMMIT
`;
const MANGLE = '*mangle\n:OUTPUT DROP [0:0]\nCOMMIT\n';

test('a table: its chains, their hooks, a blank line between each two', () => {
  expect(nftList(nftTablesOf(NAT, 'ipv4'))).toEqual({
    text: `table ip nat {
	chain PREROUTING {
		type nat hook prerouting priority dstnat; policy accept;
	}

	chain INPUT {
		type nat hook input priority 100; policy accept;
	}

	chain OUTPUT {
		type nat hook output priority -100; policy accept;
	}

	chain POSTROUTING {
		type nat hook postrouting priority srcnat; policy accept;
		counter packets 0 bytes 0 jump USER
	}

	chain USER {
		counter packets 0 bytes 0 masquerade
	}
}
`,
    complaints: ['# Warning: table ip nat is managed by iptables-nft, do not touch!'],
  });
});

test('what libxtables loaded for one family it does not find for the other', () => {
  const tables = [...nftTablesOf(NAT, 'ipv4'), ...nftTablesOf(NAT, 'ipv6')];
  const { text, complaints } = nftList(tables);
  expect(text.match(/^\t\tcounter packets 0 bytes 0 .*$/gm)).toEqual([
    '\t\tcounter packets 0 bytes 0 jump USER',
    '\t\tcounter packets 0 bytes 0 masquerade',
    '\t\tcounter packets 0 bytes 0 jump USER',
    '\t\tcounter packets 0 bytes 0 ',
  ]);
  expect(complaints.at(-1)).toBe('XT target MASQUERADE not found');
});

test('tables, and chains without rules', () => {
  const tables = [...nftTablesOf(MANGLE, 'ipv6'), ...nftTablesOf('*filter\n:USER - [0:0]\nCOMMIT\n', 'ipv4')];
  expect(nftListTables(tables)).toBe('table ip6 mangle\ntable ip filter\n');
  expect(nftListChains(tables).split('\n')).toEqual(
    expect.arrayContaining(['\t\ttype route hook output priority mangle; policy drop;', '\tchain USER {']),
  );
});

test('without what counters say', () => {
  const tables = nftTablesOf(NAT, 'ipv4');
  expect(nftList(tables, { stateless: true }).text).toContain('\t\tcounter masquerade\n');
});

test('of an extension that is not known there is the name, and a note', () => {
  const tables = nftTablesOf('*filter\n-A INPUT -m cpu --cpu 1\nCOMMIT\n', 'ipv4');
  const { text, complaints } = nftList(tables);
  expect(text).toContain('\t\txt match cpu counter packets 0 bytes 0\n');
  expect(complaints).toContain('# Note: -m cpu is printed by its name; nft may know a translation.');
});
