/**
 * The final rules of a chain so far, found again by what they ask, so that a chain of a hundred thousand rules is
 * not compared pair by pair. A rule is filed under its narrowest exact question; a later rule that implies it
 * answers that question too, nearly always in the same form, so it is looked for in the files of its answers.
 */
import type { Match } from '../../../netfilter/match.ts';
import type { Rule } from '../../../netfilter/rule-set.ts';
import { type IpAddress, maskAddress } from '../../../wire/ip-address.ts';
import { maskLength, prefixMask } from '../../../wire/ip-prefix.ts';
import { formatMatch } from '../../format-rule.ts';

export interface EarlierRule {
  readonly rule: Rule;
  /** From 0, in its chain. */
  readonly index: number;
  readonly line: number;
  /** Fields that its matches look at. */
  readonly reads: number;
}

type Side = 'source' | 'destination';

function addressKey(side: Side, address: IpAddress, length: number): string {
  const digits =
    typeof address === 'number' ? address : `${address.w0}.${address.w1}.${address.w2}.${address.w3}`;
  return `${side}/${length}/${digits}`;
}

/** The one port that `match` lets through, as text that tells its side and protocol too. */
function portKey(match: Match, end: 'sport' | 'dport'): string | undefined {
  if (match.kind !== 'tcp' && match.kind !== 'udp' && match.kind !== 'sctp') return undefined;
  const test = match[end];
  return test === undefined || test.negate || test.from !== test.to
    ? undefined
    : `${match.kind}/${end}/${test.from}`;
}

/** Whole devices and sets: a rule that implies such a match says the very same. */
function questionKey(match: Match): string | undefined {
  if (match.kind === 'in-device' || match.kind === 'out-device') {
    return match.wildcard || match.negate ? undefined : `${match.kind}/${match.ifname}`;
  }
  return match.kind === 'set' ? formatMatch(match) : undefined;
}

function questionKeys(matches: readonly Match[]): readonly string[] {
  const keys = matches.map(questionKey);
  return keys.filter((key) => key !== undefined);
}

const EVERYTHING = '';

interface Exact {
  readonly side: Side;
  readonly address: IpAddress;
  readonly length: number;
}

function exactAddress(matches: readonly Match[], side: Side): Exact | undefined {
  for (const match of matches) {
    if (match.kind !== side || match.negate) continue;
    const length = maskLength(match.mask);
    if (length !== undefined) return { side, address: match.address, length };
  }
  return undefined;
}

function exactPort(matches: readonly Match[], end: 'sport' | 'dport'): string | undefined {
  for (const match of matches) {
    const key = portKey(match, end);
    if (key !== undefined) return key;
  }
  return undefined;
}

export class EarlierRules {
  readonly #files = new Map<string, EarlierRule[]>();
  readonly #lengths: Readonly<Record<Side, Set<number>>> = { source: new Set(), destination: new Set() };

  get isEmpty(): boolean {
    return this.#files.size === 0;
  }

  add(entry: EarlierRule): void {
    const key = this.#keyOf(entry.rule.matches);
    const file = this.#files.get(key);
    if (file === undefined) this.#files.set(key, [entry]);
    else file.push(entry);
  }

  #keyOf(matches: readonly Match[]): string {
    const port = exactPort(matches, 'dport') ?? exactPort(matches, 'sport');
    const address = exactAddress(matches, 'destination') ?? exactAddress(matches, 'source');
    if (address === undefined) return port ?? questionKeys(matches)[0] ?? EVERYTHING;
    this.#lengths[address.side].add(address.length);
    const key = addressKey(address.side, address.address, address.length);
    return port === undefined ? key : `${key} ${port}`;
  }

  /** Rules that may take every packet of `matches`, in no particular order. */
  *candidates(matches: readonly Match[]): Generator<EarlierRule> {
    const ports = [exactPort(matches, 'dport'), exactPort(matches, 'sport')].filter(
      (key) => key !== undefined,
    );
    yield* this.#files.get(EVERYTHING) ?? [];
    for (const key of [...ports, ...questionKeys(matches)]) yield* this.#files.get(key) ?? [];
    for (const side of ['destination', 'source'] as const) {
      const exact = exactAddress(matches, side);
      if (exact === undefined) continue;
      for (const length of this.#lengths[side]) {
        if (length > exact.length) continue;
        const network = maskAddress(exact.address, prefixMask(exact.address, length));
        const key = addressKey(side, network, length);
        yield* this.#files.get(key) ?? [];
        for (const port of ports) yield* this.#files.get(`${key} ${port}`) ?? [];
      }
    }
  }
}
