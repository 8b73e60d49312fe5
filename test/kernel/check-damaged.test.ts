/**
 * Real saves with slips in them: `check` and the real programs agree on whether they load, and on whether `--test`
 * sees what is wrong.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkRules } from '../../src/ruletext/lint/check-rules.ts';
import { BACK_ENDS, type BackEnd } from '../../src/ruletext/lint/restore/refusal.ts';
import { Random } from '../../src/sim/random.ts';
import type { IpFamily } from '../../src/wire/ip-address.ts';
import { CORPUS } from '../ruletext/check-corpus/corpus.ts';
import type { Verdict } from '../ruletext/check-corpus/corpus-file.ts';
import { damaged } from './check-damage.ts';
import { realVerdict } from './check-programs.ts';

const SEED = Number(process.env.CHECK_SEED ?? 20_240_917);
const FILES = Number(process.env.CHECK_FILES ?? 600);

const CASES = join(import.meta.dirname, '../conformance/kube-proxy/iptables');
const SAVE: Readonly<Record<IpFamily, string>> = { ipv4: 'iptables.save', ipv6: 'ip6tables.save' };
/** Larger files only make it slow. */
const LARGEST = 20_000;

function bases(family: IpFamily): readonly string[] {
  const saves = readdirSync(CASES).map((name) => readFileSync(join(CASES, name, SAVE[family]), 'utf8'));
  const small = CORPUS.flatMap(([, files]) => files)
    .filter(
      (file) => file.family === family && file.real.nft === 'accepted' && file.real.legacy === 'accepted',
    )
    .map(({ text }) => text);
  return [...saves.filter(({ length }) => length <= LARGEST), ...small];
}

/** Slips that lead to what known-differences.ts lists, or to commands that no save has. */
const KNOWN: readonly RegExp[] = [
  / (-[jsdpio]|--jump=|--source=|--protocol=)[^ \n-]/,
  /^:[!-]/m,
  /^-[ZNXFEP] .* -/m,
  /^-Z \S+ /m,
];

function ours(text: string, family: IpFamily, backEnd: BackEnd): { verdict: Verdict; why: string } {
  const { accepted, acceptedByTest, findings } = checkRules(text, { family, backEnd });
  const { line, message } = findings.find(({ severity }) => severity === 'error') ?? {};
  const why = `${line}: ${message}`;
  if (accepted) return { verdict: 'accepted', why };
  return { verdict: acceptedByTest ? 'refused-at-load' : 'refused', why };
}

describe.each(['ipv4', 'ipv6'] as const)('%s', (family) => {
  test(`${FILES} damaged files, seed ${SEED}`, () => {
    const random = new Random(SEED);
    const texts = bases(family);
    for (let left = FILES; left > 0; left--) {
      const text = damaged(texts[random.below(texts.length)] ?? '', random);
      if (KNOWN.some((known) => known.test(text))) continue;
      const backEnd = BACK_ENDS[random.below(BACK_ENDS.length)] ?? 'nft';
      const real = realVerdict({ text, family }, backEnd);
      const { verdict, why } = ours(text, family, backEnd);
      const asked = { backEnd, text, why, complaint: real.complaint };
      expect({ ...asked, verdict }).toEqual({ ...asked, verdict: real.verdict });
    }
  });
});
