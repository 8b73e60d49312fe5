/** UDP, ICMP, SCTP and protocols without a tracker. */
import { describe } from 'vitest';
import { situations } from './situation.ts';

const rules = '*filter\n-A FORWARD -m conntrack --ctstate NEW -j ACCEPT';
const o = 'e1 udp C:1 > S:2';
const r = 'e2 udp S:2 > C:1';
const udp = (words: string) => [`C:1 > S:2 | S:2 > C:1 ${words}`];

describe('UDP', () => {
  situations([
    {
      name: 'answers at once do not make a stream',
      rules,
      steps: [
        { packet: o, state: 'NEW', entries: udp('UNREPLIED 30') },
        { packet: o, state: 'NEW' },
        { packet: r, state: 'ESTABLISHED', entries: udp('30') },
        { packet: o, state: 'ESTABLISHED', entries: udp('30') },
        { packet: o, wait: 2.2, entries: udp('ASSURED 120') },
      ],
    },
    {
      name: 'the first reply to an old flow gives 30, the packet after it 120',
      rules,
      steps: [
        { packet: o },
        { packet: r, wait: 2.2, entries: udp('30') },
        { packet: o, entries: udp('ASSURED 120') },
      ],
    },
    { name: 'expires', rules, steps: [{ packet: o }, { packet: r, wait: 31, state: 'NEW' }] },
  ]);
});

describe('ICMP', () => {
  const flow = (type: number, id: number) => `C:${id} > S:${type << 8}`;
  situations([
    {
      name: 'echo: NEW until answered; a second code is a second flow',
      rules,
      steps: [
        { packet: 'e1 icmp 8/0 C > S icmpId=7', state: 'NEW' },
        { packet: 'e1 icmp 8/0 C > S icmpId=7', state: 'NEW' },
        { packet: 'e1 icmp 8/5 C > S icmpId=7', state: 'NEW' },
        { packet: 'e2 icmp 0/0 S > C icmpId=7', state: 'ESTABLISHED' },
        { packet: 'e1 icmp 8/0 C > S icmpId=7', state: 'ESTABLISHED' },
        { packet: 'e2 icmp 0/3 S > C icmpId=7', state: 'INVALID' },
      ],
    },
    ...[13, 15, 17].map((type) => ({
      name: `type ${type} opens a flow`,
      rules,
      steps: [
        {
          packet: `e1 icmp ${type}/0 C > S icmpId=7`,
          state: 'NEW',
          entries: [`${flow(type, 7)} | S:7 > C:${(type + 1) << 8} UNREPLIED 30`],
        },
      ],
    })),
    ...[0, 6, 9, 10, 14, 16, 18, 19, 30, 40, 42].map((type) => ({
      name: `type ${type} without a flow is INVALID`,
      rules,
      steps: [{ packet: `e1 icmp ${type}/0 C > S icmpId=7`, state: 'INVALID', entries: [] }],
    })),
    ...[3, 4, 11, 12].map((type) => ({
      name: `error ${type} about a known flow is RELATED, about another INVALID`,
      rules,
      steps: [
        { packet: o },
        { packet: `e2 icmp ${type}/0 R > C {udp C:1 > S:2}`, state: 'RELATED' },
        { packet: `e2 icmp ${type}/0 R > C {udp C:1 > S:3}`, state: 'INVALID' },
        { packet: `e2 icmp ${type}/0 R > 10.0.1.10 {udp C:1 > S:2}`, state: 'INVALID' },
      ],
    })),
  ]);
});

describe('other protocols', () => {
  situations([
    ...[4, 41, 50, 89].map((protocol) => ({
      name: `protocol ${protocol} is one flow between two addresses`,
      rules,
      steps: [
        {
          packet: `e1 ${protocol} C > S payload=abcd`,
          state: 'NEW',
          entries: ['C:0 > S:0 | S:0 > C:0 UNREPLIED 600'],
        },
        { packet: `e2 ${protocol} S > C payload=abcd`, state: 'ESTABLISHED' },
      ],
    })),
    {
      name: 'GRE has its own timeouts',
      rules,
      steps: [
        { packet: 'e1 gre C > S payload=abcdefgh', entries: ['C:0 > S:0 | S:0 > C:0 UNREPLIED 30'] },
        { packet: 'e2 gre S > C payload=abcdefgh' },
        { packet: 'e1 gre C > S payload=abcdefgh', entries: ['C:0 > S:0 | S:0 > C:0 ASSURED 180'] },
      ],
    },
    {
      name: 'SCTP: an INIT opens a flow for ten seconds',
      rules,
      steps: [
        {
          packet: 'e1 sctp C:1 > S:2',
          state: 'NEW',
          entries: ['C:1 > S:2 | S:2 > C:1 UNREPLIED 10'],
        },
        { packet: 'e1 sctp C:1 > S:2', wait: 3, entries: ['C:1 > S:2 | S:2 > C:1 UNREPLIED 7'] },
      ],
    },
  ]);
});
