/** SavedRules → text, and whole rule sets as iptables-save prints them. */
import type { RuleSet, Table } from '../netfilter/rule-set.ts';
import { formatCounters } from './counters-text.ts';
import { formatRule, formatRuleBody } from './format-rule.ts';
import type { Command, SavedRules } from './saved-rules.ts';

function formatCommand(command: Command): string {
  switch (command.kind) {
    case 'append': {
      const { counters } = command.rule;
      const rule = formatRule(command.chain, command.rule);
      return counters === undefined ? rule : `${formatCounters(counters)} ${rule}`;
    }
    case 'chain': {
      const counters = command.counters === undefined ? '' : ` ${formatCounters(command.counters)}`;
      return `:${command.chain} ${command.policy ?? '-'}${counters}`;
    }
    case 'remark':
      return command.text;
    case 'delete':
      return `-D ${command.chain}${formatRuleBody(command.rule)}`;
    case 'check':
      return `-C ${command.chain}${formatRuleBody(command.rule)}`;
    case 'insert':
      return `-I ${command.chain} ${command.number}${formatRuleBody(command.rule)}`;
    case 'replace':
      return `-R ${command.chain} ${command.number}${formatRuleBody(command.rule)}`;
    case 'delete-number':
      return `-D ${command.chain} ${command.number}`;
    case 'new-chain':
      return `-N ${command.chain}`;
    case 'flush':
      return command.chain === undefined ? '-F' : `-F ${command.chain}`;
    case 'delete-chain':
      return command.chain === undefined ? '-X' : `-X ${command.chain}`;
    case 'zero':
      return command.chain === undefined ? '-Z' : `-Z ${command.chain}`;
    case 'rename-chain':
      return `-E ${command.chain} ${command.to}`;
    case 'policy':
      return `-P ${command.chain} ${command.policy}`;
  }
}

/** The text of `rules`: the lines it was read from, each as iptables-save spells it. */
export function printRules(rules: SavedRules): string {
  const lines: string[] = [];
  for (const section of rules.sections) {
    lines.push(...section.preamble, `*${section.table}`);
    for (const command of section.commands) lines.push(formatCommand(command));
    lines.push('COMMIT');
  }
  lines.push(...rules.epilogue);
  const text = lines.join('\n');
  return rules.endsWithNewline && lines.length > 0 ? `${text}\n` : text;
}

function printTable(lines: string[], table: Table, counters: boolean): void {
  lines.push(`*${table.name}`);
  for (const chain of table.chains.values()) {
    lines.push(
      `:${chain.name} ${chain.policy ?? '-'} ${chain.counters === undefined ? '[0:0]' : formatCounters(chain.counters)}`,
    );
  }
  for (const chain of table.chains.values()) {
    for (const rule of chain.rules) {
      const text = formatRule(chain.name, rule);
      lines.push(
        counters ? `${rule.counters === undefined ? '[0:0]' : formatCounters(rule.counters)} ${text}` : text,
      );
    }
  }
  lines.push('COMMIT');
}

/** What iptables-save (with `counters`: `-c`) prints for `rules`, without its comment lines. */
export function printRuleSet(rules: RuleSet, options: { readonly counters?: boolean } = {}): string {
  const lines: string[] = [];
  for (const table of rules.tables.values()) printTable(lines, table, options.counters ?? false);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}
