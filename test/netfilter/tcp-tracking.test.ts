/** The TCP tracker: states, ctstates, timeouts, windows (nf_conntrack_proto_tcp.c). */
import { describe } from 'vitest';
import { type Situation, type Step, situations } from './situation.ts';

const rules = '*filter\n-A FORWARD -m conntrack --ctstate NEW -j ACCEPT';
const c = (rest: string, more: Omit<Step, 'packet'> = {}): Step => ({
  packet: `e1 tcp C:1 > S:80 ${rest}`,
  ...more,
});
const s = (rest: string, more: Omit<Step, 'packet'> = {}): Step => ({
  packet: `e2 tcp S:80 > C:1 ${rest}`,
  ...more,
});
const flow = (words: string) => [`C:1 > S:80 | S:80 > C:1 ${words}`];
const handshake: Step[] = [
  c('S seq=1000 window=1000'),
  s('SA seq=5000 ack=1001 window=3000'),
  c('A seq=1001 ack=5001 window=1000'),
];
const after = (name: string, ...steps: Step[]): Situation => ({
  name,
  rules,
  steps: [...handshake, ...steps],
});
const first = (flags: string, state: string, words?: string): Situation => ({
  name: `first packet ${flags}`,
  rules,
  steps: [c(`${flags} seq=1`, { state, entries: words === undefined ? [] : flow(words) })],
});

describe('the first packet of a flow', () => {
  situations([
    first('S', 'NEW', 'SYN_SENT UNREPLIED 120'),
    first('SU', 'NEW', 'SYN_SENT UNREPLIED 120'),
    first('SPEC', 'NEW', 'SYN_SENT UNREPLIED 120'),
    first('A', 'NEW', 'ESTABLISHED UNREPLIED 300'),
    first('SA', 'INVALID'),
    first('R', 'INVALID'),
    first('RA', 'INVALID'),
    first('F', 'INVALID'),
    first('FA', 'INVALID'),
    first('P', 'INVALID'),
    first('SF', 'INVALID'),
    first('SR', 'INVALID'),
    first('FPU', 'INVALID'),
    first('FSRPAU', 'INVALID'),
    {
      name: 'tcp_loose=0 picks nothing up',
      rules,
      host: 'interfaces:\n- {name: e1, addresses: [10.0.1.1/24]}\n- {name: e2, addresses: [10.0.2.1/24]}\ntcpLoose: 0\n',
      steps: [c('A seq=1', { state: 'INVALID', entries: [] })],
    },
  ]);
});

describe('SYN_SENT', () => {
  const syn = c('S seq=1000');
  const from = (name: string, ...steps: Step[]): Situation => ({ name, rules, steps: [syn, ...steps] });
  situations([
    from(
      'a repeated SYN stays NEW and does not renew the timeout',
      c('S seq=7', { wait: 20, state: 'NEW', entries: flow('SYN_SENT UNREPLIED 100') }),
    ),
    from('ACK of the client is INVALID', c('A seq=1001 ack=1', { state: 'INVALID' })),
    from(
      'SYN/ACK with the right number',
      s('SA seq=5 ack=1001', { state: 'ESTABLISHED', entries: flow('SYN_RECV 60') }),
    ),
    from(
      'plain ACK of the server changes no state',
      s('A seq=5 ack=9', { state: 'ESTABLISHED', entries: flow('SYN_SENT 120') }),
    ),
    from('FIN of the server is INVALID', s('FA seq=5 ack=1001', { state: 'INVALID' })),
    from(
      'RST/ACK with the right number deletes',
      s('RA seq=0 ack=1001', { state: 'ESTABLISHED', entries: [] }),
    ),
    from('RST/ACK of more than was sent is INVALID', s('RA seq=0 ack=5000', { state: 'INVALID' })),
    from('RST of the client deletes', c('R seq=1001', { state: 'NEW', entries: [] })),
    from(
      'simultaneous open',
      s('S seq=9', { state: 'ESTABLISHED', entries: flow('SYN_SENT2 120') }),
      c('SA seq=1000 ack=10', { state: 'ESTABLISHED', entries: flow('SYN_RECV 60') }),
      s('A seq=10 ack=1001', { state: 'ESTABLISHED', entries: flow('ESTABLISHED ASSURED 432000') }),
    ),
    from(
      'RST of the client after a SYN/ACK far below is out of window, one of the server is believed',
      s('SA seq=5000 ack=4294898297 window=3000', { entries: flow('SYN_SENT 120') }),
      c('R seq=4294898297', { state: 'ESTABLISHED', entries: flow('SYN_SENT 120') }),
      s('R seq=900000', { entries: flow('CLOSE 10') }),
    ),
    from('RST/ACK of an old number deletes', s('RA seq=0 ack=7', { state: 'ESTABLISHED', entries: [] })),
  ]);
});

