/**
 * Lines that iptables-restore reads although they make no sense, and that our parser refuses. For a check they are
 * read as that program reads them, each with a warning, or with a refusal that comes later than the parser's.
 */
import type { TableName } from '../../../netfilter/rule-set.ts';
import { InputError } from '../../../sim/input-error.ts';
import { BUILT_IN_CHAINS } from '../../built-in-chains.ts';
import { type ParseOptions, parseRules } from '../../parse-rules.ts';
import type { SavedRules } from '../../saved-rules.ts';
import { type Finding, type FindingCode, finding } from '../findings.ts';
import type { BackEnd, Refusal } from './refusal.ts';

interface LineContext {
  readonly backEnd: BackEnd;
  /** The table that the line stands in, as far as lines tell. */
  readonly table: string;
}

interface Tolerated {
  /** The line as it is read. */
  readonly readAs: string;
  readonly code: FindingCode;
  readonly message: string;
  /** The file is refused all the same, when it is loaded. */
  readonly refused?: true;
}

/** What a line is read as; undefined when the tolerance is not about it. */
type Tolerance = (line: string, context: LineContext) => Tolerated | undefined;

const COUNTERS = /^\d+:\d+$/;

const ruleCounters: Tolerance = (line) => {
  const [prefix, inside = ''] = /^\[([^\]:]+:[^\]]+)\]/.exec(line) ?? [];
  if (prefix === undefined || COUNTERS.test(inside)) return undefined;
  return {
    readAs: line.slice(prefix.length),
    code: 'ignored-counters',
    message: 'counters that are no numbers are ignored (and refused with --counters); write [PACKETS:BYTES]',
  };
};

const chainCounters: Tolerance = (line) => {
  const [, declaration, counters] = /^(:[ \t]*[^ \t]+[ \t]+[^ \t]+)[ \t]+([^ \t]+)/.exec(line) ?? [];
  if (declaration === undefined || counters === undefined || /^\[\d+:\d+\]$/.test(counters)) return undefined;
  return {
    readAs: declaration,
    code: 'ignored-counters',
    message:
      'what follows the policy is no counters and is ignored (and refused with --counters); write [PACKETS:BYTES]',
  };
};

function isTable(name: string): name is TableName {
  return Object.hasOwn(BUILT_IN_CHAINS, name);
}

/** iptables-nft looks at the policies of built-in chains only, and at those when it loads. */
const badPolicy: Tolerance = (line, { backEnd, table }) => {
  const [, chain, policy] = /^:[ \t]*([^ \t]+)[ \t]+([^ \t]+)/.exec(line) ?? [];
  if (backEnd !== 'nft' || chain === undefined || policy === undefined) return undefined;
  if (policy === '-' || policy === 'ACCEPT' || policy === 'DROP') return undefined;
  if (isTable(table) && BUILT_IN_CHAINS[table].includes(chain)) {
    const message = `bad policy '${policy}'; expected ACCEPT or DROP`;
    return { readAs: `:${chain} -`, code: 'syntax', message, refused: true };
  }
  const message = `chain ${chain} is not built in, so its policy '${policy}' is ignored; write :${chain} - [0:0]`;
  return { readAs: `:${chain} -`, code: 'ignored-policy', message };
};

const openQuote: Tolerance = (line) => {
  const words: readonly string[] = line.match(/"(?:[^"\\]|\\.)*"|[^\s"]+|"/g) ?? [];
  const open = words.indexOf('"');
  if (open < 1 || !/^--com/.test(words[open - 1] ?? '')) return undefined;
  return {
    readAs: `${line}"`,
    code: 'open-quote',
    message:
      'the quote of the comment is never closed, so the rest of the line is comment, target and all; close it',
  };
};

const listing: Tolerance = (line) => {
  if (!/^\s*(-L|-S|--list|--list-rules)(\s|$)/.test(line)) return undefined;
  const message = 'this lists rules while it restores others; delete the line';
  return { readAs: '#', code: 'listing-command', message };
};

const TOLERANCES: readonly Tolerance[] = [ruleCounters, badPolicy, chainCounters, openQuote, listing];

export interface TolerantReading {
  readonly rules: SavedRules;
  readonly warnings: readonly Finding[];
  readonly refusals: readonly Refusal[];
}

class TolerantReader {
  #lines: string[];
  readonly #backEnd: BackEnd;
  readonly #left = new Set(TOLERANCES);
  readonly warnings: Finding[] = [];
  readonly refusals: Refusal[] = [];

  constructor(text: string, backEnd: BackEnd) {
    this.#lines = text.split('\n');
    this.#backEnd = backEnd;
  }

  /** Reads the bad line and all others of its kind anew; undefined when nothing is known about it. */
  repair(line: number): string | undefined {
    const contexts = this.#contexts();
    const bad = this.#lines[line - 1];
    const context = contexts[line - 1];
    if (bad === undefined || context === undefined) return undefined;
    const tolerance = [...this.#left].find((each) => each(bad, context) !== undefined);
    if (tolerance === undefined) return undefined;
    // All of its kind at once, so that a file full of them is not read once for each.
    this.#left.delete(tolerance);
    this.#lines = this.#lines.map((each, index) => this.#apply(tolerance, each, index, contexts));
    return this.#lines.join('\n');
  }

  #apply(tolerance: Tolerance, line: string, index: number, contexts: readonly LineContext[]): string {
    const context = contexts[index];
    const tolerated = context === undefined ? undefined : tolerance(line, context);
    if (tolerated === undefined) return line;
    const found = finding(tolerated.code, { line: index + 1 }, tolerated.message);
    if (tolerated.refused) this.refusals.push({ stage: 'load', finding: found });
    else this.warnings.push(found);
    return tolerated.readAs;
  }

  #contexts(): LineContext[] {
    let table = '';
    return this.#lines.map((line) => {
      if (line.startsWith('*')) table = line.slice(1).trim();
      return { backEnd: this.#backEnd, table };
    });
  }
}

/** Reads `text` as iptables-restore of `backEnd` does. Throws InputError for what that program refuses at once. */
export function parseTolerantly(
  text: string,
  options: ParseOptions & { readonly backEnd: BackEnd },
): TolerantReading {
  let reader: TolerantReader | undefined;
  for (let current = text; ; ) {
    try {
      const rules = parseRules(current, options);
      return { rules, warnings: reader?.warnings ?? [], refusals: reader?.refusals ?? [] };
    } catch (error) {
      reader ??= new TolerantReader(text, options.backEnd);
      const line = error instanceof InputError ? error.line : undefined;
      const repaired = line === undefined ? undefined : reader.repair(line);
      if (repaired === undefined) throw error;
      current = repaired;
    }
  }
}
