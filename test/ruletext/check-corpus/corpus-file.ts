/**
 * Small files, good and bad, with what iptables-restore 1.8.9 says of them, as measured in an empty namespace:
 * the kernel tests ask the real programs again, the unit tests ask `checkRules`.
 */
import type { BackEnd } from '../../../src/ruletext/lint/restore/refusal.ts';
import type { IpFamily } from '../../../src/wire/ip-address.ts';

/** `refused`: by `--test` already. `refused-at-load`: `--test` lets it pass, loading fails. */
export type Verdict = 'accepted' | 'refused' | 'refused-at-load';

export type Verdicts = Readonly<Record<BackEnd, Verdict>>;

export interface CorpusFile {
  readonly label: string;
  readonly family: IpFamily;
  readonly text: string;
  readonly real: Verdicts;
}

const FAMILIES: readonly IpFamily[] = ['ipv4', 'ipv6'];

function verdicts(verdict: Verdict | Verdicts): Verdicts {
  return typeof verdict === 'string' ? { nft: verdict, legacy: verdict } : verdict;
}

/** One text, for one family or, when none is given, for both. */
export function file(
  label: string,
  text: string,
  verdict: Verdict | Verdicts,
  family?: IpFamily,
): readonly CorpusFile[] {
  const families = family === undefined ? FAMILIES : [family];
  return families.map((each) => ({ label, family: each, text, real: verdicts(verdict) }));
}

/** A rule line on its own in a file; `place` is `TABLE CHAIN`. The file also has an empty chain USER. */
export function ruleFile(place: string, rule: string): string {
  const [table = '', chain = ''] = place.split(' ');
  return `*${table}\n:USER - [0:0]\n-A ${chain} ${rule}\nCOMMIT\n`;
}

const PLACED = /^((?:raw|mangle|nat|filter|security) [A-Z]+) \| (.*)$/s;

/** A file for every line of `lines`: `RULE`, which stands in filter INPUT, or `TABLE CHAIN | RULE`. */
export function rules(verdict: Verdict | Verdicts, lines: string, family?: IpFamily): readonly CorpusFile[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const [, place = 'filter INPUT', rule = line] = PLACED.exec(line) ?? [];
      return file(`${rule} in ${place}`, ruleFile(place, rule), verdict, family);
    });
}

/** A chain name of `length` characters. */
export function longName(length: number): string {
  return 'A'.repeat(length);
}

/** A file whose chains C00, C01 … jump each to the next, `jumps` times, below INPUT if it is `reached`. */
export function deepJumps(jumps: number, reached = true): string {
  const name = (index: number) => `C${String(index).padStart(2, '0')}`;
  const chains = Array.from({ length: jumps + 1 }, (_, index) => `:${name(index)} - [0:0]\n`);
  const lines = Array.from({ length: jumps }, (_, index) => `-A ${name(index)} -j ${name(index + 1)}\n`);
  return `*filter\n${chains.join('')}${reached ? `-A INPUT -j ${name(0)}\n` : ''}${lines.join('')}COMMIT\n`;
}
