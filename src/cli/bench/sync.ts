/** `bench sync`: what it costs to bring a node's rules up to date, whole and for one changed Service. */
import { CompiledTable } from '../../netfilter/flat/compile.ts';
import type { Chain, Table } from '../../netfilter/rule-set.ts';
import { generateIptablesRules } from '../../proxy/iptables/generate.ts';
import { toRuleSet } from '../../ruletext/load-rules.ts';
import { parseRules } from '../../ruletext/parse-rules.ts';
import { KernelUnavailable } from '../kernel/libc.ts';
import { RESTORERS, type RestoreTimes, restoreTimes } from './kernel-restore.ts';
import { interleave, samplesFor } from './measure.ts';
import { clusterOf, endpointSlice, type Size } from './workload.ts';

export interface SyncCost {
  /** Rules, and bytes of text. */
  readonly rules: number;
  readonly bytes: number;
  /** Milliseconds, medians: to write the text, to read it, to compile it. */
  readonly generate: number | null;
  readonly parse: number;
  readonly compile: number;
}

export interface SyncResult extends Size {
  readonly full: SyncCost;
  readonly change: SyncCost;
  /** What the kernel's own programs take for the same texts. */
  readonly kernel: readonly RestoreTimes[];
  /** Why there are none, when they were asked for. */
  readonly kernelMissing: string | null;
}

/** The service port whose endpoints change: in the middle of the rules. */
function changedIndex(services: number): number {
  return services >> 1;
}

/** The texts: all rules, and those of the chains that change when one Service gets other endpoints. */
export interface SyncTexts {
  readonly before: string;
  readonly change: string;
}

function natLines(text: string): readonly string[] {
  const lines = text.split('\n');
  const start = lines.indexOf('*nat');
  return lines.slice(start, lines.indexOf('COMMIT', start));
}

function linesByChain(lines: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const chains = new Map<string, string[]>();
  for (const line of lines) {
    if (line.startsWith(':KUBE-')) chains.set(line.slice(1, line.indexOf(' ')), []);
    else if (line.startsWith('-A ')) chains.get(line.slice(3, line.indexOf(' ', 3)))?.push(line);
  }
  return chains;
}

/** What iptables-restore --noflush is given for the chains of `after` that `before` has not or has otherwise. */
function changeText(before: string, after: string): string {
  const old = linesByChain(natLines(before));
  const changed = [...linesByChain(natLines(after))].filter(
    ([name, lines]) => old.get(name)?.join('\n') !== lines.join('\n'),
  );
  // The chain that others jump to has to be there when the text is read by itself, as kube-proxy writes it.
  const marks = linesByChain(natLines(after)).get('KUBE-MARK-MASQ') ?? [];
  const chains = [['KUBE-MARK-MASQ', marks] as const, ...changed];
  const declared = chains.map(([name]) => `:${name} - [0:0]`);
  return ['*nat', ...declared, ...chains.flatMap(([, lines]) => lines), 'COMMIT', ''].join('\n');
}

export function syncTexts(size: Size): SyncTexts {
  const cluster = clusterOf(size);
  const index = changedIndex(size.services);
  const before = generateIptablesRules(cluster);
  const endpointSlices = cluster.endpointSlices.with(
    index,
    endpointSlice(index, size, size.services * size.endpoints),
  );
  return { before, change: changeText(before, generateIptablesRules({ ...cluster, endpointSlices })) };
}

function natOf(text: string, { family }: Size): Table {
  const nat = toRuleSet(parseRules(text, { family })).tables.get('nat');
  if (nat === undefined) throw new RangeError('the text has no nat table');
  return nat;
}

/** A table's chains as new objects, so that nothing remembered of the old ones is of use. */
function fresh(table: Table): Table {
  return { ...table, chains: new Map([...table.chains].map(([name, chain]) => [name, { ...chain }])) };
}

function userChains(table: Table): readonly Chain[] {
  return [...table.chains.values()].filter(({ policy }) => policy === undefined);
}

export interface SyncOptions {
  readonly size: Size;
  readonly rounds: number;
  /** How often the kernel's programs run; 0: not at all. */
  readonly kernelRounds: number;
}

const MILLISECOND = 1e6;

/** Measures our side and, when wanted and possible, the kernel's. */
export async function benchSync({ size, rounds, kernelRounds }: SyncOptions): Promise<SyncResult> {
  const cluster = clusterOf(size);
  const { before, change } = syncTexts(size);
  const nat = natOf(before, size);
  const changed = natOf(change, size);
  const compiled = new CompiledTable(nat, size.family);
  compiled.image('PREROUTING');
  // Back and forth between the old chains and the new ones; old and new endpoints have different names.
  const states = [userChains(changed), userChains(changed).flatMap(({ name }) => nat.chains.get(name) ?? [])];
  let state = 0;
  let input = fresh(nat);
  const measured = await interleave(
    [
      { name: 'generate', run: () => void generateIptablesRules(cluster) },
      { name: 'parse', run: () => void natOf(before, size) },
      {
        name: 'compile',
        prepare: () => {
          input = fresh(nat);
        },
        run: () => {
          new CompiledTable(input, size.family).image('PREROUTING');
        },
      },
      { name: 'parse change', run: () => void natOf(change, size) },
      {
        name: 'compile change',
        run: () => {
          compiled.update(states[state % 2] ?? []);
          compiled.image('PREROUTING');
          state++;
        },
      },
    ],
    { rounds, warmUp: 2 },
  );
  const milliseconds = (name: Parameters<typeof measured.get>[0]) =>
    samplesFor(measured, name).median / MILLISECOND;
  const rulesIn = (text: string) => text.split('\n').filter((line) => line.startsWith('-A ')).length;
  const kernel: RestoreTimes[] = [];
  let kernelMissing: string | null = null;
  for (const restorer of kernelRounds > 0 ? RESTORERS : []) {
    try {
      kernel.push(restoreTimes(restorer, { full: before, change, rounds: kernelRounds }));
    } catch (error) {
      if (!(error instanceof KernelUnavailable)) throw error;
      kernelMissing = error.message;
    }
  }
  return {
    ...size,
    full: {
      rules: rulesIn(before),
      bytes: before.length,
      generate: milliseconds('generate'),
      parse: milliseconds('parse'),
      compile: milliseconds('compile'),
    },
    change: {
      rules: rulesIn(change),
      bytes: change.length,
      generate: null,
      parse: milliseconds('parse change'),
      compile: milliseconds('compile change'),
    },
    kernel,
    kernelMissing,
  };
}
