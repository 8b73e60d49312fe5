/**
 * Where `check` knowingly says something else than iptables-restore 1.8.9, and why. Both answers are tested, so
 * that this list stays true.
 */
import { type CorpusFile, file, rules, type Verdicts } from './corpus-file.ts';

export interface KnownDifference {
  readonly why: string;
  readonly files: readonly CorpusFile[];
  readonly ours: Verdicts;
}

const both = (verdict: Verdicts['nft']): Verdicts => ({ nft: verdict, legacy: verdict });

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    why: 'a host may have the set, counter, estimator, program, user, label, helper or timeout policy',
    files: [
      ...rules(
        'refused',
        `
-m set --match-set nosuch src -j ACCEPT
-m set ! --match-set nosuch src -j ACCEPT
mangle PREROUTING | -j SET --add-set nosuch src
-m connlabel --label nosuch -j ACCEPT
-m bpf --object-pinned /nonexistent -j ACCEPT
filter OUTPUT | -m owner --uid-owner nosuchuser -j ACCEPT
`,
      ),
      ...rules(
        'refused-at-load',
        `
-m nfacct --nfacct-name thing -j ACCEPT
-m rateest --rateest est --rateest-bps --rateest-lt -j ACCEPT
raw PREROUTING | -p tcp -j CT --helper nosuch
raw PREROUTING | -j CT --timeout nosuch
`,
      ),
    ],
    ours: both('accepted'),
  },
  {
    why: "this machine's kernel is built without it; others have it",
    files: rules(
      'refused-at-load',
      `
-m ipvs --ipvs -j ACCEPT
-j LED --led-trigger-id x
security INPUT | -j SECMARK --selctx x
`,
    ),
    ours: both('accepted'),
  },
  {
    why: 'it prints help or a version and ends there with success, having loaded nothing',
    files: rules('accepted', '-h\n--help\n-V\n--version'),
    ours: both('refused'),
  },
  {
    why: "iptables-legacy takes chain names with '-' and '!' in front that no command line can name",
    files: [
      ...file('a chain name with - in front', '*filter\n:-USER - [0:0]\nCOMMIT\n', {
        nft: 'refused',
        legacy: 'accepted',
      }),
      ...file('a chain name with ! in front', '*filter\n:!USER - [0:0]\nCOMMIT\n', {
        nft: 'refused',
        legacy: 'accepted',
      }),
    ],
    ours: both('refused'),
  },
  {
    why: 'commands that no save and no program writes',
    files: [
      ...file('-Z of a rule', '*filter\n-A INPUT -j ACCEPT\n-Z INPUT 1\nCOMMIT\n', {
        nft: 'refused-at-load',
        legacy: 'accepted',
      }),
      ...file('-Z of a missing rule', '*filter\n-A INPUT -j ACCEPT\n-Z INPUT 2\nCOMMIT\n', {
        nft: 'accepted',
        legacy: 'refused',
      }),
      ...file('-E to the name of a target', '*filter\n:USER - [0:0]\n-E USER LOG\nCOMMIT\n', {
        nft: 'refused-at-load',
        legacy: 'accepted',
      }),
    ],
    ours: both('refused'),
  },
  {
    why: 'read as a chain name with its dashes, which then does not exist',
    files: rules({ nft: 'refused-at-load', legacy: 'refused' }, '--jump=ACCEPT\n-jACCEPT'),
    ours: both('refused'),
  },
  {
    why: 'iptables-nft loads a test of ports that its own protocol match excludes',
    files: rules(
      { nft: 'accepted', legacy: 'refused-at-load' },
      '! -p tcp -m tcp --dport 80 -j ACCEPT\n! -p tcp --dport 80 -j ACCEPT',
    ),
    ours: { nft: 'refused', legacy: 'refused-at-load' },
  },
  {
    why: 'a port above 65535 loses its upper bits there',
    files: rules('accepted', '-m conntrack --ctorigdstport 70000 -j ACCEPT'),
    ours: both('refused'),
  },
  {
    why: 'byte rates are kept as text and not calculated with',
    files: rules(
      'refused',
      '-m hashlimit --hashlimit-above 5kb/s --hashlimit-name a --hashlimit-burst 10 -j ACCEPT',
    ),
    ours: both('accepted'),
  },
  {
    why: '-p ipv6-mh alone makes --mh-type known to our parser',
    files: rules('refused', '-p ipv6-mh --mh-type 1 -j ACCEPT', 'ipv6'),
    ours: both('accepted'),
  },
];
