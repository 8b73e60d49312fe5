/**
 * SavedRules → RuleSet: carries the commands out, table by table, as iptables-restore does, and answers
 * what the kernel would then hold. Each table is loaded whole or the file is refused.
 */
import type { Chain, Rule, RuleSet, Table, TableName } from '../netfilter/rule-set.ts';
import { InputError } from '../sim/input-error.ts';
import { BUILT_IN_CHAINS } from './built-in-chains.ts';
import { ZERO_COUNTERS } from './counters-text.ts';
import { formatRuleBody } from './format-rule.ts';
import type {
  Command,
  DeleteNumberCommand,
  PlacedRuleCommand,
  RuleCommand,
  SavedRules,
  Section,
} from './saved-rules.ts';
import { checkTable, type PlacedRule, type WorkingChain } from './table-check.ts';

type WorkingTable = Map<string, WorkingChain>;

function emptyTable(name: TableName): WorkingTable {
  return new Map(
    BUILT_IN_CHAINS[name].map((chain) => [
      chain,
      { name: chain, policy: 'ACCEPT', counters: ZERO_COUNTERS, rules: [] },
    ]),
  );
}

function workingCopy(table: Table): WorkingTable {
  const copy = emptyTable(table.name);
  for (const chain of table.chains.values()) {
    const rules = chain.rules.map((rule): PlacedRule => ({ rule, line: undefined }));
    copy.set(chain.name, { name: chain.name, policy: chain.policy, counters: chain.counters, rules });
  }
  return copy;
}

function byName(a: WorkingChain, b: WorkingChain): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** Built-in chains in hook order, then the others by name: the order of a save. */
function frozen(name: TableName, working: WorkingTable): Table {
  const builtIn = BUILT_IN_CHAINS[name];
  const first = builtIn.flatMap((chain) => working.get(chain) ?? []);
  const others = [...working.values()].filter((chain) => !builtIn.includes(chain.name)).sort(byName);
  const chains = new Map<string, Chain>();
  for (const { name: chainName, policy, counters, rules } of [...first, ...others]) {
    chains.set(chainName, {
      name: chainName,
      ...(policy === undefined ? {} : { policy }),
      ...(counters === undefined ? {} : { counters }),
      rules: rules.map(({ rule }) => rule),
    });
  }
  return { name, chains };
}

class SectionLoader {
  readonly #rules: SavedRules;
  readonly #section: Section;
  readonly #chains: WorkingTable;

  constructor(rules: SavedRules, section: Section, chains: WorkingTable) {
    this.#rules = rules;
    this.#section = section;
    this.#chains = chains;
  }

