/**
 * Chains that come down to a list of endpoints: perhaps a mark for some sources, then one of several DNATs with
 * nearly equal chances by `statistic` rules (or just one), perhaps another mark when the packet comes from the
 * endpoint itself. That is what every kube-proxy Service is; nothing here knows kube-proxy's names.
 *
 * A chain is only flattened for packets of which something is known: the exact fields of the rule that led to it.
 * What does not fit the form is not flattened, and then walked.
 */
import type { IpAddress } from '../../wire/ip-address.ts';
import { wordsOf } from './encode-tests.ts';
import type { FlatTable } from './flat-table.ts';
import { ACTION, ACTION_WORDS } from './layout.ts';
import { ONE } from './match-record.ts';
import { endpointWords } from './pool-layout.ts';
import { conditionsOf, NO_PROBABILITY, type RuleConditions, SOURCE, VERDICT } from './rule-conditions.ts';

/** What is known of every packet that gets there. */
export interface Facts {
  readonly destination: IpAddress;
  readonly protocol: number;
  readonly dport: number;
}

/** The rule behind an endpoint. */
export interface EndpointOrigin {
  readonly chain: string;
  /** From 1. */
  readonly number: number;
}

/** Long ways are no leaves. */
const MAX_DEPTH = 16;

/** mark = (mark & keep) ^ flip, for packets from `source` (the rule's record; SOURCE.any: for all). */
interface MarkStep {
  readonly keep: number;
  readonly flip: number;
  readonly source: number;
}

/** One of the DNATs; `step` is the mark that only its packets get. */
interface Choice {
  readonly probability: number;
  readonly step: MarkStep | undefined;
}

/** A chain flattened, one after another: nothing of it outlives the next `flatten`. */
export class Leaf {
  readonly #flat: FlatTable;
  readonly #width: 1 | 4;
  /** Endpoints as the pool keeps them, in the rules' order. */
  endpoints: Int32Array;
  count = 0;
  readonly origins: EndpointOrigin[] = [];
  /** Of each endpoint but the last, in units of 2^-31: that it is taken when those before were not. */
  readonly probabilities: number[] = [];
  /** Before the choice: mark = (mark & keep) ^ flip. */
  keep = -1;
  flip = 0;
  /** The word of `flat`'s records where the source that the mark is for stands, SOURCE.any or SOURCE.none. */
  source: number = SOURCE.none;
  /** For packets whose source is the endpoint that was chosen. */
  hairpinKeep = -1;
  hairpinFlip = 0;
  readonly #facts = new Int32Array(4);
  #protocol = 0;
  #dport = 0;
  readonly #steps: MarkStep[] = [];
  readonly #choices: Choice[] = [];
  readonly #conditions: RuleConditions = { source: SOURCE.any, probability: NO_PROBABILITY };

  constructor(flat: FlatTable) {
    this.#flat = flat;
    this.#width = flat.width;
    this.endpoints = new Int32Array(64 * endpointWords(flat.width));
  }

  get records(): Int32Array {
    return this.#flat.records.words;
  }

  /** Whether the mark is for packets from anywhere but `source`. */
  get negatesSource(): boolean {
    return this.source >= 0 && this.#flat.negatesSource(this.source);
  }

  /** Flattens chain number `chain` for packets of `facts` that have drawn nothing yet. False: it is not of the form. */
  flatten(chain: number, { destination, protocol, dport }: Facts): boolean {
    if (typeof destination === 'number') this.#facts[0] = destination;
    else this.#facts.set(wordsOf(destination));
    this.#protocol = protocol;
    this.#dport = dport;
    this.count = 0;
    this.origins.length = 0;
    this.probabilities.length = 0;
    this.#steps.length = 0;
    this.#choices.length = 0;
    return this.#draft(chain, 0) && this.#settle();
  }

