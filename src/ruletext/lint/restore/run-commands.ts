/**
 * Carries out the commands of one table as iptables-restore does, with the differences between the back ends,
 * and goes on after what it would refuse so that one run tells everything. iptables-legacy works on a copy of
 * the table and complains at once; iptables-nft hands the commands over at COMMIT, so that `--test` sees
 * nothing of them. Measured with iptables 1.8.9; nothing is loaded before (no `--noflush`).
 */
import type { Rule } from '../../../netfilter/rule-set.ts';
import { BUILT_IN_CHAINS } from '../../built-in-chains.ts';
import { formatRuleBody } from '../../format-rule.ts';
import type {
  ChainCommand,
  Command,
  DeleteNumberCommand,
  PlacedRuleCommand,
  RuleCommand,
  Section,
} from '../../saved-rules.ts';
import { type Finding, type FindingCode, finding } from '../findings.ts';
import type { BackEnd, Refusal, RefusalStage } from './refusal.ts';
import { type CheckedChain, type CheckedRule, type CheckedTable, nextChain } from './tables-in-hand.ts';

type WorkingChain = { -readonly [Key in keyof CheckedChain]: CheckedChain[Key] } & { rules: CheckedRule[] };

export interface CommandsRun {
  readonly table: CheckedTable;
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly Finding[];
}

class CommandRunner {
  readonly #section: Section;
  readonly #backEnd: BackEnd;
  readonly #chains = new Map<string, WorkingChain>();
  readonly #refusals: Refusal[] = [];
  readonly #warnings: Finding[] = [];

  constructor(section: Section, backEnd: BackEnd) {
    this.#section = section;
    this.#backEnd = backEnd;
    for (const name of BUILT_IN_CHAINS[section.table]) {
      this.#chains.set(name, { name, builtIn: true, line: undefined, policy: 'ACCEPT', rules: [] });
    }
  }