  load(): Table {
    for (const command of this.#section.commands) this.#run(command);
    const { table } = this.#section;
    checkTable({ table, family: this.#rules.family, chains: this.#chains }, (message, line) =>
      this.#error(message, line ?? this.#section.commitLine),
    );
    return frozen(table, this.#chains);
  }

  #error(message: string, line: number): InputError {
    return new InputError(message, { file: this.#rules.file, line });
  }

  #chain(command: { readonly chain: string; readonly line: number }): WorkingChain {
    const chain = this.#chains.get(command.chain);
    if (chain !== undefined) return chain;
    const message = `chain ${command.chain} is not declared in *${this.#section.table}; expected :${command.chain} - [0:0] before`;
    throw this.#error(message, command.line);
  }

  /** A chain must be there before a rule jumps to it, and built-in ones are not to be jumped to. */
  #checkJump({ target }: Rule, line: number): void {
    if (target.kind !== 'jump' && target.kind !== 'goto') return;
    const { table } = this.#section;
    if (this.#isBuiltIn(target.chain)) {
      throw this.#error(`${target.chain} is built in and cannot be jumped to`, line);
    }
    if (!this.#chains.has(target.chain)) {
      throw this.#error(
        `'${target.chain}' is neither a chain of *${table} nor a target; expected :${target.chain} - [0:0] before`,
        line,
      );
    }
  }

  #isBuiltIn(chain: string): boolean {
    return BUILT_IN_CHAINS[this.#section.table].includes(chain);
  }

  #run(command: Command): void {
    switch (command.kind) {
      case 'append':
        this.#checkJump(command.rule, command.line);
        this.#chain(command).rules.push({ rule: command.rule, line: command.line });
        return;
      case 'chain':
        this.#declare(command);
        return;
      case 'insert':
      case 'replace':
        this.#place(command);
        return;
      case 'delete':
      case 'check':
      case 'delete-number':
        this.#remove(command);
        return;
      case 'flush':
      case 'zero':
      case 'delete-chain':
        this.#edit(command);
        return;
      case 'new-chain':
        if (this.#chains.has(command.chain))
          throw this.#error(`chain ${command.chain} exists already`, command.line);
        this.#chains.set(command.chain, {
          name: command.chain,
          policy: undefined,
          counters: ZERO_COUNTERS,
          rules: [],
        });
        return;
      case 'rename-chain':
        this.#rename(command);
        return;
      case 'policy':
        if (!this.#isBuiltIn(command.chain)) {
          throw this.#error(
            `chain ${command.chain} cannot have a policy; only built-in chains do`,
            command.line,
          );
        }
        this.#chain(command).policy = command.policy;
        return;
      case 'remark':
        return;
    }
  }

  #declare(command: Extract<Command, { kind: 'chain' }>): void {
    const { chain: name, policy, counters = ZERO_COUNTERS, line } = command;
    if (!this.#isBuiltIn(name)) {
      if (policy !== undefined) {
        throw this.#error(`chain ${name} cannot have a policy; only built-in chains do, expected '-'`, line);
      }
      this.#chains.set(name, { name, policy, counters, rules: [] });
      return;
    }
    const chain = this.#chain(command);
    if (policy === undefined) return;
    chain.policy = policy;
    chain.counters = counters;
  }

  #place(command: PlacedRuleCommand): void {
    const chain = this.#chain(command);
    const index = command.number - 1;
    const replace = command.kind === 'replace';
    this.#checkJump(command.rule, command.line);
    if (index > chain.rules.length - (replace ? 1 : 0)) {
      throw this.#error(
        `chain ${chain.name} has ${chain.rules.length} rules; there is no place ${command.number}`,
        command.line,
      );
    }
    chain.rules.splice(index, replace ? 1 : 0, { rule: command.rule, line: command.line });
  }

  #remove(command: RuleCommand | DeleteNumberCommand): void {
    const chain = this.#chain(command);
    const index = command.kind === 'delete-number' ? command.number - 1 : this.#find(chain, command.rule);
    if (chain.rules[index] === undefined) {
      throw this.#error(`chain ${chain.name} has no such rule`, command.line);
    }
    if (command.kind !== 'check') chain.rules.splice(index, 1);
  }

  #find(chain: WorkingChain, rule: Rule): number {
    const body = formatRuleBody(rule);
    return chain.rules.findIndex((placed) => formatRuleBody(placed.rule) === body);
  }

  #edit(command: Extract<Command, { kind: 'flush' | 'zero' | 'delete-chain' }>): void {
    const { chain: name, line } = command;
    const named = name === undefined ? [...this.#chains.values()] : [this.#chain({ chain: name, line })];
    if (command.kind === 'flush') for (const chain of named) chain.rules = [];
    if (command.kind === 'zero') for (const chain of named) zero(chain);
    if (command.kind !== 'delete-chain') return;
    for (const chain of named) {
      if (this.#isBuiltIn(chain.name)) {
        if (name !== undefined) throw this.#error(`chain ${name} is built in and cannot be deleted`, line);
        continue;
      }
      if (chain.rules.length > 0) throw this.#error(`chain ${chain.name} is not empty`, line);
      this.#chains.delete(chain.name);
    }
  }

  #rename({ chain: name, to, line }: Extract<Command, { kind: 'rename-chain' }>): void {
    const chain = this.#chain({ chain: name, line });
    if (this.#isBuiltIn(name)) throw this.#error(`chain ${name} is built in and cannot be renamed`, line);
    if (this.#chains.has(to)) throw this.#error(`chain ${to} exists already`, line);
    this.#chains.delete(name);
    this.#chains.set(to, { ...chain, name: to });
    for (const { rules } of this.#chains.values()) {
      for (const [index, placed] of rules.entries()) {
        const { target } = placed.rule;
        if ((target.kind !== 'jump' && target.kind !== 'goto') || target.chain !== name) continue;
        rules[index] = { rule: { ...placed.rule, target: { ...target, chain: to } }, line: placed.line };
      }
    }
  }
}

function zero(chain: WorkingChain): void {
  chain.counters = ZERO_COUNTERS;
  chain.rules = chain.rules.map(({ rule, line }) => ({ rule: { ...rule, counters: ZERO_COUNTERS }, line }));
}

/**
 * The tables after loading `rules`: into nothing, or onto `base` as `iptables-restore --noflush` does
 * (built-in chains keep their rules, declared user-defined chains begin anew). A table that the file holds
 * twice keeps only the second. Throws InputError with file and line for a chain that does not exist, a jump
 * to nowhere, a loop, or a target that its table or hook does not allow.
 */
export function toRuleSet(rules: SavedRules, base?: RuleSet): RuleSet {
  const tables = new Map<TableName, Table>(base?.tables);
  const seen = new Set<TableName>();
  for (const section of rules.sections) {
    const before = seen.has(section.table) ? undefined : tables.get(section.table);
    seen.add(section.table);
    const working = before === undefined ? emptyTable(section.table) : workingCopy(before);
    tables.set(section.table, new SectionLoader(rules, section, working).load());
  }
  return { family: rules.family, tables };
}

/** Several files loaded one after the other, each as by `iptables-restore --noflush`. All of one family. */
export function mergeRuleSets(files: readonly SavedRules[]): RuleSet {
  const [first, ...others] = files;
  if (first === undefined) throw new InputError('no rules to load; expected at least one file');
  let merged = toRuleSet(first);
  for (const file of others) {
    if (file.family !== first.family) {
      throw new InputError(`${file.family} rules beside ${first.family} ones; expected one family`, {
        file: file.file,
      });
    }
    merged = toRuleSet(file, merged);
  }
  return merged;
}

/** Where each rule of the loaded `files` was written. Rules keep their identity through loading. */
export function ruleSources(
  files: readonly SavedRules[],
): ReadonlyMap<Rule, { readonly file: string | undefined; readonly line: number }> {
  const sources = new Map<Rule, { readonly file: string | undefined; readonly line: number }>();
  for (const { file, sections } of files) {
    for (const { commands } of sections) {
      for (const command of commands) {
        if ('rule' in command) sources.set(command.rule, { file, line: command.line });
      }
    }
  }
  return sources;
}
