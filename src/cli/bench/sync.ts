/** `bench sync`: what it costs to bring a node's rules up to date, whole and for one changed Service. */
import { CompiledTable } from '../../netfilter/flat/compile.ts';
import type { Chain, Table } from '../../netfilter/rule-set.ts';
import { generateIptablesRules } from '../../proxy/iptables/generate.ts';
import { collectGarbage } from './collect.ts';
import type { Backend } from './kernel-node.ts';
import { interleave, type Side, samplesFor } from './measure.ts';
import { type RestoreProgram, Restorer } from './restorer.ts';
import { changedInputs, ownChains } from './sync-texts.ts';
import { natTable, type Size } from './workload.ts';

export interface SyncCost {
  /** Rules, and bytes of text. */
  readonly rules: number;
  readonly bytes: number;
  /** Milliseconds, medians: to write the text, to read it, to compile it. */
  readonly generate: number;
  readonly parse: number;
  readonly compile: number;
}

/** Milliseconds, medians, of the kernel's own program for the same texts. */
export interface RestoreTimes {
  readonly restorer: RestoreProgram;
  /** The whole rule set in the place of the same one, and the change on top of it. */
  readonly full: number;
  readonly change: number;
}

export interface SyncResult extends Size {
  readonly full: SyncCost;
  readonly change: SyncCost;
  readonly kernel: readonly RestoreTimes[];
  readonly rounds: number;
}

/** A table's chains as new objects, so that nothing remembered of the old ones is of use. */
function fresh(table: Table): Table {
  return { ...table, chains: new Map([...table.chains].map(([name, chain]) => [name, { ...chain }])) };
}

function userChains(table: Table): readonly Chain[] {
  return [...table.chains.values()].filter(({ policy }) => policy === undefined);
}

interface Texts {
  readonly full: string;
  readonly before: string;
  readonly after: string;
}

/** The kernel's programs in turn with ours; which way the change goes does not matter, as both are as long. */
function restoreSides(restorer: Restorer, { full, before, after }: Texts): readonly Side<string>[] {
  let turn = 0;
  const { program } = restorer;
  return [
    { name: `${program} full`, run: () => restorer.load(full) },
    { name: `${program} change`, run: () => restorer.add(turn++ % 2 === 0 ? after : before) },
  ];
}

export interface SyncOptions {
  readonly size: Size;
  readonly rounds: number;
  /** The kernel's back ends to measure beside ours; an error where that cannot be done. */
  readonly backends: readonly Backend[];
}

const MILLISECOND = 1e6;

/** The text and the built-in chain of a sync: a change and its undoing, in turns. */
function ourSides(size: Size, { full, before, after }: Texts): readonly Side<string>[] {
  const inputs = changedInputs(size);
  const { family } = size;
  const table = natTable(full, family);
  const compiled = new CompiledTable(table, family);
  compiled.image('PREROUTING');
  const states = [after, before].map((text) => userChains(natTable(text, family)));
  let state = 0;
  let input = fresh(table);
  return [
    {
      name: 'generate',
      prepare: collectGarbage,
      run: () => void generateIptablesRules(inputs.cluster),
    },
    { name: 'parse', prepare: collectGarbage, run: () => void natTable(full, family) },
    {
      name: 'compile',
      prepare: () => {
        input = fresh(table);
        collectGarbage();
      },
      run: () => void new CompiledTable(input, family).image('PREROUTING'),
    },
    { name: 'generate change', run: () => void ownChains(inputs.after) },
    { name: 'parse change', run: () => void natTable(after, family) },
    {
      name: 'compile change',
      run: () => {
        compiled.update(states[state++ % 2] ?? []);
        compiled.image('PREROUTING');
      },
    },
  ];
}

/** Measures our side and the kernel's, taking turns. Throws KernelUnavailable where a back end is not there. */
export async function benchSync({ size, rounds, backends }: SyncOptions): Promise<SyncResult> {
  const inputs = changedInputs(size);
  const texts: Texts = {
    full: generateIptablesRules(inputs.cluster),
    before: ownChains(inputs.before),
    after: ownChains(inputs.after),
  };
  const restorers: Restorer[] = [];
  try {
    for (const backend of backends) restorers.push(new Restorer(backend, size.family));
    const sides = [
      ...ourSides(size, texts),
      ...restorers.flatMap((restorer) => restoreSides(restorer, texts)),
    ];
    const measured = await interleave(sides, { rounds, warmUp: 2 });
    const milliseconds = (name: string) => samplesFor(measured, name).median / MILLISECOND;
    const cost = (text: string, what: '' | ' change'): SyncCost => ({
      rules: text.match(/^-A /gm)?.length ?? 0,
      bytes: text.length,
      generate: milliseconds(`generate${what}`),
      parse: milliseconds(`parse${what}`),
      compile: milliseconds(`compile${what}`),
    });
    return {
      ...size,
      full: cost(texts.full, ''),
      change: cost(texts.after, ' change'),
      kernel: restorers.map(({ program }) => ({
        restorer: program,
        full: milliseconds(`${program} full`),
        change: milliseconds(`${program} change`),
      })),
      rounds,
    };
  } finally {
    for (const restorer of restorers) restorer.close();
  }
}
