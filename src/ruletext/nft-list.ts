/**
 * `nft list` (nftables 1.0.6, with libxtables) of rules that iptables-nft 1.8.9 programmed.
 *
 * In: tables of the rule model with what has been counted. Out: nft's two streams. What iptables-nft stores as
 * expressions of nftables is printed as such; extensions of xtables with their own translation, which is meant for
 * reading and is not always the rule; and what has no translation as `xt match NAME` or `xt target NAME`.
 */
import { PRIORITY } from '../netfilter/hooks.ts';
import type { TableName } from '../netfilter/rule-set.ts';
import type { IpFamily } from '../wire/ip-address.ts';
import { type CountedRule, nftRuleLine } from './nft-list-rule.ts';
import type { LoadedLibraries } from './nft-list-targets.ts';

export interface NftChain {
  readonly name: string;
  /** Built-in chains only. */
  readonly policy: 'ACCEPT' | 'DROP' | undefined;
  readonly rules: readonly CountedRule[];
}

export interface NftTable {
  readonly family: IpFamily;
  readonly name: TableName;
  /** As they were created. */
  readonly chains: readonly NftChain[];
}

export interface NftListing {
  /** Standard output. */
  readonly text: string;
  /** The lines of standard error. */
  readonly complaints: readonly string[];
}

const NFT_FAMILY: Readonly<Record<IpFamily, string>> = { ipv4: 'ip', ipv6: 'ip6' };

/** `ip nat`. */
function nftTableName({ family, name }: Pick<NftTable, 'family' | 'name'>): string {
  return `${NFT_FAMILY[family]} ${name}`;
}

/** nft has a name for a priority where the kernel gives it its meaning. */
function priority(table: TableName, hook: string): string {
  if (table === 'security') return String(PRIORITY.securityNft);
  if (table !== 'nat') return table;
  if (hook === 'prerouting') return 'dstnat';
  if (hook === 'postrouting') return 'srcnat';
  return String(hook === 'output' ? PRIORITY.dstnat : PRIORITY.srcnat);
}

function baseLine(table: TableName, { name, policy }: NftChain): string[] {
  if (policy === undefined) return [];
  const hook = name.toLowerCase();
  const type = table === 'nat' ? 'nat' : table === 'mangle' && hook === 'output' ? 'route' : 'filter';
  return [`type ${type} hook ${hook} priority ${priority(table, hook)}; policy ${policy.toLowerCase()};`];
}

function chainText(table: NftTable, chain: NftChain, rules: readonly string[]): string {
  const body = [...baseLine(table.name, chain), ...rules].map((line) => `\t\t${line}\n`).join('');
  return `\tchain ${chain.name} {\n${body}\t}\n`;
}

const tableText = (table: NftTable, chains: string) => `table ${nftTableName(table)} {\n${chains}}\n`;

/** Lists `tables`, in their order, as one run of nft does. */
export function nftList(
  tables: readonly NftTable[],
  { stateless = false }: { readonly stateless?: boolean } = {},
): NftListing {
  const loaded: LoadedLibraries = new Map();
  const warnings: string[] = [];
  const complaints: string[] = [];
  const texts = tables.map((table) => {
    let xtables = false;
    const chains = table.chains.map((chain) => {
      const rules = chain.rules.map((rule) => nftRuleLine(rule, { family: table.family, loaded, stateless }));
      xtables ||= rules.some((rule) => rule.xtables);
      complaints.push(...rules.flatMap((rule) => rule.complaints));
      return chainText(
        table,
        chain,
        rules.map(({ text }) => text),
      );
    });
    // nft says so when it fetches the rules, before it prints any.
    if (xtables)
      warnings.push(`# Warning: table ${nftTableName(table)} is managed by iptables-nft, do not touch!`);
    return tableText(table, chains.join('\n'));
  });
  return { text: texts.join(''), complaints: [...warnings, ...complaints] };
}

/** `nft list chains`: the chains of `tables` without their rules. */
export function nftListChains(tables: readonly NftTable[]): string {
  return tables
    .map((table) => tableText(table, table.chains.map((chain) => chainText(table, chain, [])).join('')))
    .join('');
}

/** `nft list tables`. */
export function nftListTables(tables: readonly NftTable[]): string {
  return tables.map((table) => `table ${nftTableName(table)}\n`).join('');
}
