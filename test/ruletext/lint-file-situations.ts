/** Chains, places, balancing by hand, and what a file does not bring along. */
import { filter, inTable, mangle, nat, type Situations } from './lint-situation.ts';

export const FILE_SITUATIONS: readonly Situations[] = [
  {
    about: 'chains',
    situations: [
      filter('that nothing jumps to', ['-A U -j DROP'], ['3 unreached-chain']),
      filter('reached only from one like that', ['-A U -j V', '-A V -j DROP'], ['2 unreached-chain']),
      filter('that reach each other only', ['-A U -j V', '-A V -j U'], ['2 unreached-chain']),
      filter('empty, jumped to', ['-A INPUT -j U'], ['4 empty-chain']),
      { label: 'empty and unused', text: '*filter\n:U - [0:0]\nCOMMIT\n', found: ['2 unused-chain'] },
      { label: "kubelet's canary", text: '*mangle\n:KUBE-KUBELET-CANARY - [0:0]\nCOMMIT\n', found: [] },
      {
        label: 'declared twice',
        text: '*filter\n:U - [0:0]\n-A U -j DROP\n:U - [0:0]\n-A INPUT -j U\n-A U -j DROP\nCOMMIT\n',
        found: ['4 redeclared-chain'],
      },
      {
        label: 'with a policy',
        text: '*filter\n:U DROP [0:0]\n-A INPUT -j U\n-A U -j DROP\nCOMMIT\n',
        found: ['2 ignored-policy'],
      },
      { label: 'not declared', text: '*filter\n-A U -j DROP\nCOMMIT\n', found: ['2 undeclared-chain'] },
      {
        label: 'jumped to and not declared',
        text: '*filter\n-A INPUT -j U\nCOMMIT\n',
        found: ['2 missing-jump-target'],
      },
      {
        label: 'several things wrong at once',
        text: '*filter\n-A INPUT -j U\n-A V -j DROP\n-A INPUT -j ACCEPT\n-A INPUT -j DROP\nCOMMIT\n',
        found: ['2 missing-jump-target', '3 undeclared-chain', '5 unreachable-rule'],
      },
      filter('in a circle', ['-A INPUT -j U', '-A U -s 10.0.0.1 -j V', '-A V -j U'], ['6 jump-loop']),
      {
        label: 'seventeen deep',
        text: `*filter\n${Array.from({ length: 17 }, (_, index) => `:C${index} -\n`).join('')}-A INPUT -j C0\n${Array.from({ length: 16 }, (_, index) => `-A C${index} -j C${index + 1}\n`).join('')}-A C16 -j DROP\nCOMMIT\n`,
        found: ['34 deep-jumps'],
      },
      {
        label: 'a table twice',
        text: '*filter\n-A INPUT -j DROP\nCOMMIT\n*filter\nCOMMIT\n',
        found: ['4 table-twice'],
      },
      {
        label: 'deleted in use',
        text: '*filter\n:U - [0:0]\n-A INPUT -j U\n-A U -j DROP\n-X U\nCOMMIT\n',
        found: ['5 bad-command'],
      },
    ],
  },
  {
    about: 'targets and matches in the wrong place',
    situations: [
      filter('DNAT in filter', ['-A FORWARD -j DNAT --to-destination 10.0.0.1'], ['4 misplaced']),
      nat(
        'DNAT on the way out',
        ['-A POSTROUTING -j U', '-A U -p tcp -j DNAT --to-destination 10.0.0.1:80'],
        ['5 misplaced'],
      ),
      nat('SNAT on the way in', ['-A PREROUTING -j SNAT --to-source 10.0.0.1'], ['4 misplaced']),
      nat('a policy of DROP', [':PREROUTING DROP [0:0]'], ['4 nat-policy']),
      inTable(
        'raw',
        'a state in raw',
        ['-A PREROUTING -m conntrack --ctstate ESTABLISHED -j ACCEPT'],
        ['4 state-in-raw'],
      ),
      inTable('raw', 'INVALID in raw', ['-A PREROUTING -m conntrack --ctstate INVALID -j DROP'], []),
      inTable(
        'raw',
        'a state over lo in raw',
        ['-A PREROUTING -i lo -m conntrack --ctstate NEW -j ACCEPT'],
        [],
      ),
      filter('an extension that does not exist', ['-A INPUT -m nosuch -j DROP'], ['4 unknown-extension']),
      filter('an option missing', ['-A INPUT -m string --string x -j DROP'], ['4 bad-option']),
      {
        label: 'a line that cannot be read',
        text: '*filter\n-A INPUT --nosuch\nCOMMIT\n',
        found: ['2 syntax'],
      },
      {
        label: 'counters of words',
        text: '*filter\n[a:b] -A INPUT -j DROP\nCOMMIT\n',
        found: ['2 ignored-counters'],
      },
      {
        label: 'a quote left open',
        text: '*filter\n-A INPUT -m comment --comment "x -j DROP\nCOMMIT\n',
        found: ['2 open-quote'],
      },
      { label: 'a listing', text: '*filter\n-L\nCOMMIT\n', found: ['2 listing-command'] },
    ],
  },
  {
    about: 'balancing by hand',
    situations: [
      nat(
        'even',
        [
          '-A PREROUTING -m statistic --mode random --probability 0.5 -j DNAT --to-destination 10.0.0.1',
          '-A PREROUTING -j DNAT --to-destination 10.0.0.2',
        ],
        [],
      ),
      nat(
        'weights that are meant',
        [
          '-A PREROUTING -m statistic --mode random --probability 0.9 -j DNAT --to-destination 10.0.0.1',
          '-A PREROUTING -j DNAT --to-destination 10.0.0.2',
        ],
        [],
      ),
      nat(
        'a third of each, which is not thirds',
        [1, 2]
          .map(
            (n) =>
              `-A PREROUTING -m statistic --mode random --probability 0.33333 -j DNAT --to-destination 10.0.0.${n}`,
          )
          .concat('-A PREROUTING -j DNAT --to-destination 10.0.0.3'),
        ['4 uneven-balancing'],
      ),
      nat(
        'no last rule',
        [
          '-A PREROUTING -m statistic --mode random --probability 0.33333 -j DNAT --to-destination 10.0.0.1',
          '-A PREROUTING -m statistic --mode random --probability 0.5 -j DNAT --to-destination 10.0.0.2',
        ],
        ['5 balancing-falls-through'],
      ),
      nat(
        'in turn, as it should be',
        [
          '-A PREROUTING -m statistic --mode nth --every 3 --packet 0 -j DNAT --to-destination 10.0.0.1',
          '-A PREROUTING -m statistic --mode nth --every 2 --packet 0 -j DNAT --to-destination 10.0.0.2',
          '-A PREROUTING -j DNAT --to-destination 10.0.0.3',
        ],
        [],
      ),
      nat(
        'in turn, every third of the rest',
        [0, 1, 2].map(
          (n) =>
            `-A PREROUTING -m statistic --mode nth --every 3 --packet ${n} -j DNAT --to-destination 10.0.0.${n + 1}`,
        ),
        ['4 uneven-balancing', '6 balancing-falls-through'],
      ),
      filter(
        'a sample',
        [
          '-A INPUT -m statistic --mode random --probability 0.01 -j U',
          '-A INPUT -s 10.0.0.1 -j DROP',
          '-A U -j LOG',
        ],
        [],
      ),
    ],
  },
  {
    about: 'what the file does not bring along',
    situations: [
      mangle('a mark that nothing tests', ['-A PREROUTING -j MARK --set-mark 0x5'], ['4 mark-never-tested']),
      mangle(
        'a mark that is saved',
        ['-A PREROUTING -j MARK --set-mark 0x5', '-A PREROUTING -j CONNMARK --save-mark'],
        [],
      ),
      mangle('a mark that is cleared', ['-A PREROUTING -j MARK --set-xmark 0x0/0x5'], []),
      mangle(
        'a connection mark that nothing tests',
        ['-A PREROUTING -j CONNMARK --set-mark 0x5'],
        ['4 mark-never-tested'],
      ),
      filter(
        'a set that may be there',
        ['-A INPUT -m set --match-set pods src -j DROP'],
        ['4 external-object'],
      ),
      filter('a set that is', ['-A INPUT -m set --match-set pods src -j DROP'], [], { sets: true }),
      filter('a set that is not', ['-A INPUT -m set --match-set nosuch src -j DROP'], ['4 unknown-set'], {
        sets: true,
      }),
      filter(
        'a set of the other family',
        ['-A INPUT -m set --match-set six src -j DROP'],
        ['4 unknown-set'],
        { sets: true },
      ),
      filter('too few directions', ['-A INPUT -m set --match-set svc dst -j DROP'], ['4 set-dimension'], {
        sets: true,
      }),
      mangle('a set to add to', ['-A PREROUTING -j SET --add-set nosuch src'], ['4 unknown-set'], {
        sets: true,
      }),
      filter('a counter', ['-A INPUT -m nfacct --nfacct-name x -j DROP'], ['4 external-object']),
      {
        label: 'rules of the other back end',
        text: '*filter\nCOMMIT\n# Warning: iptables-legacy tables present, use iptables-legacy-save to see them\n',
        found: ['3 both-back-ends'],
      },
    ],
  },
];
