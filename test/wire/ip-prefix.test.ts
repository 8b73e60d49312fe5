import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressError, formatIpAddress, parseIpAddress } from '../../src/wire/ip-address.ts';
import {
  formatIpPrefix,
  lastAddress,
  maskLength,
  parseInterfaceAddress,
  parseIpPrefix,
  prefixContains,
  prefixesOverlap,
  prefixMask,
  prefixOf,
} from '../../src/wire/ip-prefix.ts';
import { arbitraryIpv6 } from './arbitrary-packet.ts';
import { checkProperty } from './property.ts';

describe('networks', () => {
  it.each(['10.0.0.0/8', '0.0.0.0/0', '10.1.2.3/32', 'fd00::/64', '::/0', '::1/128'])('%s', (text) => {
    expect(formatIpPrefix(parseIpPrefix(text))).toBe(text);
  });

  const refused: readonly [string, string][] = [
    ['10.0.0.5/24', "'10.0.0.5/24' has host bits set; the network is 10.0.0.0/24"],
    ['fd00::1/64', "'fd00::1/64' has host bits set; the network is fd00::/64"],
    ['128.0.0.0/0', 'the network is 0.0.0.0/0'],
    ['10.0.0.0/33', 'a prefix length that is not 0 to 32'],
    ['fd00::/129', 'a prefix length that is not 0 to 128'],
    ['10.0.0.0/', 'a prefix length that is not 0 to 32'],
    ['10.0.0.0/08', 'a prefix length that is not 0 to 32'],
    ['10.0.0.0/+8', 'a prefix length that is not 0 to 32'],
    ['10.0.0.0/-1', 'a prefix length that is not 0 to 32'],
    ['10.0.0.0/8/8', 'a prefix length that is not 0 to 32'],
    ['10.0.0/8', 'is not an address with a prefix length'],
    ['/8', 'is not an address with a prefix length'],
  ];
  it.each(refused)('%s is refused', (text, message) => {
    expect(() => parseIpPrefix(text)).toThrow(message);
    expect(() => parseIpPrefix(text)).toThrow(AddressError);
  });

  it('an interface address keeps its host bits', () => {
    expect(formatIpPrefix(parseInterfaceAddress('10.0.0.5/24'))).toBe('10.0.0.5/24');
    expect(formatIpPrefix(parseInterfaceAddress('10.0.0.5'))).toBe('10.0.0.5/32');
  });

  const inside: readonly [string, string, boolean][] = [
    ['10.0.0.0/24', '10.0.0.255', true],
    ['10.0.0.0/24', '10.0.1.0', false],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['0.0.0.0/0', '::', false],
    ['::/0', '10.0.0.1', false],
    ['::/0', 'ffff::', true],
    ['fd00::/33', 'fd00:0:7fff::', true],
    ['fd00::/33', 'fd00:0:8000::', false],
    ['fd00::/127', 'fd00::1', true],
    ['fd00::/127', 'fd00::2', false],
  ];
  it.each(inside)('%s contains %s: %s', (prefix, address, expected) => {
    expect(prefixContains(parseIpPrefix(prefix), parseIpAddress(address))).toBe(expected);
  });

  it('overlap when one contains the other', () => {
    expect(prefixesOverlap(parseIpPrefix('10.0.0.0/8'), parseIpPrefix('10.9.0.0/16'))).toBe(true);
    expect(prefixesOverlap(parseIpPrefix('10.9.0.0/16'), parseIpPrefix('10.0.0.0/8'))).toBe(true);
    expect(prefixesOverlap(parseIpPrefix('10.8.0.0/16'), parseIpPrefix('10.9.0.0/16'))).toBe(false);
    expect(prefixesOverlap(parseIpPrefix('0.0.0.0/0'), parseIpPrefix('::/0'))).toBe(false);
  });

  it('end where they end', () => {
    expect(formatIpAddress(lastAddress(parseIpPrefix('10.1.0.0/20')))).toBe('10.1.15.255');
    expect(formatIpAddress(lastAddress(parseIpPrefix('fd00::/65')))).toBe('fd00::7fff:ffff:ffff:ffff');
  });
});

describe('any prefix', () => {
  const arbitraryPrefix = fc.oneof(
    fc
      .tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0, max: 32 }))
      .map(([address, length]) => prefixOf(address, length)),
    fc
      .tuple(arbitraryIpv6, fc.integer({ min: 0, max: 128 }))
      .map(([address, length]) => prefixOf(address, length)),
  );
  it('survives format and parse, contains its ends, and has a mask that knows its length', () => {
    checkProperty(
      'prefixes',
      fc.property(arbitraryPrefix, (prefix) => {
        expect(parseIpPrefix(formatIpPrefix(prefix))).toEqual(prefix);
        expect(prefixContains(prefix, prefix.address)).toBe(true);
        expect(prefixContains(prefix, lastAddress(prefix))).toBe(true);
        expect(maskLength(prefixMask(prefix.address, prefix.length))).toBe(prefix.length);
      }),
    );
  });
});
