/** Hashes that the real programs have put into rules and names. */
import { describe, expect, it } from 'vitest';
import { base32Hash, chainedHashes, sha1Hex, sha512Hex } from '../../src/cni/hash-names.ts';

describe('hashes', () => {
  // The labels that Felix gives the rules of its chains, as in dumps of Calico nodes.
  it.each<[chain: string, rules: readonly string[], hashes: readonly string[]]>([
    ['cali-PREROUTING', ['-A cali-PREROUTING HASH --jump cali-fip-dnat'], ['r6XmIziWUJsdOK6Z']],
    ['OUTPUT', ['-A OUTPUT HASH --jump cali-OUTPUT'], ['tVnHkvAo15HuiPy0']],
    ['POSTROUTING', ['-A POSTROUTING HASH --jump cali-POSTROUTING'], ['O3lYWMrLQYEMJtB5']],
    [
      'cali-POSTROUTING',
      ['-A cali-POSTROUTING HASH --jump cali-fip-snat', '-A cali-POSTROUTING HASH --jump cali-nat-outgoing'],
      ['Z-c7XtVd2Bq7s_hA', 'nYKhEzDlr11Jccal'],
    ],
    [
      'cali-nat-outgoing',
      [
        '-A cali-nat-outgoing HASH -m set --match-set cali40masq-ipam-pools src -m set ! --match-set cali40all-ipam-pools dst --jump MASQUERADE',
      ],
      ['Dw4T8UWPnCLxRJiI'],
    ],
  ])('of the rules of %s', (chain, rules, hashes) => {
    expect(chainedHashes(chain, rules)).toEqual(hashes);
  });

  // What the portmap and bridge plugins 1.1.1 named their chains.
  it('of a network and a container', () => {
    const id = 'c0ffee000000000000000000000000000000000000000000000000000000beef';
    expect(sha512Hex(`podnet${id}`).slice(0, 24)).toBe('c343f63ba6b5328be914fe07');
  });

  it('of text', () => {
    expect(sha1Hex('abc')).toBe('a9993e364706816aba3e25717850c26c9cd0d89d');
    expect(base32Hash('abc', 16)).toBe('XJ4BNP4PAHH6UQKB');
    expect(base32Hash('abc', 51)).toHaveLength(51);
  });
});
