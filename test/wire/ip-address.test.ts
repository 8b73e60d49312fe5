import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AddressError,
  addToAddress,
  compareAddress,
  formatIpAddress,
  parseIpAddress,
  sameAddress,
  tryParseIpAddress,
} from '../../src/wire/ip-address.ts';
import { arbitraryIpv6 } from './arbitrary-packet.ts';
import { checkProperty } from './property.ts';

describe('canonical text (RFC 5952)', () => {
  const cases: readonly [string, string, string][] = [
    ['1: one address', '2001:0db8:0000:0000:0001:0000:0000:0001', '2001:db8::1:0:0:1'],
    ['4.1: no leading zeros', '2001:0db8::0001', '2001:db8::1'],
    ['4.1: one zero stays', '2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['4.2.1: as short as possible', '2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['4.2.2: one group is not shortened', '2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['4.2.3: the longest run', '2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['4.2.3: the first of equal runs', '2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['4.3: lower case', '2001:DB8::ABCD', '2001:db8::abcd'],
    ['5: IPv4-mapped keeps its dots', '::ffff:c000:201', '::ffff:192.0.2.1'],
    ['all zero', '0:0:0:0:0:0:0:0', '::'],
    ['loopback', '0:0:0:0:0:0:0:1', '::1'],
    ['a run at the end', 'fe80:0:0:0:0:0:0:0', 'fe80::'],
    ['seven groups before a zero', '1:2:3:4:5:6:7:0', '1:2:3:4:5:6:7:0'],
    ['a dotted tail elsewhere', '64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['IPv4', '10.0.0.1', '10.0.0.1'],
    ['the highest IPv4', '255.255.255.255', '255.255.255.255'],
  ];
  it.each(cases)('%s', (_, text, canonical) => {
    expect(formatIpAddress(parseIpAddress(text))).toBe(canonical);
  });
});

describe('text that is no address', () => {
  const refused = [
    '',
    '10.0.0',
    '10.0.0.0.1',
    '010.0.0.1',
    '10.0.0.256',
    '10.0.0.-1',
    ' 10.0.0.1',
    '10.0.0.1 ',
    '0x0a.0.0.1',
    '167772161',
    '10.0.0.1/24',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    ':1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:',
    '12345::',
    'g::',
    'fe80::1%eth0',
    '::1.2.3',
    '::01.2.3.4',
    '1.2.3.4::',
    '::1.2.3.4:5',
    '[::1]',
  ];
  it.each(refused)("'%s'", (text) => {
    expect(tryParseIpAddress(text)).toBeUndefined();
    expect(() => parseIpAddress(text)).toThrow(AddressError);
  });
});

describe('any address', () => {
  const arbitraryAddress = fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), arbitraryIpv6);
  it('survives format and parse', () => {
    checkProperty(
      'address text',
      fc.property(arbitraryAddress, (address) => {
        expect(parseIpAddress(formatIpAddress(address))).toEqual(address);
      }),
    );
  });

  it('with many zero groups is shortened as URLs shorten it', () => {
    const group = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 0xffff }));
    checkProperty(
      'IPv6 zero runs',
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const full = groups.map((g) => g.toString(16)).join(':');
        const text = formatIpAddress(parseIpAddress(full));
        // URLs know no dotted tail; the rest of their serialisation is that of RFC 5952.
        if (!text.includes('.')) expect(`[${text}]`).toBe(new URL(`http://[${full}]/`).hostname);
      }),
    );
  });

  it('plus one is the next one, and wraps', () => {
    expect(formatIpAddress(addToAddress(parseIpAddress('10.0.0.255'), 1))).toBe('10.0.1.0');
    expect(formatIpAddress(addToAddress(parseIpAddress('255.255.255.255'), 1))).toBe('0.0.0.0');
    expect(formatIpAddress(addToAddress(parseIpAddress('fd00::ffff:ffff'), 1))).toBe('fd00::1:0:0');
    const last = parseIpAddress('ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff');
    expect(formatIpAddress(addToAddress(last, 2))).toBe('::1');
  });

  it('is ordered: IPv4 first, then by value', () => {
    const sorted = ['0.0.0.1', '10.0.0.2', '10.0.0.10', '::', '::1', 'fd00::', 'fd00::1:0:0:0'];
    const shuffled = [...sorted].reverse().map(parseIpAddress);
    expect(shuffled.sort(compareAddress).map(formatIpAddress)).toEqual(sorted);
    expect(sameAddress(parseIpAddress('::1'), parseIpAddress('0::1'))).toBe(true);
    expect(sameAddress(parseIpAddress('::1'), parseIpAddress('0.0.0.1'))).toBe(false);
  });
});
