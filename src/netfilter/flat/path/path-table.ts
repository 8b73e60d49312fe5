/**
 * One loaded table made ready for the flat path: its flat rules with an index for every chain, what its NAT rules
 * need, and a counter for every rule.
 */
import type { LoadedChain, LoadedTable } from '../../loaded-rules.ts';
import type { Chain, Rule } from '../../rule-set.ts';
import { indexChain, largestTable } from '../chain-index.ts';
import { FlatTable } from '../flat-table.ts';
import type { LinearImage } from '../image.ts';
import { ACTION, ACTION_WORDS, RESULT } from '../layout.ts';
import { allocatePrivate, WordList } from '../word-list.ts';
import { LINE_COUNTERS, linesOf } from './rule-lines.ts';

/** What the path does when a rule with a NAT target matches. */
export const NAT_KIND = {
  /** Not a NAT rule, or one that the reference has to carry out. */
  refer: 0,
  /** DNAT to one address, one port, or both. */
  dnat: 1,
  /** MASQUERADE without options: the port is kept if it can be. */
  masquerade: 2,
  /** MASQUERADE --random or --random-fully. */
  masqueradeRandom: 3,
} as const;

/** No long chain is looked for behind more jumps than this. */
const MAX_JUMPS = 4;
const NO_CHAIN = -1;

/** `action` is the rule's ACTION. */
function natKindOf({ target }: Rule, action: number | undefined): number {
  switch (target.kind) {
    case 'dnat':
      if (action !== ACTION.dnat || target.random || target.randomFully) return NAT_KIND.refer;
      return NAT_KIND.dnat;
    case 'masquerade':
      if (target.ports !== undefined) return NAT_KIND.refer;
      return target.random || target.randomFully ? NAT_KIND.masqueradeRandom : NAT_KIND.masquerade;
    default:
      return NAT_KIND.refer;
  }
}

/**
 * True when the path may decide `rule`'s matches in its own order and leave out what cannot match: nothing draws
 * before something else is asked, and nothing is counted but the rule.
 */
function keepsOrder({ matches }: Rule): boolean {
  const draw = matches.findIndex(({ kind }) => kind === 'statistic');
  const behind = draw < 0 ? [] : matches.slice(draw + 1);
  return behind.every(({ kind }) => kind === 'comment') && matches.every(({ kind }) => kind !== 'nfacct');
}

function chainOf({ name, policy, rules }: LoadedChain): Chain {
  return { name, ...(policy === undefined ? {} : { policy }), rules: rules.map(({ rule }) => rule) };
}

/** The devices that a packet meets a chain with; empty: none. */
export interface Devices {
  readonly inDevice: string;
  readonly outDevice: string;
}

export class PathTable {
  readonly #loaded: LoadedTable;
  readonly #flat: FlatTable;
  readonly #shared: Omit<LinearImage, 'base' | 'policy' | 'devices'>;
  /** Whether the reference has to walk all of it. */
  readonly refers: boolean;
  /** NAT_KIND by rule ordinal. */
  readonly natKinds: Uint8Array;
  /** LINE words by rule ordinal. */
  readonly lines: Int32Array;
  /** The same memory: LINE_COUNTERS by rule ordinal. */
  readonly counters: Float64Array;
  /** Packets and bytes that policies decided about, by chain number. */
  readonly policies: Float64Array;

