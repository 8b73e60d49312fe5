/** Restore files: text → SavedRules. */
import { TABLES, type TableName } from '../netfilter/rule-set.ts';
import type { IpFamily } from '../wire/ip-address.ts';
import { checkChainName, parsePolicy } from './chain-names.ts';
import { parseCounters } from './counters-text.ts';
import { RuleContext } from './rule-context.ts';
import { RuleLineReader } from './rule-line.ts';
import type { ChainCommand, Command, SavedRules, Section } from './saved-rules.ts';

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const HASH = 35;
const STAR = 42;
const COLON = 58;

export interface ParseOptions {
  readonly family: IpFamily;
  /** The name for messages. */
  readonly file?: string;
}

function isTable(name: string): name is TableName {
  return (TABLES as readonly string[]).includes(name);
}

class RulesFileReader {
  readonly #text: string;
  readonly #options: ParseOptions;
  readonly #context: RuleContext;
  readonly #lines: RuleLineReader;
  readonly #sections: Section[] = [];
  readonly #declared = new Set<string>();
  #remarks: string[] = [];
  #open: { table: TableName; line: number; preamble: readonly string[]; commands: Command[] } | undefined;

  constructor(text: string, options: ParseOptions) {
    this.#text = text;
    this.#options = options;
    this.#context = new RuleContext(options);
    this.#lines = new RuleLineReader(this.#context, this.#declared);
  }

  read(): SavedRules {
    const text = this.#text;
    const context = this.#context;
    const length = text.length;
    for (let start = 0; start < length; ) {
      let end = text.indexOf('\n', start);
      if (end < 0) end = length;
      context.line++;
      this.#line(start, end);
      start = end + 1;
    }
    if (this.#open !== undefined) {
      throw context.error(`*${this.#open.table} has no COMMIT; expected COMMIT at the end`, context.line + 1);
    }
    const { file, family } = this.#options;
    return {
      family,
      ...(file === undefined ? {} : { file }),
      sections: this.#sections,
      epilogue: this.#remarks,
      endsWithNewline: length === 0 || text.charCodeAt(length - 1) === NEWLINE,
    };
  }

  #line(start: number, end: number): void {
    const text = this.#text;
    if (end > start && text.charCodeAt(end - 1) === CARRIAGE_RETURN) {
      throw this.#context.error(
        'the line ends in a carriage return; expected lines that end in a newline only',
      );
    }
    const first = end === start ? HASH : text.charCodeAt(start);
    const open = this.#open;
    if (first === HASH) this.#remark(text.slice(start, end));
    else if (open === undefined) this.#outside(start, end, first);
    else if (first === COLON) open.commands.push(this.#chain(text.slice(start + 1, end)));
    else if (end - start === 6 && text.startsWith('COMMIT', start)) this.#commit();
    else if (first === STAR) {
      throw this.#context.error(`${text.slice(start, end)} inside *${open.table}; expected COMMIT first`);
    } else {
      for (const command of this.#lines.read(text, start, end)) this.#command(open.commands, command);
    }
  }

  #remark(text: string): void {
    if (this.#open === undefined) this.#remarks.push(text);
    else this.#open.commands.push({ kind: 'remark', line: this.#context.line, text });
  }

  #outside(start: number, end: number, first: number): void {
    const context = this.#context;
    const line = this.#text.slice(start, end);
    if (first !== STAR) throw context.error(`'${line}' stands outside a table; expected *TABLE before it`);
    const name = line.slice(1).trim().split(/[ \t]/)[0] ?? '';
    if (!isTable(name)) throw context.error(`unknown table '${name}'; expected one of ${TABLES.join(', ')}`);
    context.table = name;
    this.#declared.clear();
    this.#open = { table: name, line: context.line, preamble: this.#remarks, commands: [] };
    this.#remarks = [];
  }

  #commit(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#sections.push({ ...open, commitLine: this.#context.line });
    this.#open = undefined;
  }

  #command(commands: Command[], command: Command): void {
    if (command.kind === 'new-chain') this.#declared.add(command.chain);
    commands.push(command);
  }

  /** `:NAME POLICY [packets:bytes]`, the colon already read. */
  #chain(text: string): ChainCommand {
    const context = this.#context;
    const [chain = '', policyText, countersText] = text.split(/[ \t]+/).filter((word) => word !== '');
    if (chain === '') throw context.error('a chain without a name; expected :CHAIN POLICY [packets:bytes]');
    checkChainName(context, chain);
    if (policyText === undefined)
      throw context.error(`chain ${chain} has no policy; expected ACCEPT, DROP or -`);
    const counters =
      countersText === undefined
        ? undefined
        : (parseCounters(countersText) ??
          context.fail(`bad counters '${countersText}'; expected [packets:bytes]`));
    this.#declared.add(chain);
    return {
      kind: 'chain',
      line: context.line,
      chain,
      ...(policyText === '-' ? {} : { policy: parsePolicy(context, policyText) }),
      ...(counters === undefined ? {} : { counters }),
    };
  }
}

/**
 * Reads `text` as iptables-restore or ip6tables-restore would: whole saves and handwritten files. Throws
 * InputError with the file and line of what that program would refuse. Whether the chains that rules jump
 * to exist is seen when the rules are put together, by `toRuleSet`.
 */
export function parseRules(text: string, options: ParseOptions): SavedRules {
  return new RulesFileReader(text, options).read();
}
