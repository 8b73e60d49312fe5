import { describe, expect, it } from 'vitest';
import { tryParseSloppyIp, tryParseSloppyPrefix } from '../../src/kube/sloppy-address.ts';
import { formatIpAddress } from '../../src/wire/ip-address.ts';
import { formatIpPrefix } from '../../src/wire/ip-prefix.ts';

describe('addresses as Go before 1.17 read them', () => {
  it.each<[string, string | undefined]>([
    ['10.1.2.3', '10.1.2.3'],
    ['010.001.002.003', '10.1.2.3'],
    ['0000000010.1.2.3', '10.1.2.3'],
    ['255.255.255.255', '255.255.255.255'],
    ['256.1.2.3', undefined],
    ['1.2.3', undefined],
    ['1.2.3.4.5', undefined],
    ['1.2.3.', undefined],
    ['1.2.3.0x4', undefined],
    [' 1.2.3.4', undefined],
    ['1.2.3.-4', undefined],
    ['', undefined],
    ['fd00::1', 'fd00::1'],
    ['FD00:0:0:0:0:0:0:1', 'fd00::1'],
    ['fd00:00001::', 'fd00:1::'],
    ['fd00:10001::', undefined],
    ['::', '::'],
    ['1::2::3', undefined],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['1:2:3:4:5:6:7', undefined],
    ['1:2:3:4:5:6:7:8::', undefined],
    ['1:2:3:4::5:6:7:8', undefined],
    ['1:2:3::5:6:7:8', '1:2:3:0:5:6:7:8'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['::FFFF:0a01:0203', '10.1.2.3'],
    ['64:ff9b::010.1.2.3', '64:ff9b::a01:203'],
    ['fe80::1%eth0', undefined],
    ['10.1.2.3::', undefined],
    [':1', undefined],
  ])('%s', (text, expected) => {
    const address = tryParseSloppyIp(text);
    expect(address === undefined ? undefined : formatIpAddress(address)).toBe(expected);
  });

  it.each<[string, string | undefined]>([
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['10.0.0.0/08', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['10.0.0.0/33', undefined],
    ['10.0.0.0', undefined],
    ['10.0.0.0/', undefined],
    ['10.0.0.0/-1', undefined],
    ['/8', undefined],
    ['fd00::1/64', 'fd00::/64'],
    ['::/0', '::/0'],
    ['fd00::/129', undefined],
    ['::ffff:10.1.2.3/104', '10.0.0.0/8'],
  ])('%s', (text, expected) => {
    const prefix = tryParseSloppyPrefix(text);
    expect(prefix === undefined ? undefined : formatIpPrefix(prefix)).toBe(expected);
  });
});
