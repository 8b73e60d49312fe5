import { describe, expect, it } from 'vitest';
import { ETHERTYPE } from '../../src/wire/ethernet.ts';
import { ipFrame } from '../../src/wire/frame.ts';
import { parseMac } from '../../src/wire/mac.ts';
import { NO_BYTES } from '../../src/wire/packet.ts';
import { emitVxlan, parseVxlan } from '../../src/wire/vxlan.ts';

const frame = ipFrame(parseMac('02:00:00:00:00:01'), parseMac('02:00:00:00:00:02'), {
  src: 0x0a000001,
  dst: 0x0a000002,
  ttl: 64,
  tos: 0,
  id: 1,
  dontFragment: true,
  transport: { kind: 'udp', sport: 1, dport: 2, data: NO_BYTES },
});

describe('VXLAN', () => {
  it('writes flags, identifier and the frame (RFC 7348 §5)', () => {
    const bytes = emitVxlan({ id: 0x123456, frame });
    expect([...bytes.subarray(0, 8)]).toEqual([8, 0, 0, 0, 0x12, 0x34, 0x56, 0]);
    expect([...bytes.subarray(8, 20)]).toEqual([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]);
    expect((bytes[20] ?? 0) * 256 + (bytes[21] ?? 0)).toBe(ETHERTYPE.ipv4);
    expect(bytes).toHaveLength(8 + 14 + 28);
  });

  it('reads back what it wrote', () => {
    for (const id of [0, 1, 0xffffff]) expect(parseVxlan(emitVxlan({ id, frame }))).toEqual({ id, frame });
  });

  it.each([
    ['cut off', (bytes: Uint8Array) => bytes.subarray(0, 21)],
    ['no valid identifier', (bytes: Uint8Array) => bytes.with(0, 0)],
    ['a flag nobody knows', (bytes: Uint8Array) => bytes.with(0, 0x88)],
    ['reserved bits in the first word', (bytes: Uint8Array) => bytes.with(3, 1)],
    ['reserved bits behind the identifier', (bytes: Uint8Array) => bytes.with(7, 1)],
  ])('refuses a message with %s', (_, damage) => {
    expect(parseVxlan(damage(emitVxlan({ id: 1, frame })))).toBeUndefined();
  });
});
