/** `-j TCPMSS` on SYNs with and without options. */
import { describe, expect, it } from 'vitest';
import { limitMss } from '../../src/netfilter/tcp-mss.ts';
import type { IpFamily } from '../../src/wire/ip-address.ts';
import type { TcpSegment } from '../../src/wire/packet.ts';
import { TCP_FLAG } from '../../src/wire/protocol.ts';

interface Situation {
  readonly name: string;
  readonly options: readonly number[];
  readonly mss: number;
  readonly family?: IpFamily;
  readonly data?: number;
  readonly becomes: readonly number[];
}

const SITUATIONS: readonly Situation[] = [
  { name: 'a larger one is lowered', options: [2, 4, 5, 180], mss: 1360, becomes: [2, 4, 5, 80] },
  { name: 'a smaller one is never raised', options: [2, 4, 2, 0], mss: 1360, becomes: [2, 4, 2, 0] },
  {
    name: 'it is found behind others',
    options: [1, 1, 4, 2, 2, 4, 5, 180],
    mss: 500,
    becomes: [1, 1, 4, 2, 2, 4, 1, 244],
  },
  { name: 'without one 536 is announced at most', options: [], mss: 1360, becomes: [2, 4, 2, 24] },
  { name: 'in IPv6 1220', options: [], mss: 1360, family: 'ipv6', becomes: [2, 4, 4, 196] },
  { name: 'it comes first', options: [1, 3, 3, 7], mss: 100, becomes: [2, 4, 0, 100, 1, 3, 3, 7] },
  { name: 'not in front of data', options: [], mss: 100, data: 1, becomes: [] },
  { name: 'not where no room is left', options: Array(40).fill(1), mss: 100, becomes: Array(40).fill(1) },
  { name: 'one of a wrong length is none', options: [2, 3, 5, 1], mss: 9, becomes: [2, 4, 0, 9, 2, 3, 5, 1] },
];

describe('the maximum segment size of a SYN', () => {
  it.each(SITUATIONS)('$name', ({ options, mss, family = 'ipv4', data = 0, becomes }) => {
    const segment: TcpSegment = {
      kind: 'tcp',
      sport: 1,
      dport: 2,
      seq: 0,
      ack: 0,
      flags: TCP_FLAG.SYN,
      window: 1,
      options: Uint8Array.from(options),
      data: new Uint8Array(data),
    };
    expect([...limitMss(segment, mss, family).options]).toEqual(becomes);
  });
});
