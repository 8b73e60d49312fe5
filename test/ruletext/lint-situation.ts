/** Small rule sets for the linter, and how the tables of them are written. */
import type { IpFamily } from '../../src/wire/ip-address.ts';

export interface Situation {
  readonly label: string;
  readonly text: string;
  /** `LINE CODE`, in order. */
  readonly found: readonly string[];
  /** The host's IP sets are known: `pods`, `svc` and, of IPv6, `six`. */
  readonly sets?: true;
  readonly family?: IpFamily;
}

export interface Situations {
  readonly about: string;
  readonly situations: readonly Situation[];
}

/** A table with chains U and V and `lines`, the first of which is line 4. */
export function inTable(
  table: string,
  label: string,
  lines: readonly string[],
  found: readonly string[],
  more: { readonly sets?: true; readonly family?: IpFamily } = {},
): Situation {
  const uses = lines.join('\n');
  const chains = ['U', 'V'].filter((chain) => new RegExp(`-[jgA] ${chain}( |$)`, 'm').test(uses));
  const declared = chains.map((chain) => `:${chain} - [0:0]\n`).join('');
  const filler = '#\n'.repeat(2 - chains.length);
  return { label, text: `*${table}\n${filler}${declared}${uses}\nCOMMIT\n`, found, ...more };
}

export const filter = (label: string, lines: readonly string[], found: readonly string[], more = {}) =>
  inTable('filter', label, lines, found, more);
export const mangle = (label: string, lines: readonly string[], found: readonly string[], more = {}) =>
  inTable('mangle', label, lines, found, more);
export const nat = (label: string, lines: readonly string[], found: readonly string[], more = {}) =>
  inTable('nat', label, lines, found, more);
