import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { hashText } from '../../src/proxy/hash-names.ts';
import { formatServicePortName } from '../../src/proxy/service-port-name.ts';
import { Random } from '../../src/sim/random.ts';

test.each([
  { text: 'default/order:httptcp', length: 16, hash: 'HTXEWWQUI2O57VG5' },
  { text: 'default/unnamedudp', length: 16, hash: 'AG3ET5JHIG7PJCBD' },
  { text: 'default/unnamedudp10.244.1.9:5353', length: 16, hash: 'H6BVBLJNGJJM6FSQ' },
  { text: 'default/web/tcp/http', length: 8, hash: 'SUSTUHLJ' },
  { text: 'default/web/tcp/http__10.244.1.5/8080', length: 8, hash: 'HGNPOIJ5' },
])('$text is $hash to a real kube-proxy', ({ text, length, hash }) => {
  expect(hashText(text, length)).toBe(hash);
});

/** RFC 4648 base32 the slow way: over one big number. */
function base32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const groups = bits.match(/.{5}/g) ?? [];
  return groups.map((group) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(group, 2)]).join('');
}

test('is SHA-256 in base32 for any text, seed 1', () => {
  const random = new Random(1);
  for (let round = 0; round < 500; round++) {
    const text = String.fromCharCode(
      ...Array.from({ length: random.below(150) }, () => 32 + random.below(300)),
    );
    const expected = base32(createHash('sha256').update(text, 'utf8').digest());
    for (const length of [1, 8, 16, 51]) expect(hashText(text, length)).toBe(expected.slice(0, length));
  }
});

test.each([
  { port: 'http', name: 'default/web:http' },
  { port: '', name: 'default/web' },
])('port name "$port" gives $name', ({ port, name }) => {
  expect(formatServicePortName({ namespace: 'default', name: 'web', port, protocol: 'TCP' })).toBe(name);
});
