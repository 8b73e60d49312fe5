import { describe, expect, it } from 'vitest';
import { parseConntrackLine, parseConntrackList } from '../../../src/cli/kernel/conntrack-list.ts';
import { describeListed } from '../../../src/cli/kernel/describe-packet.ts';
import { formatIpAddress } from '../../../src/wire/ip-address.ts';

/** Lines that conntrack 1.4.7 printed, and what they say. */
const LINES: readonly [string, string, string][] = [
  [
    'TCP, established and assured',
    'tcp      6 431999 ESTABLISHED src=10.0.1.9 dst=10.9.9.9 sport=40000 dport=80 src=10.0.2.9 dst=10.0.2.1 sport=8080 dport=40000 [ASSURED] mark=16384 use=1',
    'tcp ESTABLISHED 10.0.1.9:40000 > 10.9.9.9:80 | 10.0.2.9:8080 > 10.0.2.1:40000 [ASSURED] mark=16384',
  ],
  [
    'UDP without an answer',
    'udp      17 29 src=10.0.1.9 dst=10.9.9.9 sport=4444 dport=53 [UNREPLIED] src=10.0.2.9 dst=10.0.2.1 sport=5353 dport=3939 mark=0 use=1',
    'udp 10.0.1.9:4444 > 10.9.9.9:53 | 10.0.2.9:5353 > 10.0.2.1:3939 [UNREPLIED]',
  ],
  [
    'an echo: the id is the source port, type and code the other',
    'icmp     1 29 src=10.0.1.9 dst=10.0.1.1 type=8 code=5 id=7 src=10.0.1.1 dst=10.0.1.9 type=0 code=5 id=7 mark=0 use=1',
    'icmp 10.0.1.9:7 > 10.0.1.1:2053 | 10.0.1.1:7 > 10.0.1.9:5',
  ],
  [
    'a protocol without ports',
    'unknown  50 599 src=10.0.1.9 dst=10.0.2.9 [UNREPLIED] src=10.0.2.9 dst=10.0.1.9 mark=0 use=1',
    'esp 10.0.1.9:0 > 10.0.2.9:0 | 10.0.2.9:0 > 10.0.1.9:0 [UNREPLIED]',
  ],
  [
    'IPv6, in a zone',
    'udp      17 28 src=fd00:1::9 dst=fd00:2::9 sport=1 dport=53 [UNREPLIED] src=fd00:2::9 dst=fd00:1::9 sport=53 dport=1 mark=0 zone=5 use=1',
    'udp [fd00:1::9]:1 > [fd00:2::9]:53 | [fd00:2::9]:53 > [fd00:1::9]:1 [UNREPLIED] zone=5',
  ],
];

describe('a line of conntrack -L', () => {
  it.each(LINES)('%s', (_, line, expected) => {
    expect(describeListed(parseConntrackLine(line)).text).toBe(expected);
  });

  it('has its seconds and its state', () => {
    const entry = parseConntrackLine(LINES[0]?.[1] ?? '');
    expect(entry).toMatchObject({ timeout: 431999, state: 'ESTABLISHED', seenReply: true, assured: true });
    expect(formatIpAddress(entry.reply.dst)).toBe('10.0.2.1');
  });

  it.each(['', 'nonsense', 'tcp 6', 'udp 17 29 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2'])(
    "'%s' is refused",
    (line) => {
      expect(() => parseConntrackLine(line)).toThrow('conntrack printed');
    },
  );

  it('empty lines are none', () => {
    expect(parseConntrackList('\n\n')).toEqual([]);
    expect(parseConntrackList(`${LINES[0]?.[1]}\n${LINES[1]?.[1]}\n`)).toHaveLength(2);
  });
});
