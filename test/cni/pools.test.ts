import { IPv6, IPv6CidrRange } from 'ip-num';
import { Netmask } from 'netmask';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/sim/random.ts';
import { AddressPool } from '../../src/wire/address-pool.ts';
import { formatIpAddress, parseIpAddress } from '../../src/wire/ip-address.ts';
import { parseIpPrefix } from '../../src/wire/ip-prefix.ts';
import { NumberPool } from '../../src/wire/number-pool.ts';

describe('NumberPool', () => {
  it('hands out the lowest free number', () => {
    const pool = new NumberPool(5, 8);
    expect([pool.allocate(), pool.allocate()]).toEqual([5, 6]);
    expect(pool.reserve(7)).toBe(true);
    expect(pool.reserve(7)).toBe(false);
    expect([pool.allocate(), pool.allocate()]).toEqual([8, undefined]);
    pool.release(6);
    expect([pool.allocate(), pool.allocate()]).toEqual([6, undefined]);
    expect(pool.used).toBe(4);
  });

  it('goes on at the first after the last', () => {
    const pool = new NumberPool(0, 9);
    expect([pool.allocate(8), pool.allocate(8), pool.allocate(8)]).toEqual([8, 9, 0]);
    expect(pool.allocate(99)).toBe(1);
  });

  it.each([-1, 4, 9, 1e9])('refuses %d, which is outside', (number) => {
    const pool = new NumberPool(5, 8);
    expect(pool.reserve(number)).toBe(false);
    expect(pool.used).toBe(0);
  });

  it('does what a set of numbers does, at random', () => {
    const seed = 71;
    const random = new Random(seed);
    for (let round = 0; round < 60; round++) {
      const first = random.below(100);
      const last = first + random.below(140);
      const pool = new NumberPool(first, last);
      const model = new Set<number>();
      for (let step = 0; step < 300; step++) {
        const number = random.below(260);
        const context = { seed, round, step };
        switch (random.below(4)) {
          case 0: {
            const fits = number >= first && number <= last && !model.has(number);
            expect({ ...context, reserved: pool.reserve(number) }).toEqual({ ...context, reserved: fits });
            if (fits) model.add(number);
            break;
          }
          case 1:
            pool.release(number);
            model.delete(number);
            break;
          default: {
            const range = Array.from({ length: last - first + 1 }, (_, i) => first + i).filter(
              (n) => !model.has(n),
            );
            const expected = range.find((n) => n >= number) ?? range[0];
            expect({ ...context, allocated: pool.allocate(number) }).toEqual({
              ...context,
              allocated: expected,
            });
            if (expected !== undefined) model.add(expected);
          }
        }
        expect(pool.used).toBe(model.size);
      }
    }
  });
});

describe('AddressPool', () => {
  it.each(['192.0.2.0/24', '10.0.0.0/29', '172.16.128.0/17', '198.51.100.4/31', '203.0.113.9/32'])(
    'walks the addresses of %s as netmask counts them',
    (text) => {
      const block = new Netmask(text);
      const pool = new AddressPool(parseIpPrefix(text));
      expect(pool.lastOffset + 1).toBe(block.size);
      const count = Math.min(block.size, 600);
      const addresses = Array.from({ length: count }, () => pool.allocate());
      expect(addresses.map((address) => address !== undefined && formatIpAddress(address))).toEqual(
        Array.from({ length: count }, (_, i) => formatIpAddress(Number(parseIpAddress(block.base)) + i)),
      );
      if (count === block.size) expect(pool.allocate()).toBeUndefined();
    },
  );

  it.each(['fd00:10:244:1::/64', '2001:db8::ffff:fffe:0/112', '2001:db8::7/128'])(
    'walks the addresses of %s as ip-num counts them',
    (text) => {
      const range = IPv6CidrRange.fromCidr(text);
      const size = range.getSize();
      const pool = new AddressPool(parseIpPrefix(text));
      const count = size < 300n ? Number(size) : 300;
      for (let i = 0; i < count; i++) {
        const address = pool.allocate();
        const expected = parseIpAddress(IPv6.fromBigInt(range.getFirst().getValue() + BigInt(i)).toString());
        expect(address === undefined ? undefined : formatIpAddress(address)).toBe(formatIpAddress(expected));
      }
      if (size < 300n) expect(pool.allocate()).toBeUndefined();
    },
  );

  it('takes an address once, and only its own', () => {
    const pool = new AddressPool(parseIpPrefix('10.244.1.0/24'), 1, 254);
    const reserve = (text: string) => pool.reserve(parseIpAddress(text));
    expect(reserve('10.244.1.1')).toBe(true);
    expect(reserve('10.244.1.1')).toBe(false);
    expect(reserve('10.244.1.0')).toBe(false);
    expect(reserve('10.244.1.255')).toBe(false);
    expect(reserve('10.244.2.1')).toBe(false);
    expect(reserve('fd00::1')).toBe(false);
    expect(pool.has(parseIpAddress('10.244.1.1'))).toBe(true);
    expect(pool.allocate()).toBe(parseIpAddress('10.244.1.2'));
    pool.release(parseIpAddress('10.244.1.1'));
    expect(pool.allocate()).toBe(parseIpAddress('10.244.1.1'));
  });

  it('remembers addresses anywhere in a /64', () => {
    const pool = new AddressPool(parseIpPrefix('fd00::/64'));
    const far = parseIpAddress('fd00::8000:0:0:1');
    expect(pool.reserve(far)).toBe(true);
    expect(pool.reserve(far)).toBe(false);
    expect(pool.has(far)).toBe(true);
    pool.release(far);
    expect(pool.has(far)).toBe(false);
    expect(pool.reserve(parseIpAddress('fd00::ffff:ffff'))).toBe(true);
    expect(pool.reserve(parseIpAddress('fd00:0:0:1::1'))).toBe(false);
  });
});
