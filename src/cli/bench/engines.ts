/** The engines that `bench` compares, on one table. */
import type { Batch } from '../../netfilter/flat/batch.ts';
import { CompiledTable } from '../../netfilter/flat/compile.ts';
import type { Image } from '../../netfilter/flat/image.ts';
import { lookupCompiled, lookupLinear, scratchFor } from '../../netfilter/flat/lookup.ts';
import { FlatPool } from '../../netfilter/flat/pool.ts';
import { type Allocate, allocatePrivate } from '../../netfilter/flat/word-list.ts';
import type { Table } from '../../netfilter/rule-set.ts';
import type { IpFamily } from '../../wire/ip-address.ts';
import { LOCAL_ADDRESSES } from './workload.ts';

/**
 * `linear`: rules one after another; `indexed`: exact fields hashed, per-Service chains walked; `compiled`:
 * those flattened too.
 */
export const ENGINES = ['linear', 'indexed', 'compiled'] as const;
export type EngineName = (typeof ENGINES)[number];

export interface Engine {
  readonly name: EngineName;
  /** Looks up rows `from` to `to`. */
  readonly lookup: (batch: Batch, from: number, to: number) => void;
}

/** The built-in chain that packets meet. */
const BASE = 'PREROUTING';
const SETTING = { inDevice: 'eth0', locals: LOCAL_ADDRESSES };

/** The compiled `table` and the engines on it. */
export function enginesOn(
  table: Table,
  family: IpFamily,
  allocate: Allocate = allocatePrivate,
): {
  readonly compiled: CompiledTable;
  readonly image: Image;
  readonly engines: Readonly<Record<EngineName, Engine>>;
} {
  const compiled = new CompiledTable(table, family, new FlatPool(family, allocate));
  const image = compiled.image(BASE, SETTING);
  const engine = (name: EngineName, of: Image, lookup: typeof lookupLinear): Engine => {
    const scratch = scratchFor(of);
    return { name, lookup: (batch, from, to) => lookup(of, batch, from, to, scratch) };
  };
  return {
    compiled,
    image,
    engines: {
      linear: engine('linear', compiled.linearImage(BASE, SETTING), lookupLinear),
      indexed: engine('indexed', { ...image, front: undefined }, lookupLinear),
      compiled: engine('compiled', image, lookupCompiled),
    },
  };
}

/** What a batch's result columns say, but for how a decision is numbered: for comparing engines. */
export function answersOf(batch: Batch, rows: number): Uint32Array {
  const width = batch.dst.length / batch.capacity;
  const answers = new Uint32Array(rows * (width + 3));
  answers.set(batch.result.subarray(0, rows), 0);
  answers.set(batch.newDport.subarray(0, rows), rows);
  answers.set(batch.newMark.subarray(0, rows), 2 * rows);
  answers.set(batch.newDst.subarray(0, rows * width), 3 * rows);
  return answers;
}

/** The first row in which `a` and `b` differ; undefined when none does. */
export function firstDifference(a: Uint32Array, b: Uint32Array): number | undefined {
  const at = a.findIndex((word, index) => word !== b[index]);
  return at < 0 ? undefined : at;
}