  /** `locals` are the addresses of type LOCAL, ascending ranges of first and last. */
  constructor(loaded: LoadedTable, locals: Uint32Array) {
    this.#loaded = loaded;
    const chains = [...loaded.values()].map(chainOf);
    const flat = new FlatTable('ipv4', chains, allocatePrivate);
    this.#flat = flat;
    this.refers = !chains.every(({ rules }) => rules.every(keepsOrder));
    const index = new WordList(allocatePrivate);
    const same = new WordList(allocatePrivate);
    const indexOf = new Int32Array(flat.bounds.length / 2).fill(-1);
    this.natKinds = new Uint8Array(flat.ruleCount);
    for (const { number, start, chain } of flat.chains()) {
      const input = {
        records: flat.records.words,
        width: 1,
        start,
        end: start + chain.rules.length,
      } as const;
      indexOf[number] = indexChain(input, index, same);
      for (const [at, rule] of chain.rules.entries()) {
        this.natKinds[start + at] = natKindOf(rule, flat.actions.words[(start + at) * ACTION_WORDS]);
      }
    }
    this.lines = linesOf(flat, indexOf);
    this.counters = new Float64Array(this.lines.buffer);
    this.policies = new Float64Array(2 * indexOf.length);
    this.#shared = {
      width: 1,
      records: flat.records.words,
      tests: flat.tests.words,
      actions: flat.actions.words,
      bounds: flat.bounds.words,
      locals,
      same: same.words,
      index: index.words,
      indexOf,
    };
  }

  /** How many chains there are: no walk is deeper. */
  get chains(): number {
    return this.#shared.indexOf.length;
  }

  /** What walking the built-in chain `base` with these devices needs; undefined when the table has none. */
  image(base: string, { inDevice, outDevice }: Devices): LinearImage | undefined {
    const chain = this.#flat.chain(base);
    if (chain === undefined) return undefined;
    const devices = Uint8Array.from(this.#flat.deviceTests, ({ side, ifname, wildcard }) => {
      const actual = side === 'in' ? inDevice : outDevice;
      return (wildcard ? actual.startsWith(ifname) : actual === ifname) ? 1 : 0;
    });
    const policy = chain.chain.policy === 'DROP' ? RESULT.policyDrop : RESULT.policyAccept;
    return { ...this.#shared, base: chain.number, policy, devices };
  }

  /** Every chain's index (chain-index.ts). */
  get index(): Int32Array {
    return this.#shared.index;
  }

  /**
   * The largest table (head) of the first index that jumps from the built-in chain `base` lead to; -1: none is near.
   */
  longIndex(base: string): number {
    const { indexOf, bounds, actions, index } = this.#shared;
    let chain = this.#flat.chain(base)?.number ?? NO_CHAIN;
    for (let jumps = 0; jumps <= MAX_JUMPS && chain !== NO_CHAIN; jumps++) {
      const at = indexOf[chain] ?? -1;
      if (at >= 0) return largestTable(index, at);
      const end = bounds[2 * chain + 1] ?? 0;
      let next = NO_CHAIN;
      for (let rule = bounds[2 * chain] ?? 0; rule < end; rule++) {
        const code = actions[rule * ACTION_WORDS];
        if (code !== ACTION.jump && code !== ACTION.goto) continue;
        const target = actions[rule * ACTION_WORDS + 1] ?? 0;
        const isIndexed = (indexOf[target] ?? -1) >= 0;
        if (isIndexed || next === NO_CHAIN) next = target;
        if (isIndexed) break;
      }
      chain = next;
    }
    return -1;
  }

  /** The number of the built-in chain `base` if it has no rules and its policy is ACCEPT, else -1. */
  passingChain(base: string): number {
    const flat = this.#flat.chain(base);
    const passes = flat?.chain.rules.length === 0 && flat.chain.policy !== 'DROP';
    return passes ? flat.number : -1;
  }

  /** Counts a packet of `bytes` for the policy of chain number `chain`. */
  countPolicy(chain: number, bytes: number): void {
    const { policies } = this;
    policies[2 * chain] = (policies[2 * chain] ?? 0) + 1;
    policies[2 * chain + 1] = (policies[2 * chain + 1] ?? 0) + bytes;
  }

  /**
   * Where the packets and, behind them, the bytes of rule `number` (from 1) of `chain` are in `counters`, or those
   * of its policy in `policies`; undefined when `chain` is not of this table.
   */
  counterOf(chain: LoadedChain, number: number | undefined): number | undefined {
    const flat = this.#loaded.get(chain.name) === chain ? this.#flat.chain(chain.name) : undefined;
    if (flat === undefined) return undefined;
    if (number === undefined) return 2 * flat.number;
    return (flat.start + number - 1) * LINE_COUNTERS.doubles + LINE_COUNTERS.packets;
  }
}
