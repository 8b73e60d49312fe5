import { describe, expect, it } from 'vitest';
import {
  netlinkAttribute,
  netlinkAttributes,
  netlinkErrno,
  netlinkMessage,
  netlinkMessages,
} from '../../../src/cli/kernel/netlink.ts';

describe('netlink', () => {
  it('pads attributes to four bytes and counts them without padding', () => {
    expect([...netlinkAttribute(9, Uint8Array.of(1, 2, 3, 4, 5))]).toEqual([
      9, 0, 9, 0, 1, 2, 3, 4, 5, 0, 0, 0,
    ]);
  });

  it('attributes survive, nesting and byte-order flags cut off', () => {
    const bytes = Buffer.concat([
      netlinkAttribute(1, Uint8Array.of(7)),
      netlinkAttribute(0x8000 | 2, new Uint8Array(0)),
      netlinkAttribute(0x4000 | 3, Uint8Array.of(1, 2, 3, 4)),
    ]);
    expect(new Map([...netlinkAttributes(bytes)].map(([type, data]) => [type, [...data]]))).toEqual(
      new Map([
        [1, [7]],
        [2, []],
        [3, [1, 2, 3, 4]],
      ]),
    );
  });

  it('several messages in one datagram are told apart', () => {
    // The padding between messages belongs to neither.
    const first = netlinkMessage(0x401, 5, Uint8Array.of(1, 2, 3));
    const datagram = Buffer.concat([first, Buffer.alloc(1), netlinkMessage(0x402, 0, Uint8Array.of(9))]);
    expect(netlinkMessages(datagram).map(({ type, payload }) => [type, [...payload]])).toEqual([
      [0x401, [1, 2, 3]],
      [0x402, [9]],
    ]);
  });

  it('a message that claims more than there is ends the reading', () => {
    const cut = netlinkMessage(0x401, 0, new Uint8Array(20)).subarray(0, 24);
    expect(netlinkMessages(cut)).toEqual([]);
  });

  it('an acknowledgement carries an errno, other messages none', () => {
    const payload = Buffer.alloc(20);
    payload.writeInt32LE(-22);
    const [refused] = netlinkMessages(netlinkMessage(2, 0, payload));
    const [done] = netlinkMessages(netlinkMessage(2, 0, Buffer.alloc(20)));
    const [other] = netlinkMessages(netlinkMessage(0x400, 0, payload));
    expect([refused, done, other].map((message) => message && netlinkErrno(message))).toEqual([
      22,
      0,
      undefined,
    ]);
  });
});
