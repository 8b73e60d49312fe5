/** Rule lines: what belongs to no extension, quoting, comments. */
import { type CorpusFile, file, ruleFile, rules } from './corpus-file.ts';

export const RULE_LINES: readonly CorpusFile[] = [
  ...rules(
    'accepted',
    String.raw`
-j ACCEPT
-j USER
-g USER
-j RETURN
-p tcp -j ACCEPT
-p TCP -j ACCEPT
-p 6 -j ACCEPT
-p all -j ACCEPT
-p 0 -j ACCEPT
! -p tcp -j ACCEPT
-p 0x6 -j ACCEPT
-i eth0 -j ACCEPT
-i eth+ -j ACCEPT
-i + -j ACCEPT
! -i eth0 -j ACCEPT
-i abcdefghijklmno -j ACCEPT
-i abcdefghijklmn+ -j ACCEPT
-i eth/0 -j ACCEPT
-i "et h" -j ACCEPT
--in-interface eth0 -j ACCEPT
--in-int eth0 -j ACCEPT
-v -j ACCEPT
-4 -j ACCEPT
-6 -j ACCEPT
--
-j ACCEPT --
-m tcp -p tcp
-m comment --comment x -m comment --comment y -j ACCEPT
-m comment --comment "a b" -j ACCEPT
-m comment --comment "a\"b" -j ACCEPT
-m comment --comment "a\\b" -j ACCEPT
-m comment --comment "" -j ACCEPT
-m comment --comment "unterminated -j ACCEPT
-m comment --comment -j -j ACCEPT
-m comment --comment é -j ACCEPT
-m comment --comment "*nat" -j ACCEPT
-m comment --comment "COMMIT" -j ACCEPT
filter OUTPUT | -o eth0 -j ACCEPT
filter FORWARD | -i a -o b -j ACCEPT
`,
  ),
  ...rules(
    { nft: 'refused-at-load', legacy: 'refused' },
    `
-j accept
-g ACCEPT
-j NOSUCH
`,
  ),
  ...rules(
    { nft: 'refused-at-load', legacy: 'accepted' },
    `
-j QUEUE
`,
  ),
  ...rules(
    'refused',
    String.raw`
-j
-j ""
-g
-j ACCEPT -j DROP
-j USER -g USER
! -j ACCEPT
-j nosuch --opt 1
-p 256 -j ACCEPT
-p -1 -j ACCEPT
-p nosuch -j ACCEPT
! -p all -j ACCEPT
-p ! tcp -j ACCEPT
-p tcp -p udp -j ACCEPT
-p
-i "" -j ACCEPT
-i abcdefghijklmnop -j ACCEPT
-i abcdefghijklmno+ -j ACCEPT
-o eth0 -j ACCEPT
-i a -i b -j ACCEPT
--in eth0 -j ACCEPT
--protocol=tcp -j ACCEPT
-ptcp -j ACCEPT
-n -j ACCEPT
-x -j ACCEPT
-w -j ACCEPT
-t filter -j ACCEPT
-t nat -j ACCEPT
-q -j ACCEPT
--nosuch -j ACCEPT
nosuch
-
-j ACCEPT extra
!
! !
-s
! ! -p tcp -j ACCEPT
-m
-m ""
-m nosuch
-m nosuch --opt 1 -j ACCEPT
-m LOG
-m ACCEPT
-m standard
-m set_mark
-m comment
-m comment --comment
-m comment --comment 'a b' -j ACCEPT
-m comment --comment a\ b -j ACCEPT
-m comment --comment a"b c"d -j ACCEPT
-m comment --comment "a"b -j ACCEPT
-m comment --comment x --comment y -j ACCEPT
-m comment ! --comment x -j ACCEPT
filter OUTPUT | -i eth0 -j ACCEPT
nat POSTROUTING | -i eth0 -j ACCEPT
nat PREROUTING | -o eth0 -j ACCEPT
`,
  ),
  ...rules(
    'refused-at-load',
    `
-m tcp
`,
  ),
  ...rules(
    'accepted',
    `
-s 10.0.0.1 -j ACCEPT
-s 10.0.0.0/8 -j ACCEPT
-s 10.0.0.5/24 -j ACCEPT
-s 10.0.0.0/255.0.0.0 -j ACCEPT
-s 10.0.0.0/255.0.255.0 -j ACCEPT
-s 10.0.0 -j ACCEPT
-s 10 -j ACCEPT
-s 0/0 -j ACCEPT
-s 010.0.0.1 -j ACCEPT
-s 0x0a.0.0.1 -j ACCEPT
-s localhost -j ACCEPT
! -s 10.0.0.1 -j ACCEPT
-s 1.1.1.1,2.2.2.2 -j ACCEPT
-s "1.1.1.1, 2.2.2.2" -j ACCEPT
-d 10.0.0.1/32 -j ACCEPT
--src 10.0.0.1 -j ACCEPT
--dst 10.0.0.1 -j ACCEPT
-f -j ACCEPT
! -f -j ACCEPT
-p icmp -j ACCEPT
-p icmpv6 -j ACCEPT
`,
    'ipv4',
  ),
  ...rules(
    'refused',
    `
-s 10.0.0.0/33 -j ACCEPT
-s 10.0.0.0/-1 -j ACCEPT
-s 10.0.0.0/ -j ACCEPT
-s /8 -j ACCEPT
-s 10.0.0.0/255.0.0 -j ACCEPT
-s 10.0.0.256 -j ACCEPT
-s 10.0.0.1.1 -j ACCEPT
-s 10.0.0.08 -j ACCEPT
-s 1e1.0.0.1 -j ACCEPT
-s fd00::1 -j ACCEPT
-s "" -j ACCEPT
-s no_such.invalid -j ACCEPT
-s ! 10.0.0.1 -j ACCEPT
-s 10.0.0.1 -s 10.0.0.2 -j ACCEPT
! -s 1.1.1.1,2.2.2.2 -j ACCEPT
-s 1.1.1.1, -j ACCEPT
-s ,1.1.1.1 -j ACCEPT
-s 1.1.1.1, 2.2.2.2 -j ACCEPT
--source=10.0.0.1 -j ACCEPT
-s10.0.0.1 -j ACCEPT
-f -f -j ACCEPT
-p tcp -m icmp -j ACCEPT
-s 10.0.0.1/8/8 -j ACCEPT
-s 10.0.0.1-10.0.0.5 -j ACCEPT
`,
    'ipv4',
  ),
  ...rules(
    { nft: 'refused-at-load', legacy: 'accepted' },
    `
! -s 0/0 -j ACCEPT
`,
    'ipv4',
  ),
  ...rules(
    'accepted',
    `
-s fd00::1 -j ACCEPT
-s fd00::/64 -j ACCEPT
-s fd00::5/64 -j ACCEPT
-s fd00::/ffff:: -j ACCEPT
-s fd00::/ffff:0:ffff:: -j ACCEPT
-s ::/0 -j ACCEPT
-s :: -j ACCEPT
-s ::ffff:10.0.0.1 -j ACCEPT
-s FD00::A -j ACCEPT
-s 0/0 -j ACCEPT
-s fd00::1,fd00::2 -j ACCEPT
-m frag --fragfirst -j ACCEPT
-p icmpv6 -j ACCEPT
-p icmp -j ACCEPT
-p ipv6-icmp -m icmp6 --icmpv6-type 128 -j ACCEPT
-p icmpv6 --icmpv6-type echo-request -j ACCEPT
-p ipv6-frag -j ACCEPT
-p ipv6-route -j ACCEPT
-p ipv6-opts -j ACCEPT
-p hopopt -j ACCEPT
-p ipv6-nonxt -j ACCEPT
-p 44 -j ACCEPT
-p esp -j ACCEPT
`,
    'ipv6',
  ),
  ...rules(
    'refused',
    `
-s fd00::/129 -j ACCEPT
-s fd00::/255.0.0.0 -j ACCEPT
-s 10.0.0.1 -j ACCEPT
-s 10.0.0.0/8 -j ACCEPT
-s fd00:::1 -j ACCEPT
-s fd00::1::2 -j ACCEPT
-s fd00:12345::1 -j ACCEPT
-s [fd00::1] -j ACCEPT
-s fe80::1%eth0 -j ACCEPT
-s fd00 -j ACCEPT
-f -j ACCEPT
-p icmpv6 --icmpv6-type nosuch -j ACCEPT
-p icmpv6 -m icmp --icmp-type 8 -j ACCEPT
-p icmpv6 --icmp-type 8 -j ACCEPT
`,
    'ipv6',
  ),
  ...file(
    'a comment of 255 characters',
    ruleFile('filter INPUT', `-m comment --comment ${'c'.repeat(255)} -j ACCEPT`),
    'accepted',
  ),
  ...file(
    'a comment of 256 characters',
    ruleFile('filter INPUT', `-m comment --comment ${'c'.repeat(256)} -j ACCEPT`),
    'accepted',
  ),
  ...file(
    'a comment of 1023 characters',
    ruleFile('filter INPUT', `-m comment --comment ${'c'.repeat(1023)} -j ACCEPT`),
    'accepted',
  ),
  ...file(
    'a comment of 1024 characters',
    ruleFile('filter INPUT', `-m comment --comment ${'c'.repeat(1024)} -j ACCEPT`),
    'refused',
  ),
  ...file(
    '-i and -o in a user chain that nothing reaches',
    '*filter\n:USER - [0:0]\n-A USER -i a -o b -j ACCEPT\nCOMMIT\n',
    'accepted',
  ),
  ...file(
    '-o in a user chain that INPUT reaches',
    '*filter\n:USER - [0:0]\n-A INPUT -j USER\n-A USER -o eth0 -j ACCEPT\nCOMMIT\n',
    'accepted',
  ),
];
