/** When connections are tracked at all, and the life of an entry. */
import { describe } from 'vitest';
import { situations } from './situation.ts';

const udp = 'e1 udp C:1 > S:2';
const entry = ['C:1 > S:2 | S:2 > C:1 UNREPLIED 30'];
const tracked = (what: string, rules: string) => ({
  name: `${what}: tracked`,
  rules,
  steps: [{ packet: udp, entries: entry }],
});
const untracked = (what: string, rules: string) => ({
  name: `${what}: not tracked`,
  rules,
  steps: [{ packet: udp, fate: 'forwarded e2 udp C:1 > S:2 ttl=63', entries: [] }],
});

describe('conntrack is on', () => {
  situations([
    untracked('no rules', ''),
    untracked('an empty nat table', '*nat\n:PREROUTING ACCEPT'),
    untracked('nat rules that translate nothing', '*nat\n-A PREROUTING -j ACCEPT\n-A POSTROUTING -j RETURN'),
    untracked('a nat policy of DROP', '*nat\n:PREROUTING DROP'),
    untracked('--notrack alone', '*raw\n-A PREROUTING -j CT --notrack'),
    tracked('-m state that never matches', '*filter\n-A INPUT -s 1.2.3.4 -m state --state NEW -j DROP'),
    tracked('-m conntrack', '*filter\n-A INPUT -m conntrack --ctstate NEW -j DROP'),
    tracked('-m connmark', '*filter\n-A INPUT -m connmark --mark 1 -j DROP'),
    tracked('CONNMARK', '*mangle\n-A INPUT -j CONNMARK --save-mark'),
    tracked('DNAT elsewhere', '*nat\n-A PREROUTING -p udp -d 1.2.3.4 -j DNAT --to-destination 1.2.3.5'),
    tracked('MASQUERADE elsewhere', '*nat\n-A POSTROUTING -o e3 -j MASQUERADE'),
  ]);
});

describe('an entry', () => {
  const on = '-A INPUT -m conntrack --ctstate INVALID -j DROP';
  const dropped = (table: string, chain: string) => ({
    name: `does not come to be when ${table} ${chain} drops the packet`,
    rules: `*filter\n${on}\n${table === 'filter' ? '' : `*${table}\n`}-A ${chain} -p udp -j DROP`,
    steps: [
      { packet: udp, fate: 'dropped rule', state: 'NEW', entries: [] },
      { packet: udp, state: 'NEW', entries: [] },
    ],
  });
  situations([
    dropped('mangle', 'PREROUTING'),
    dropped('filter', 'FORWARD'),
    dropped('mangle', 'POSTROUTING'),
    {
      name: 'of a local flow stays when INPUT drops it',
      rules: '*filter\n-A INPUT -m conntrack --ctstate NEW -j DROP',
      steps: [
        {
          packet: 'local udp O1:1 > O2:2',
          fate: 'dropped rule',
          entries: ['O1:1 > O2:2 | O2:2 > O1:1 UNREPLIED 30'],
        },
      ],
    },
    {
      name: 'learns from a reply that a later rule drops',
      rules: '*filter\n-A FORWARD -m conntrack --ctdir REPLY -j DROP',
      steps: [
        { packet: udp },
        { packet: 'e2 udp S:2 > C:1', fate: 'dropped rule' },
        { packet: udp, state: 'ESTABLISHED' },
      ],
    },
    {
      name: 'untracked packets have none',
      rules:
        '*raw\n-A PREROUTING -p udp -j CT --notrack\n*filter\n-A FORWARD -m conntrack --ctstate UNTRACKED -j DROP',
      steps: [{ packet: udp, fate: 'dropped rule', entries: [] }],
    },
    {
      name: 'ctstate in raw is INVALID; without an entry negated tests fail, but for the state',
      rules: `*raw
-A PREROUTING -m conntrack --ctstate INVALID
-A PREROUTING -m conntrack ! --ctstate NEW
-A PREROUTING -m conntrack ! --ctorigdst 1.2.3.4
-A PREROUTING -m conntrack --ctdir ORIGINAL`,
      steps: [{ packet: udp, matched: ['raw PREROUTING 1', 'raw PREROUTING 2'] }],
    },
    {
      name: 'in a zone of its own is another flow',
      rules: '*raw\n-A PREROUTING -i e1 -j CT --zone 5',
      steps: [
        { packet: udp, state: 'NEW' },
        { packet: 'e2 udp S:2 > C:1', state: 'NEW' },
      ],
    },
    {
      name: 'a full table drops new flows and keeps old ones',
      rules: '*filter\n-A FORWARD -m conntrack --ctstate NEW',
      host: 'interfaces:\n- {name: e1, addresses: [10.0.1.1/24]}\n- {name: e2, addresses: [10.0.2.1/24]}\nconntrackMax: 1\n',
      steps: [
        { packet: udp },
        { packet: 'e2 udp S:2 > C:1' },
        { packet: udp, wait: 2.5 },
        { packet: 'e1 udp C:9 > S:9', fate: 'dropped conntrack-full' },
        { packet: udp, fate: 'forwarded e2 udp C:1 > S:2 ttl=63' },
      ],
    },
    {
      name: 'that is not ASSURED makes way',
      rules: '*filter\n-A FORWARD -m conntrack --ctstate NEW',
      host: 'interfaces:\n- {name: e1, addresses: [10.0.1.1/24]}\n- {name: e2, addresses: [10.0.2.1/24]}\nconntrackMax: 1\n',
      steps: [
        { packet: udp },
        { packet: 'e1 udp C:9 > S:9', entries: ['C:9 > S:9 | S:9 > C:9 UNREPLIED 30'] },
      ],
    },
  ]);
});
