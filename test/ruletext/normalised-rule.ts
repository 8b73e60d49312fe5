/**
 * Rules as people write them and as iptables-save prints them after restoring: what both back ends of
 * iptables 1.8.9 answered. The kernel tests ask the real programs again.
 */
import type { IpFamily } from '../../src/wire/ip-address.ts';

export interface NormalisedRule {
  readonly label: string;
  readonly family: IpFamily;
  readonly table: string;
  readonly chain: string;
  /** After `-A CHAIN `. */
  readonly given: string;
  readonly saved: string;
}

type Row = readonly [label: string, place: string, given: string, saved?: string];

/** `list` as rules of `family`; each row is a label, `table CHAIN`, what is given, what is saved if that differs. */
export function rows(family: IpFamily, list: readonly Row[]): readonly NormalisedRule[] {
  return list.map(([label, place, given, saved = given]) => {
    const [table = '', chain = ''] = place.split(' ');
    return { label, family, table, chain, given, saved };
  });
}
