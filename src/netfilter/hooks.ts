/**
 * Which table, tracker or translator runs at which hook, in which order: the one constant table that the
 * engine, the documentation and the tests read. Priorities are the kernel's NF_IP_PRI_* values.
 */
import type { TableName } from './rule-set.ts';

export const HOOKS = ['prerouting', 'input', 'forward', 'output', 'postrouting'] as const;
export type Hook = (typeof HOOKS)[number];

/** Which iptables programmed the tables: their order differs in one place (security at input). */
export type Backend = 'nft' | 'legacy';

/** Which end of the packet a NAT hook rewrites. */
export type Manip = 'source' | 'destination';

export type HookStep =
  | { readonly priority: number; readonly kind: 'table'; readonly table: TableName }
  | { readonly priority: number; readonly kind: 'conntrack' }
  | { readonly priority: number; readonly kind: 'nat'; readonly manip: Manip }
  | { readonly priority: number; readonly kind: 'confirm' };

export const PRIORITY = {
  raw: -300,
  conntrack: -200,
  mangle: -150,
  dstnat: -100,
  filter: 0,
  security: 50,
  srcnat: 100,
  /** iptables-nft gives its security table this priority instead. */
  securityNft: 150,
  confirm: 0x7fffffff,
} as const;

const raw: HookStep = { priority: PRIORITY.raw, kind: 'table', table: 'raw' };
const track: HookStep = { priority: PRIORITY.conntrack, kind: 'conntrack' };
const mangle: HookStep = { priority: PRIORITY.mangle, kind: 'table', table: 'mangle' };
const dstnat: HookStep = { priority: PRIORITY.dstnat, kind: 'nat', manip: 'destination' };
const filter: HookStep = { priority: PRIORITY.filter, kind: 'table', table: 'filter' };
const srcnat: HookStep = { priority: PRIORITY.srcnat, kind: 'nat', manip: 'source' };
const confirm: HookStep = { priority: PRIORITY.confirm, kind: 'confirm' };

function stepsOf(security: HookStep): Readonly<Record<Hook, readonly HookStep[]>> {
  const ordered = (...steps: HookStep[]) => steps.sort((a, b) => a.priority - b.priority);
  return {
    prerouting: ordered(raw, track, mangle, dstnat),
    input: ordered(mangle, filter, security, srcnat, confirm),
    forward: ordered(mangle, filter, security),
    output: ordered(raw, track, mangle, dstnat, filter, security),
    postrouting: ordered(mangle, srcnat, confirm),
  };
}

/** The steps of each hook in the order in which a packet meets them. */
export const HOOK_STEPS: Readonly<Record<Backend, Readonly<Record<Hook, readonly HookStep[]>>>> = {
  nft: stepsOf({ priority: PRIORITY.securityNft, kind: 'table', table: 'security' }),
  legacy: stepsOf({ priority: PRIORITY.security, kind: 'table', table: 'security' }),
};

/** The built-in chain that a hook enters in every table which has it. */
export const BUILTIN_CHAIN: Readonly<Record<Hook, string>> = {
  prerouting: 'PREROUTING',
  input: 'INPUT',
  forward: 'FORWARD',
  output: 'OUTPUT',
  postrouting: 'POSTROUTING',
};

/** The built-in chains of each table, in the order in which iptables-save prints them. */
export const BUILTIN_CHAINS: Readonly<Record<TableName, readonly string[]>> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  security: ['INPUT', 'FORWARD', 'OUTPUT'],
};