describe('an established flow', () => {
  situations([
    after('is ASSURED', c('A seq=1001 ack=5001', { entries: flow('ESTABLISHED ASSURED 432000') })),
    after(
      'unacknowledged data shorten the timeout until the ACK',
      c('PA seq=1001 ack=5001 payload=abc window=1000', { entries: flow('ESTABLISHED ASSURED 300') }),
      s('A seq=5001 ack=1004 window=3000', { entries: flow('ESTABLISHED ASSURED 432000') }),
    ),
    after(
      'SYN of the client is ignored',
      c('S seq=9', { state: 'ESTABLISHED', entries: flow('ESTABLISHED ASSURED 432000') }),
    ),
    after('SYN of the server is INVALID', s('S seq=9', { state: 'INVALID' })),
    after('no flags at all are INVALID', c('P seq=1001', { state: 'INVALID' })),
    after(
      'closes in order',
      c('FA seq=1001 ack=5001 window=1000', { entries: flow('FIN_WAIT ASSURED 120') }),
      s('A seq=5001 ack=1002 window=3000', { entries: flow('CLOSE_WAIT ASSURED 60') }),
      s('FA seq=5001 ack=1002 window=3000', { entries: flow('LAST_ACK ASSURED 30') }),
      c('A seq=1002 ack=5002 window=1000', { entries: flow('TIME_WAIT ASSURED 120') }),
      c('S seq=1', { state: 'NEW', entries: flow('SYN_SENT UNREPLIED 120') }),
    ),
    after(
      'RST with the exact number closes',
      c('R seq=1001', { state: 'ESTABLISHED', entries: flow('CLOSE ASSURED 10') }),
      c('S seq=9', { state: 'NEW', entries: flow('SYN_SENT UNREPLIED 120') }),
    ),
    after(
      'RST in the window but not exact keeps the state',
      c('R seq=1002', { state: 'ESTABLISHED', entries: flow('ESTABLISHED ASSURED 10') }),
    ),
    after(
      'RST below the window is INVALID',
      c('R seq=1000', { state: 'INVALID', entries: flow('ESTABLISHED ASSURED 432000') }),
    ),
  ]);
});

describe('the window', () => {
  // Client window 1000, server window 3000: the client may send up to 4001, plus as much again by mistake.
  const data = (seq: number, state: string) =>
    after(`client data at ${seq} are ${state}`, c(`A seq=${seq} ack=5001 payload=x window=1000`, { state }));
  const reply = (seq: number, state: string) =>
    after(`server data at ${seq} are ${state}`, s(`A seq=${seq} ack=1001 payload=x window=3000`, { state }));
  situations([
    data(4001, 'ESTABLISHED'),
    data(6999, 'ESTABLISHED'),
    data(7000, 'INVALID'),
    data(500, 'ESTABLISHED'),
    reply(6998, 'ESTABLISHED'),
    reply(7000, 'INVALID'),
    after('ACK of all that was sent', c('A seq=1001 ack=5001 window=1000', { state: 'ESTABLISHED' })),
    after('ACK of more than was sent', c('A seq=1001 ack=5002 window=1000', { state: 'INVALID' })),
    after('an old ACK is never INVALID', c('A seq=1001 ack=100 window=1000', { state: 'ESTABLISHED' })),
  ]);
});
