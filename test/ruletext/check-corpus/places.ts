/** Matches, targets and jumps in the right and the wrong place. */
import { type CorpusFile, file, rules } from './corpus-file.ts';

export const PLACES: readonly CorpusFile[] = [
  ...rules(
    'accepted',
    `
filter FORWARD | -m physdev --physdev-out a -j ACCEPT
filter FORWARD | -m addrtype --dst-type LOCAL --limit-iface-out -j ACCEPT
filter FORWARD | -m policy --dir out --pol ipsec -j ACCEPT
filter OUTPUT | -m physdev --physdev-is-bridged --physdev-out a -j ACCEPT
filter OUTPUT | -m owner --uid-owner 0 -j ACCEPT
filter OUTPUT | -m cgroup --cgroup 1 -j ACCEPT
nat POSTROUTING | -m owner --uid-owner 0 -j ACCEPT
raw PREROUTING | -m rpfilter --invert -j ACCEPT
mangle PREROUTING | -m rpfilter -j ACCEPT
mangle PREROUTING | -m socket -j ACCEPT
`,
  ),
  ...rules(
    'refused-at-load',
    `
filter OUTPUT | -m physdev --physdev-out a -j ACCEPT
filter OUTPUT | -m addrtype --dst-type LOCAL --limit-iface-in -j ACCEPT
filter OUTPUT | -m policy --dir in --pol ipsec -j ACCEPT
filter OUTPUT | -m mac --mac-source 00:11:22:33:44:55 -j ACCEPT
filter FORWARD | -m owner --uid-owner 0 -j ACCEPT
filter FORWARD | -m rpfilter -j ACCEPT
filter FORWARD | -m cgroup --cgroup 1 -j ACCEPT
-m owner --uid-owner 0 -j ACCEPT
-m policy --dir out --pol ipsec -j ACCEPT
nat PREROUTING | -m rpfilter -j ACCEPT
mangle FORWARD | -m socket -j ACCEPT
nat POSTROUTING | -m devgroup --src-group 1 -j ACCEPT
`,
  ),
  ...file(
    'DNAT two chains below POSTROUTING',
    '*nat\n:A - [0:0]\n:B - [0:0]\n-A POSTROUTING -j A\n-A A -j B\n-A B -j REDIRECT\nCOMMIT\n',
    'refused-at-load',
  ),
  ...file(
    'REDIRECT below PREROUTING and POSTROUTING',
    '*nat\n:A - [0:0]\n-A PREROUTING -j A\n-A POSTROUTING -j A\n-A A -j REDIRECT\nCOMMIT\n',
    'refused-at-load',
  ),
  ...file(
    'MASQUERADE below POSTROUTING by goto',
    '*nat\n:A - [0:0]\n-A POSTROUTING -g A\n-A A -j MASQUERADE\nCOMMIT\n',
    'accepted',
  ),
  ...file(
    'MASQUERADE in a chain that PREROUTING reaches',
    '*nat\n:A - [0:0]\n-A PREROUTING -j A\n-A A -j MASQUERADE\nCOMMIT\n',
    'refused-at-load',
  ),
  ...file(
    'an error in the second table only',
    '*filter\n-A INPUT -j ACCEPT\nCOMMIT\n*nat\n-A PREROUTING -j NOSUCH\nCOMMIT\n',
    { nft: 'refused-at-load', legacy: 'refused' },
  ),
  ...file(
    'a syntax error in the second table only',
    '*filter\n-A INPUT -j ACCEPT\nCOMMIT\n*nat\n-A PREROUTING --nosuch\nCOMMIT\n',
    'refused',
  ),
];
