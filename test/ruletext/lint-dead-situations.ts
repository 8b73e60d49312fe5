/** Rules that no packet comes to, or that no packet can match; and rules that only look like it. */
import { filter, mangle, nat, type Situations } from './lint-situation.ts';

export const DEAD_SITUATIONS: readonly Situations[] = [
  {
    about: 'rules behind one that takes everything',
    situations: [
      filter('after ACCEPT', ['-A INPUT -j ACCEPT', '-A INPUT -s 10.0.0.1 -j DROP'], ['5 unreachable-rule']),
      filter(
        'one finding for all that follow',
        ['-A INPUT -j DROP', '-A INPUT -j LOG', '-A INPUT -j ACCEPT'],
        ['5 unreachable-rule'],
      ),
      filter(
        'after a comment and REJECT',
        ['-A INPUT -m comment --comment x -j REJECT', '-A INPUT -j LOG'],
        ['5 unreachable-rule'],
      ),
      filter('after RETURN', ['-A INPUT -j U', '-A U -j RETURN', '-A U -j DROP'], ['6 unreachable-rule']),
      filter('after a goto', ['-A INPUT -g U', '-A INPUT -j DROP', '-A U -j LOG'], ['5 unreachable-rule']),
      filter(
        'after a jump that never comes back',
        ['-A INPUT -j U', '-A INPUT -j LOG', '-A U -s 10.0.0.1 -j ACCEPT', '-A U -j DROP'],
        ['5 unreachable-rule'],
      ),
      filter(
        'after a jump two chains deep',
        ['-A INPUT -j U', '-A INPUT -j LOG', '-A U -j V', '-A V -j DROP'],
        ['5 unreachable-rule'],
      ),
      filter(
        'not after a jump that may come back',
        ['-A INPUT -j U', '-A INPUT -j LOG', '-A U -s 10.0.0.1 -j RETURN', '-A U -j DROP'],
        [],
      ),
      filter(
        'nor by way of a goto that may',
        ['-A INPUT -j U', '-A INPUT -j LOG', '-A U -g V', '-A V -s 10.0.0.1 -j DROP'],
        [],
      ),
      filter('not after a rule with a match', ['-A INPUT -i lo -j ACCEPT', '-A INPUT -j LOG'], []),
      filter('not after LOG', ['-A INPUT -j LOG', '-A INPUT -j DROP'], []),
      nat(
        'after MASQUERADE',
        ['-A POSTROUTING -j MASQUERADE', '-A POSTROUTING -s 10.0.0.1 -j ACCEPT'],
        ['5 unreachable-rule'],
      ),
      filter(
        'not after NFQUEUE with conditions',
        ['-A INPUT -p tcp -j NFQUEUE --queue-num 1', '-A INPUT -j DROP'],
        [],
      ),
      filter(
        'after a probability of one',
        ['-A INPUT -m statistic --mode random --probability 1 -j DROP', '-A INPUT -j LOG'],
        ['5 unreachable-rule'],
      ),
    ],
  },
  {
    about: 'rules that an earlier one leaves nothing to',
    situations: [
      filter(
        'a network and an address in it',
        ['-A INPUT -s 10.0.0.0/8 -j DROP', '-A INPUT -s 10.1.2.3 -j ACCEPT'],
        ['5 shadowed-rule'],
      ),
      filter(
        'a port range and a port in it',
        ['-A INPUT -p tcp --dport 1:1024 -j DROP', '-A INPUT -s 10.0.0.1 -p tcp --dport 80 -j ACCEPT'],
        ['5 shadowed-rule'],
      ),
      filter(
        'RETURN shadows too',
        ['-A INPUT -j U', '-A U -p udp -j RETURN', '-A U -p udp --dport 53 -j DROP', '-A U -j LOG'],
        ['6 shadowed-rule'],
      ),
      filter(
        'a jump that never comes back',
        ['-A INPUT -i eth+ -j U', '-A INPUT -i eth0 -j ACCEPT', '-A U -j DROP'],
        ['5 shadowed-rule'],
      ),
      filter(
        'the same with another comment',
        [
          '-A INPUT -s 10.0.0.1 -m comment --comment a -j DROP',
          '-A INPUT -s 10.0.0.1 -m comment --comment b -j DROP',
        ],
        ['5 shadowed-rule'],
      ),
      filter(
        'a limited rule behind an unlimited one',
        ['-A INPUT -p icmp -j DROP', '-A INPUT -p icmp -m limit --limit 1/s -j ACCEPT'],
        ['5 shadowed-rule'],
      ),
      filter(
        'not an unlimited one behind a limited',
        ['-A INPUT -p icmp -m limit --limit 1/s -j ACCEPT', '-A INPUT -p icmp -j DROP'],
        [],
      ),
      filter(
        'not behind a random one',
        ['-A INPUT -p udp -m statistic --mode random --probability 0.5 -j DROP', '-A INPUT -p udp -j DROP'],
        [],
      ),
      filter(
        'not behind one that only logs',
        ['-A INPUT -s 10.0.0.0/8 -j LOG', '-A INPUT -s 10.1.2.3 -j ACCEPT'],
        [],
      ),
      filter(
        'not the wider behind the narrower',
        ['-A INPUT -s 10.1.2.3 -j ACCEPT', '-A INPUT -s 10.0.0.0/8 -j DROP'],
        [],
      ),
      filter(
        'not in another chain',
        ['-A INPUT -s 10.0.0.0/8 -j DROP', '-A FORWARD -s 10.1.2.3 -j ACCEPT'],
        [],
      ),
      mangle(
        'not when the mark changed between',
        [
          '-A FORWARD -m mark --mark 0x1 -j ACCEPT',
          '-A FORWARD -j MARK --set-mark 0x1',
          '-A FORWARD -m mark --mark 0x1 -j DROP',
        ],
        [],
      ),
      mangle(
        'not when a chain on the way may change it',
        [
          '-A FORWARD -m mark --mark 0x1 -j ACCEPT',
          '-A FORWARD -j U',
          '-A FORWARD -m mark --mark 0x1 -j DROP',
          '-A U -s 10.0.0.1 -j MARK --set-mark 0x1',
        ],
        [],
      ),
      mangle(
        'but when something else changed',
        [
          '-A FORWARD -m mark --mark 0x1 -j ACCEPT',
          '-A FORWARD -j TOS --set-tos 0x10',
          '-A FORWARD -m mark --mark 0x1 -j DROP',
        ],
        ['6 shadowed-rule'],
      ),
      mangle(
        'not behind an empty chain, which someone will fill',
        [
          '-A FORWARD -m mark --mark 0x1 -j ACCEPT',
          '-A FORWARD -j U',
          '-A FORWARD -m mark --mark 0x1 -j DROP',
        ],
        ['5 empty-chain'],
      ),
      filter(
        'not one that records what it is asked about',
        ['-A INPUT -s 10.0.0.0/8 -j ACCEPT', '-A INPUT -s 10.0.0.1 -m recent --set --name x -j DROP'],
        [],
      ),
      filter('IPv6', ['-A INPUT -s fd00::/8 -j DROP', '-A INPUT -s fd00::1 -j ACCEPT'], ['5 shadowed-rule'], {
        family: 'ipv6',
      }),
    ],
  },
  {
    about: 'the same rule twice',
    situations: [
      filter('a jump', ['-A INPUT -j U', '-A INPUT -j U', '-A U -s 10.0.0.1 -j DROP'], ['5 duplicate-rule']),
      filter(
        'a verdict',
        ['-A INPUT -s 10.0.0.1 -j DROP', '-A INPUT -s 10.0.0.2 -j DROP', '-A INPUT -s 10.0.0.1 -j DROP'],
        ['6 duplicate-rule'],
      ),
      filter(
        'not a random one',
        [
          '-A INPUT -m statistic --mode random --probability 0.5 -j DROP',
          '-A INPUT -m statistic --mode random --probability 0.5 -j DROP',
        ],
        [],
      ),
      mangle(
        'not one that turns a mark over',
        [
          '-A FORWARD -j MARK --xor-mark 0x1',
          '-A FORWARD -j MARK --xor-mark 0x1',
          '-A FORWARD -m mark --mark 0x1 -j DROP',
        ],
        [],
      ),
      mangle(
        'not when its mark was changed between',
        [
          '-A FORWARD -j MARK --set-mark 0x1',
          '-A FORWARD -j MARK --set-mark 0x2',
          '-A FORWARD -j MARK --set-mark 0x1',
          '-A FORWARD -m mark --mark 0x1 -j DROP',
        ],
        [],
      ),
      filter(
        'not in different chains',
        ['-A INPUT -s 10.0.0.1 -j DROP', '-A FORWARD -s 10.0.0.1 -j DROP'],
        [],
      ),
    ],
  },
  {
    about: 'rules that cannot match',
    situations: [
      filter(
        'a mark with bits outside its mask',
        ['-A INPUT -m mark --mark 0x4/0x3 -j DROP'],
        ['4 never-matches'],
      ),
      filter(
        'flags that are not looked at',
        ['-A INPUT -p tcp --tcp-flags SYN ACK -j DROP'],
        ['4 never-matches'],
      ),
      filter(
        'a probability of nothing',
        ['-A INPUT -m statistic --mode random --probability 0 -j DROP'],
        ['4 never-matches'],
      ),
      filter(
        'two states at once',
        ['-A INPUT -m state --state NEW -m state --state ESTABLISHED -j DROP'],
        ['4 never-matches'],
      ),
      filter(
        'an address outside the range',
        ['-A INPUT -s 10.0.0.1 -m iprange --src-range 10.0.1.0-10.0.2.0 -j DROP'],
        ['4 never-matches'],
      ),
      filter(
        'a mark and not that mark',
        ['-A INPUT -m mark --mark 0x1 -m mark ! --mark 0x1/0x1 -j DROP'],
        ['4 never-matches'],
      ),
      filter(
        'several marks to be avoided',
        ['-A INPUT -m mark ! --mark 0x1 -m mark ! --mark 0x2 -j DROP'],
        [],
      ),
      filter(
        'an address within the range',
        ['-A INPUT -s 10.0.1.1 -m iprange --src-range 10.0.1.0-10.0.2.0 -j DROP'],
        [],
      ),
    ],
  },
];
