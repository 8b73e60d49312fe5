/** `nft list …`: the rules in force, as nftables 1.0.6 shows what iptables-nft programmed. */
import { type NftTable, nftList, nftListChains, nftListTables } from '../../ruletext/nft-list.ts';
import type { IpFamily } from '../../wire/ip-address.ts';
import { readOptions } from './options.ts';
import { type Tool, type ToolContext, ToolExit } from './tool.ts';

/** nft's families, and what of them iptables programs. */
const FAMILIES: Readonly<Record<string, readonly IpFamily[]>> = {
  ip: ['ipv4'],
  ip6: ['ipv6'],
  inet: [],
  arp: [],
  bridge: [],
  netdev: [],
};
const ALL: readonly IpFamily[] = ['ipv4', 'ipv6'];

/** The tables of `families` with what their rules have counted. */
function tablesOf({ namespace }: ToolContext, families: readonly IpFamily[]): NftTable[] {
  namespace.loadRules();
  const { netfilter } = namespace.host;
  return families.flatMap((family) =>
    [...netfilter.rules(family).tables].map(([name, chains]) => ({
      family,
      name,
      chains: [...chains.values()].map((chain) => ({
        name: chain.name,
        policy: chain.policy,
        rules: chain.rules.map((rule) => ({ rule: rule.rule, ...netfilter.counters.of(rule) })),
      })),
    })),
  );
}

/** Ends as nft does at word `at` of its command, which it marks. */
function fail(words: readonly string[], at: number, problem: string): ToolExit {
  const command = words.join(' ');
  const before = words.slice(0, at).join(' ');
  const [indent, marks] =
    at < words.length ? [before === '' ? 0 : before.length + 1, words[at]?.length ?? 1] : [command.length, 1];
  return new ToolExit(1, `Error: ${problem}\n${command}\n${' '.repeat(indent)}${'^'.repeat(marks)}`);
}

/** What `list` takes after its object and a family: names of a table and of a chain. */
const OBJECTS: Readonly<Record<string, number>> = { ruleset: 0, tables: 0, chains: 0, table: 1, chain: 2 };

interface Command {
  readonly object: string;
  readonly families: readonly IpFamily[];
  readonly names: readonly string[];
  /** Of the first name. */
  readonly namesAt: number;
}

function readCommand(words: readonly string[]): Command {
  const [verb, object = ''] = words;
  if (verb === undefined) throw new ToolExit(1, 'nft: no command specified');
  const count = OBJECTS[object];
  if (verb !== 'list' || count === undefined) {
    const known = Object.keys(OBJECTS).join(', ');
    throw new ToolExit(1, `nft: '${words.join(' ')}' is not supported here; list is, of ${known}`);
  }
  const given = FAMILIES[words[2] ?? ''];
  const namesAt = given === undefined ? 2 : 3;
  const names = words.slice(namesAt);
  if (names.length < count)
    throw fail(words, words.length, 'syntax error, unexpected newline, expecting string');
  if (names.length > count)
    throw fail(
      words,
      namesAt + count,
      'syntax error, unexpected string, expecting end of file or newline or semicolon',
    );
  // A table or chain without a family is one of ip.
  return { object, families: given ?? (count === 0 ? ALL : ['ipv4']), names, namesAt };
}

/** The one table, with the one chain if one is named. */
function named(tables: readonly NftTable[], words: readonly string[], { names, namesAt }: Command): NftTable {
  const [tableName, chainName] = names;
  const absent = 'No such file or directory';
  const table = tables.find(({ name }) => name === tableName);
  if (table === undefined) throw fail(words, namesAt, absent);
  if (chainName === undefined) return table;
  const chains = table.chains.filter(({ name }) => name === chainName);
  if (chains.length === 0) throw fail(words, namesAt + 1, absent);
  return { ...table, chains };
}

/** `nft`: lists rule sets, tables and chains; programs nothing. */
export const nft: Tool = (args, context) => {
  const { has, words: given } = readOptions(args, {
    flags: 's',
    values: '',
    long: { stateless: 's' },
    unknown: (option) => new ToolExit(1, `nft: option '${option}' is not supported here`),
    missing: (option) => new ToolExit(1, `nft: option requires an argument -- '${option}'`),
  });
  const words = given.flatMap((word) => word.split(/\s+/)).filter((word) => word !== '');
  const command = readCommand(words);
  const tables = tablesOf(context, command.families);
  if (command.object === 'tables') context.print(nftListTables(tables));
  else if (command.object === 'chains') context.print(nftListChains(tables));
  else {
    const wanted = command.object === 'ruleset' ? tables : [named(tables, words, command)];
    const { text, complaints } = nftList(wanted, { stateless: has('s') });
    for (const complaint of complaints) context.complain(`${complaint}\n`);
    context.print(text);
  }
  return 0;
};
