/** Matches, targets and jumps in the right and the wrong place. */
import { type CorpusFile, file, rules } from './corpus-file.ts';

export const PLACE_FILES: readonly CorpusFile[] = [
  ...rules(
    { place: 'filter FORWARD', verdict: 'accepted' },
    String.raw`
-m physdev --physdev-out a -j ACCEPT
-m addrtype --dst-type LOCAL --limit-iface-out -j ACCEPT
-m policy --dir out --pol ipsec -j ACCEPT
`,
  ),
  ...rules(
    { place: 'filter OUTPUT', verdict: 'refused-at-load' },
    String.raw`
-m physdev --physdev-out a -j ACCEPT
-m addrtype --dst-type LOCAL --limit-iface-in -j ACCEPT
-m policy --dir in --pol ipsec -j ACCEPT
-m mac --mac-source 00:11:22:33:44:55 -j ACCEPT
`,
  ),
  ...rules(
    { place: 'filter OUTPUT', verdict: 'accepted' },
    String.raw`
-m physdev --physdev-is-bridged --physdev-out a -j ACCEPT
-m owner --uid-owner 0 -j ACCEPT
-m cgroup --cgroup 1 -j ACCEPT
`,
  ),
  ...rules(
    { place: 'filter FORWARD', verdict: 'refused-at-load' },
    String.raw`
-m owner --uid-owner 0 -j ACCEPT
-m rpfilter -j ACCEPT
-m cgroup --cgroup 1 -j ACCEPT
`,
  ),
  ...rules(
    { place: 'nat POSTROUTING', verdict: 'accepted' },
    String.raw`
-m owner --uid-owner 0 -j ACCEPT
`,
  ),
  ...rules(
    { place: 'filter INPUT', verdict: 'refused-at-load' },
    String.raw`
-m owner --uid-owner 0 -j ACCEPT
-m policy --dir out --pol ipsec -j ACCEPT
`,
  ),
  ...rules(
    { place: 'raw PREROUTING', verdict: 'accepted' },
    String.raw`
-m rpfilter --invert -j ACCEPT
`,
  ),
  ...rules(
    { place: 'mangle PREROUTING', verdict: 'accepted' },
    String.raw`
-m rpfilter -j ACCEPT
-m socket -j ACCEPT
`,
  ),
  ...rules(
    { place: 'nat PREROUTING', verdict: 'refused-at-load' },
    String.raw`
-m rpfilter -j ACCEPT
`,
  ),
  ...rules(
    { place: 'mangle FORWARD', verdict: 'refused-at-load' },
    String.raw`
-m socket -j ACCEPT
`,
  ),
  ...rules(
    { place: 'nat POSTROUTING', verdict: 'refused-at-load' },
    String.raw`
-m devgroup --src-group 1 -j ACCEPT
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