  /** Follows a chain to its end; false when it is not of the form or can be fallen out of. */
  #draft(chain: number, depth: number): boolean {
    const { bounds, actions } = this.#flat;
    if (depth > MAX_DEPTH) return false;
    const steps = this.#steps;
    const choices = this.#choices;
    const firstChoice = choices.length;
    const start = bounds.words[2 * chain] ?? 0;
    const end = bounds.words[2 * chain + 1] ?? 0;
    for (let rule = start; rule < end; rule++) {
      const verdict = this.#judge(rule);
      if (verdict === VERDICT.never) continue;
      if (verdict === VERDICT.unknown) return false;
      const { source, probability } = this.#conditions;
      const certain = probability === NO_PROBABILITY;
      const isFirst = choices.length === firstChoice;
      const action = rule * ACTION_WORDS;
      const code = actions.words[action];
      const argument = actions.words[action + 1] ?? 0;
      if (code === ACTION.next) {
        // A draw that decides nothing still is one of the chain's draws: leave such chains alone.
        if (!certain) return false;
      } else if (code === ACTION.mark) {
        if (!certain || !isFirst) return false;
        steps.push({ keep: argument, flip: actions.words[action + 2] ?? 0, source });
      } else if (code === ACTION.dnat) {
        if (source !== SOURCE.any || !this.#addEndpoint(chain, rule - start, action)) return false;
        choices.push({ probability: certain ? ONE : probability, step: undefined });
        if (certain) return true;
      } else if (code === ACTION.jump || code === ACTION.goto) {
        const marks = code === ACTION.jump ? this.#marksOf(argument, source) : undefined;
        if (marks !== undefined) {
          if (!certain || !isFirst) return false;
          steps.push(marks);
          continue;
        }
        if (source !== SOURCE.any) return false;
        if (certain && isFirst) return this.#draft(argument, depth + 1);
        const firstStep = steps.length;
        const place = choices.length;
        if (!this.#draft(argument, depth + 1)) return false;
        const only = choices.pop();
        // One way on, with one mark at most.
        if (only === undefined || choices.length !== place) return false;
        if (steps.length - firstStep + (only.step === undefined ? 0 : 1) > 1) return false;
        const step = only.step ?? steps[firstStep];
        steps.length = firstStep;
        choices.push({ probability: certain ? ONE : probability, step });
        if (certain) return true;
      } else return false;
    }
    return false;
  }

  #judge(rule: number): number {
    return conditionsOf(this.#flat, rule, this.#facts, this.#protocol, this.#dport, this.#conditions);
  }

  /** Takes the endpoint that a DNAT of exactly one address and port leads to. */
  #addEndpoint(chain: number, index: number, action: number): boolean {
    const { words } = this.#flat.actions;
    const port = words[action + 1] ?? -1;
    if (port < 0 || words[action + 2] !== 1) return false;
    const stride = endpointWords(this.#width);
    if ((this.count + 1) * stride > this.endpoints.length) {
      const larger = new Int32Array(2 * this.endpoints.length);
      larger.set(this.endpoints);
      this.endpoints = larger;
    }
    const at = this.count * stride;
    for (let word = 0; word < stride; word++) {
      this.endpoints[at + word] = word < this.#width ? (words[action + 3 + word] ?? 0) : 0;
    }
    this.endpoints[at + this.#width] = port;
    this.origins.push({ chain: this.#flat.nameOf(chain), number: index + 1 });
    this.count++;
    return true;
  }

  /** What a chain of nothing but marks does to packets from `source`; undefined when it does anything else. */
  #marksOf(chain: number, source: number): MarkStep | undefined {
    const { bounds, actions } = this.#flat;
    let keep = -1;
    let flip = 0;
    const end = bounds.words[2 * chain + 1] ?? 0;
    for (let rule = bounds.words[2 * chain] ?? 0; rule < end; rule++) {
      const verdict = this.#judge(rule);
      if (verdict === VERDICT.never) continue;
      const { source: more, probability } = this.#conditions;
      if (verdict === VERDICT.unknown || more !== SOURCE.any || probability !== NO_PROBABILITY)
        return undefined;
      const action = rule * ACTION_WORDS;
      const code = actions.words[action];
      if (code === ACTION.next) continue;
      if (code !== ACTION.mark) return undefined;
      keep &= actions.words[action + 1] ?? 0;
      flip = (flip & (actions.words[action + 1] ?? 0)) ^ (actions.words[action + 2] ?? 0);
    }
    return { keep, flip, source };
  }

  /** Brings the draft into the form that dispatch tables hold; false when it has another. */
  #settle(): boolean {
    const steps = this.#steps;
    const choices = this.#choices;
    const [first] = choices;
    if (first === undefined) return false;
    let hairpin = first.step;
    const last = steps.at(-1);
    if (choices.length === 1 && hairpin === undefined && last !== undefined && this.#isHairpin(last, 0)) {
      hairpin = last;
      steps.pop();
    } else {
      for (const [place, { step }] of choices.entries()) {
        if (step?.keep !== hairpin?.keep || step?.flip !== hairpin?.flip) return false;
        if (step !== undefined && !this.#isHairpin(step, place)) return false;
      }
    }
    if (steps.length > 1) return false;
    const [mark] = steps;
    this.keep = mark?.keep ?? -1;
    this.flip = mark?.flip ?? 0;
    this.source = mark?.source ?? SOURCE.none;
    this.hairpinKeep = hairpin?.keep ?? -1;
    this.hairpinFlip = hairpin?.flip ?? 0;
    for (let place = 0; place + 1 < choices.length; place++) {
      this.probabilities.push(choices[place]?.probability ?? 0);
    }
    return isEven(this.probabilities);
  }

  /** Whether a step is for packets from exactly the endpoint at `place`. */
  #isHairpin({ source }: MarkStep, place: number): boolean {
    if (source < 0 || this.#flat.negatesSource(source)) return false;
    const { records } = this;
    const endpoint = place * endpointWords(this.#width);
    for (let word = 0; word < this.#width; word++) {
      if (records[source + word] !== this.endpoints[endpoint + word]) return false;
      if (records[source + this.#width + word] !== -1) return false;
    }
    return true;
  }
}

/**
 * Whether a draw times the number of choices is the choice or next to it: no threshold is further from its
 * place among equal chances than half a share. Certain and impossible choices are none.
 */
function isEven(probabilities: readonly number[]): boolean {
  const share = 1 / (probabilities.length + 1);
  let left = 1;
  return probabilities.every((probability, index) => {
    left *= (ONE - probability) / ONE;
    const distance = Math.abs(1 - left - (index + 1) * share);
    return probability > 0 && probability < ONE && distance < share / 2;
  });
}
