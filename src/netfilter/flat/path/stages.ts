/** The chains that a forwarded packet meets, made ready for the flat path, and the devices it meets them with. */
import { BUILTIN_CHAIN, type Hook } from '../../hooks.ts';
import type { LoadedRules } from '../../loaded-rules.ts';
import type { TableName } from '../../rule-set.ts';
import type { LinearImage } from '../image.ts';
import { PathTable } from './path-table.ts';
import type { FlatRouting } from './routing.ts';
import { newMemo } from './walk-memo.ts';

/** No device: beyond the numbers of all devices. */
export const NO_DEVICE = -1;

/** One built-in chain. */
export class Stage {
  readonly table: PathTable;
  /** The number of the chain when it has no rules and lets everything pass, else -1. */
  readonly passing: number;
  /** Where packets are looked up first in a long chain: PathTable.longIndex. */
  readonly longIndex: number;
  readonly #chain: string;
  readonly #devices: readonly string[];
  /** By incoming and outgoing device. */
  readonly #images: (LinearImage | undefined)[] = [];
  readonly #memos: (Int32Array | undefined)[] = [];

  constructor(table: PathTable, chain: string, devices: readonly string[]) {
    this.table = table;
    this.#chain = chain;
    this.#devices = devices;
    this.passing = table.passingChain(chain);
    this.longIndex = table.longIndex(chain);
  }

  /** What is kept of walks with these devices. */
  memo(inDevice: number, outDevice: number): Int32Array {
    const at = this.#pairOf(inDevice, outDevice);
    const known = this.#memos[at];
    if (known !== undefined) return known;
    const memo = newMemo();
    this.#memos[at] = memo;
    return memo;
  }

  /** What walking the chain with these devices needs; the table has the chain. */
  image(inDevice: number, outDevice: number): LinearImage | undefined {
    const at = this.#pairOf(inDevice, outDevice);
    const known = this.#images[at];
    if (known !== undefined) return known;
    const name = (device: number) => this.#devices[device] ?? '';
    const image = this.table.image(this.#chain, {
      inDevice: name(inDevice),
      outDevice: name(outDevice),
    });
    this.#images[at] = image;
    return image;
  }

  #pairOf(inDevice: number, outDevice: number): number {
    return inDevice * (this.#devices.length + 1) + outDevice + 1;
  }
}

/** The stages of a rule set; undefined where it has no such table or the table no such chain. */
export interface Stages {
  readonly tables: ReadonlyMap<TableName, PathTable>;
  readonly tracks: boolean;
  readonly translates: boolean;
  readonly rawPrerouting: Stage | undefined;
  readonly manglePrerouting: Stage | undefined;
  readonly natPrerouting: Stage | undefined;
  readonly mangleForward: Stage | undefined;
  readonly filterForward: Stage | undefined;
  readonly securityForward: Stage | undefined;
  readonly manglePostrouting: Stage | undefined;
  readonly natPostrouting: Stage | undefined;
  /** Walks are no deeper than this. */
  readonly depth: number;
}

/** Makes `rules` ready. */
export function stagesOf(rules: LoadedRules, { devices, locals }: FlatRouting): Stages {
  const tables = new Map<TableName, PathTable>();
  for (const [name, table] of rules.tables) tables.set(name, new PathTable(table, locals));
  const stage = (name: TableName, hook: Hook) => {
    const table = tables.get(name);
    const chain = BUILTIN_CHAIN[hook];
    return table !== undefined && rules.tables.get(name)?.has(chain)
      ? new Stage(table, chain, devices)
      : undefined;
  };
  return {
    tables,
    tracks: rules.tracksConnections,
    translates: rules.tables.has('nat'),
    rawPrerouting: stage('raw', 'prerouting'),
    manglePrerouting: stage('mangle', 'prerouting'),
    natPrerouting: stage('nat', 'prerouting'),
    mangleForward: stage('mangle', 'forward'),
    filterForward: stage('filter', 'forward'),
    securityForward: stage('security', 'forward'),
    manglePostrouting: stage('mangle', 'postrouting'),
    natPostrouting: stage('nat', 'postrouting'),
    depth: Math.max(0, ...[...tables.values()].map(({ chains }) => chains)),
  };
}