  run(): CommandsRun {
    for (const command of this.#section.commands) this.#run(command);
    return {
      table: { name: this.#section.table, chains: this.#chains },
      refusals: this.#refusals,
      warnings: this.#warnings,
    };
  }

  #run(command: Command): void {
    switch (command.kind) {
      case 'chain':
        this.#declare(command);
        return;
      case 'append':
        this.#checkJump(command);
        this.#chain(command)?.rules.push({ rule: command.rule, line: command.line });
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
      case 'new-chain':
        this.#create(command);
        return;
      case 'flush':
      case 'zero':
      case 'delete-chain':
        this.#edit(command);
        return;
      case 'rename-chain':
        this.#rename(command);
        return;
      case 'policy':
        this.#setPolicy(command);
        return;
      case 'remark':
        return;
    }
  }

  #refuse(code: FindingCode, line: number, message: string, stage?: RefusalStage): void {
    const { table } = this.#section;
    this.#refusals.push({
      stage: stage ?? (this.#backEnd === 'legacy' ? 'test' : 'load'),
      finding: finding(code, { line, table }, message),
    });
  }

  #warn(code: FindingCode, line: number, message: string): void {
    this.#warnings.push(finding(code, { line, table: this.#section.table }, message));
  }

  #isBuiltIn(chain: string): boolean {
    return BUILT_IN_CHAINS[this.#section.table].includes(chain);
  }

  #chain(command: { readonly chain: string; readonly line: number }): WorkingChain | undefined {
    const chain = this.#chains.get(command.chain);
    if (chain === undefined) {
      this.#refuse(
        'undeclared-chain',
        command.line,
        `chain ${command.chain} is not declared in *${this.#section.table}; expected :${command.chain} - [0:0] before`,
      );
    }
    return chain;
  }

  #checkJump({ rule, line }: { readonly rule: Rule; readonly line: number }): void {
    const next = nextChain(rule);
    if (next === undefined) return;
    if (this.#isBuiltIn(next)) {
      this.#refuse('missing-jump-target', line, `${next} is built in and cannot be jumped to`);
    } else if (!this.#chains.has(next)) {
      this.#refuse(
        'missing-jump-target',
        line,
        `'${next}' is neither a chain of *${this.#section.table} nor a target; expected :${next} - [0:0] before`,
      );
    }
  }

  #declare({ chain: name, policy, line }: ChainCommand): void {
    const known = this.#chains.get(name);
    if (known?.builtIn) {
      known.line = line;
      if (policy !== undefined) known.policy = policy;
      return;
    }
    const legacy = this.#backEnd === 'legacy';
    if (policy !== undefined) {
      const message = `chain ${name} is not built in, so it cannot have the policy ${policy}; write :${name} -`;
      if (legacy) this.#refuse('user-chain-policy', line, message);
      else this.#warn('ignored-policy', line, message);
    }
    if (known !== undefined) {
      const message = `chain ${name} is declared a second time, which empties it; delete one declaration`;
      if (legacy) this.#refuse('duplicate-chain', line, message);
      else this.#warn('redeclared-chain', line, message);
    }
    this.#chains.set(name, { name, builtIn: false, line, policy: undefined, rules: [] });
  }

  #create({ chain: name, line }: { readonly chain: string; readonly line: number }): void {
    if (name === 'standard')
      this.#refuse('bad-command', line, `chain name '${name}' is the name of a target`, 'test');
    else if (this.#chains.has(name)) this.#refuse('bad-command', line, `-N: chain ${name} exists already`);
    else this.#chains.set(name, { name, builtIn: false, line, policy: undefined, rules: [] });
  }

  #place(command: PlacedRuleCommand): void {
    const { line, number, rule } = command;
    const replace = command.kind === 'replace';
    this.#checkJump(command);
    const chain = this.#chain(command);
    if (chain === undefined) return;
    const index = number - 1;
    if (index > chain.rules.length - (replace ? 1 : 0)) {
      const message = `chain ${chain.name} has ${chain.rules.length} rules; there is no place ${number}`;
      this.#refuse('bad-command', line, message);
      return;
    }
    if (replace) this.#sameBatch('-R replaces', line);
    chain.rules.splice(index, replace ? 1 : 0, { rule, line });
  }

  /** The kernel knows nothing yet of what the same file made, which trips these commands of iptables-nft. */
  #sameBatch(what: string, line: number): void {
    if (this.#backEnd === 'nft') {
      this.#refuse('bad-command', line, `${what} what the same file made, which iptables-nft cannot do`);
    }
  }

  #remove(command: RuleCommand | DeleteNumberCommand): void {
    const chain = this.#chain(command);
    if (chain === undefined) return;
    const index = command.kind === 'delete-number' ? command.number - 1 : find(chain, command.rule);
    if (chain.rules[index] === undefined) {
      this.#refuse('bad-command', command.line, `chain ${chain.name} has no such rule`);
    } else if (command.kind !== 'check') {
      chain.rules.splice(index, 1);
    }
  }

  #edit(command: Extract<Command, { kind: 'flush' | 'zero' | 'delete-chain' }>): void {
    const { chain: name, line, kind } = command;
    const named = name === undefined ? undefined : this.#chain({ chain: name, line });
    if (name !== undefined && named === undefined) return;
    const chains = named === undefined ? [...this.#chains.values()] : [named];
    if (kind === 'flush') for (const chain of chains) chain.rules = [];
    if (kind !== 'delete-chain') return;
    for (const chain of chains) this.#delete(chain, line, named !== undefined);
  }

  #delete(chain: WorkingChain, line: number, asked: boolean): void {
    const { name } = chain;
    if (chain.builtIn) {
      if (asked) this.#refuse('bad-command', line, `chain ${name} is built in and cannot be deleted`);
    } else if (chain.rules.length > 0) {
      this.#refuse('bad-command', line, `chain ${name} is not empty; flush it before it is deleted`);
    } else if (this.#isUsed(name)) {
      this.#refuse('bad-command', line, `chain ${name} is still jumped to and cannot be deleted`);
    } else {
      this.#chains.delete(name);
    }
  }

  #isUsed(name: string): boolean {
    for (const { rules } of this.#chains.values()) {
      if (rules.some(({ rule }) => nextChain(rule) === name)) return true;
    }
    return false;
  }

  #rename({ chain: name, to, line }: Extract<Command, { kind: 'rename-chain' }>): void {
    const chain = this.#chain({ chain: name, line });
    if (chain === undefined) return;
    if (chain.builtIn) {
      this.#refuse('bad-command', line, `chain ${name} is built in and cannot be renamed`);
    } else if (this.#chains.has(to)) {
      this.#refuse('bad-command', line, `chain ${to} exists already`);
    } else {
      this.#sameBatch('-E renames', line);
      this.#chains.delete(name);
      this.#chains.set(to, { ...chain, name: to });
      for (const { rules } of this.#chains.values()) retarget(rules, name, to);
    }
  }

  #setPolicy({ chain: name, policy, line }: Extract<Command, { kind: 'policy' }>): void {
    const chain = this.#chains.get(name);
    if (chain?.builtIn) chain.policy = policy;
    else this.#refuse('bad-command', line, `chain ${name} is not built in, so it cannot have a policy`);
  }
}

/** Where `rule` stands in `chain`, by its normal form; -1 when it does not. */
function find(chain: WorkingChain, rule: Rule): number {
  const body = formatRuleBody(rule);
  return chain.rules.findIndex((other) => formatRuleBody(other.rule) === body);
}

/** Turns jumps to chain `from` into jumps to `to`. */
function retarget(rules: CheckedRule[], from: string, to: string): void {
  for (const [index, { rule, line }] of rules.entries()) {
    const { target } = rule;
    if ((target.kind !== 'jump' && target.kind !== 'goto') || target.chain !== from) continue;
    rules[index] = { rule: { ...rule, target: { ...target, chain: to } }, line };
  }
}

/** The table that the commands of `section` make, and what of them `backEnd` refuses. */
export function runCommands(section: Section, backEnd: BackEnd): CommandsRun {
  return new CommandRunner(section, backEnd).run();
}
