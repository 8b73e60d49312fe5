/**
 * Says of a file of rules what iptables-restore would say, and what is doubtful in it besides.
 *
 *   text → parseRules → the commands run as the back end runs them → what the kernel looks at → the linter
 *
 * A file that cannot be read ends with that one finding; everything else is found in one go.
 */
import type { IpSet } from '../../netfilter/ip-set.ts';
import type { TableName } from '../../netfilter/rule-set.ts';
import { InputError } from '../../sim/input-error.ts';
import type { IpFamily } from '../../wire/ip-address.ts';
import type { SavedRules, Section } from '../saved-rules.ts';
import { chainGraph } from './analysis/chain-graph.ts';
import { TableEffects } from './analysis/effects.ts';
import { compareFindings, type Finding, finding } from './findings.ts';
import type { LintedTable } from './lint-context.ts';
import { LINT_RULES } from './lint-rules.ts';
import { commitRefusals } from './restore/commit-check.ts';
import { extensionProblem } from './restore/extension-check.ts';
import { stageOf } from './restore/parser-refusals.ts';
import type { BackEnd, Refusal } from './restore/refusal.ts';
import { runCommands } from './restore/run-commands.ts';
import { parseTolerantly, type TolerantReading } from './restore/tolerated.ts';

export interface CheckOptions {
  readonly family: IpFamily;
  readonly backEnd: BackEnd;
  /** As the user named it, for nothing but messages of the parser. */
  readonly file?: string;
  /** The IP sets of the host (`ipset save`); undefined: not known. */
  readonly sets?: ReadonlyMap<string, IpSet>;
}

export interface CheckReport {
  /** `iptables-restore --test` accepts the file. */
  readonly acceptedByTest: boolean;
  /** `iptables-restore` loads the file. */
  readonly accepted: boolean;
  /** By line. */
  readonly findings: readonly Finding[];
}

/** What is wrong with the matches and targets of `section`. */
function* extensionRefusals(section: Section, { family, backEnd }: CheckOptions): Generator<Refusal> {
  for (const command of section.commands) {
    if (!('rule' in command)) continue;
    const problem = extensionProblem(command.rule, family, backEnd);
    if (problem === undefined) continue;
    const { stage, code, message } = problem;
    const { line, chain } = command;
    yield { stage, finding: finding(code, { line, table: section.table, chain }, message) };
  }
}

/** iptables-legacy-restore wants a newline after the last COMMIT. */
function* newlineRefusals(rules: SavedRules, backEnd: BackEnd): Generator<Refusal> {
  const last = rules.sections.at(-1);
  if (backEnd !== 'legacy' || rules.endsWithNewline || last === undefined || rules.epilogue.length > 0)
    return;
  const message =
    'no newline after the last COMMIT, which iptables-legacy-restore needs; end the file with one';
  yield { stage: 'test', finding: finding('syntax', { line: last.commitLine }, message) };
}

function remarksOf(text: string): { readonly line: number; readonly text: string }[] {
  const remarks: { line: number; text: string }[] = [];
  for (let start = 0, line = 1; start < text.length; line++) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    if (text[start] === '#') remarks.push({ line, text: text.slice(start, end) });
    start = end + 1;
  }
  return remarks;
}

/** Runs every section; the last of a name is what stays. */
class Loading {
  readonly #options: CheckOptions;
  readonly refusals: Refusal[] = [];
  readonly warnings: Finding[] = [];
  readonly tables = new Map<TableName, LintedTable>();

  constructor(rules: SavedRules, options: CheckOptions) {
    this.#options = options;
    for (const section of rules.sections) this.#load(section);
    this.refusals.push(...newlineRefusals(rules, options.backEnd));
  }

  #load(section: Section): void {
    const { family, backEnd } = this.#options;
    const { table, refusals, warnings } = runCommands(section, backEnd);
    if (this.tables.has(section.table)) {
      const message = `*${section.table} stands in the file before; this one replaces all of it; join them`;
      this.warnings.push(finding('table-twice', { line: section.line, table: section.table }, message));
    }
    const graph = chainGraph(table);
    this.warnings.push(...warnings);
    this.refusals.push(...refusals, ...extensionRefusals(section, this.#options));
    this.refusals.push(...commitRefusals(table, { family, backEnd, graph }));
    this.tables.set(section.table, { table, graph, effects: new TableEffects(table, graph) });
  }
}

function unreadable(error: unknown, text: string, backEnd: BackEnd): CheckReport {
  if (!(error instanceof InputError)) throw error;
  const line = error.line === undefined ? '' : (text.split('\n')[error.line - 1] ?? '');
  return {
    acceptedByTest: stageOf(error.message, line, backEnd) === 'load',
    accepted: false,
    findings: [finding('syntax', { line: error.line }, error.message)],
  };
}

/** Checks `text`, a file for iptables-restore or ip6tables-restore. Throws nothing for any text. */
export function checkRules(text: string, options: CheckOptions): CheckReport {
  let reading: TolerantReading;
  try {
    reading = parseTolerantly(text, options);
  } catch (error) {
    return unreadable(error, text, options.backEnd);
  }
  const { refusals, warnings, tables } = new Loading(reading.rules, options);
  const all = [...reading.refusals, ...refusals];
  const context = {
    family: options.family,
    tables: [...tables.values()],
    sets: options.sets,
    remarks: remarksOf(text),
  };
  const found = LINT_RULES.flatMap((rule) => [...rule(context)]);
  const setMissing = found.some(({ code }) => code === 'unknown-set');
  return {
    acceptedByTest: !setMissing && all.every(({ stage }) => stage === 'load'),
    accepted: !setMissing && all.length === 0,
    findings: [...all.map((refusal) => refusal.finding), ...reading.warnings, ...warnings, ...found].sort(
      compareFindings,
    ),
  };
}
