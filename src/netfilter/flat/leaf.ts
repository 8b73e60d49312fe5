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

/**
 * Words of a step: mark = (mark & keep) ^ flip, for packets from the source that stands at this word of the records
 * (SOURCE.any: for all; SOURCE.none: there is no step).
 */
const STEP = { keep: 0, flip: 1, source: 2, words: 3 } as const;
/** Words of a choice: its probability, and the step that only its packets get. */
const CHOICE = { probability: 0, step: 1, words: 4 } as const;
/** Chains with more choices than this are walked. */
const MAX_CHOICES = 4096;
const MAX_STEPS = 16;

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
  readonly #steps = new Int32Array(MAX_STEPS * STEP.words);
  #stepCount = 0;
  readonly #choices = new Int32Array(MAX_CHOICES * CHOICE.words);
  #choiceCount = 0;
  #marksKeep = -1;
  #marksFlip = 0;
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
    this.#stepCount = 0;
    this.#choiceCount = 0;
    return this.#draft(chain, 0) && this.#settle();
  }

  /** Follows a chain to its end; false when it is not of the form or can be fallen out of. */
  #draft(chain: number, depth: number): boolean {
    const { bounds, actions } = this.#flat;
    if (depth > MAX_DEPTH) return false;
    const firstChoice = this.#choiceCount;
    const start = bounds.words[2 * chain] ?? 0;
    const end = bounds.words[2 * chain + 1] ?? 0;
    for (let rule = start; rule < end; rule++) {
      const verdict = this.#judge(rule);
      if (verdict === VERDICT.never) continue;
      if (verdict === VERDICT.unknown) return false;
      const { source, probability } = this.#conditions;
      const certain = probability === NO_PROBABILITY;
      const isFirst = this.#choiceCount === firstChoice;
      const action = rule * ACTION_WORDS;
      const code = actions.words[action];
      const argument = actions.words[action + 1] ?? 0;
      if (code === ACTION.next) {
        // A draw that decides nothing still is one of the chain's draws: leave such chains alone.
        if (!certain) return false;
      } else if (code === ACTION.mark) {
        if (!certain || !isFirst) return false;
        if (!this.#addStep(argument, actions.words[action + 2] ?? 0, source)) return false;
      } else if (code === ACTION.dnat) {
        if (source !== SOURCE.any || !this.#addEndpoint(chain, rule - start, action)) return false;
        if (!this.#addChoice(certain ? ONE : probability, -1)) return false;
        if (certain) return true;
      } else if (code === ACTION.jump || code === ACTION.goto) {
        if (code === ACTION.jump && this.#isMarks(argument)) {
          if (!certain || !isFirst || !this.#addStep(this.#marksKeep, this.#marksFlip, source)) return false;
          continue;
        }
        if (source !== SOURCE.any) return false;
        if (certain && isFirst) return this.#draft(argument, depth + 1);
        if (!this.#draftChoice(argument, depth + 1, certain ? ONE : probability)) return false;
        if (certain) return true;
      } else return false;
    }
    return false;
  }

  /** Follows a chain that is one choice of several: it has one way on, with one mark at most. */
  #draftChoice(chain: number, depth: number, probability: number): boolean {
    const firstStep = this.#stepCount;
    const place = this.#choiceCount;
    if (!this.#draft(chain, depth) || this.#choiceCount !== place + 1) return false;
    const own = this.#choices[place * CHOICE.words + CHOICE.step + STEP.source] !== SOURCE.none;
    const steps = this.#stepCount - firstStep;
    if (steps + (own ? 1 : 0) > 1) return false;
    this.#choices[place * CHOICE.words] = probability;
    if (steps === 1) this.#setStep(place, firstStep);
    this.#stepCount = firstStep;
    return true;
  }

  #addStep(keep: number, flip: number, source: number): boolean {
    if (this.#stepCount === MAX_STEPS) return false;
    const at = this.#stepCount++ * STEP.words;
    this.#steps[at + STEP.keep] = keep;
    this.#steps[at + STEP.flip] = flip;
    this.#steps[at + STEP.source] = source;
    return true;
  }

  /** A choice with the step at `step`, or with none (-1). */
  #addChoice(probability: number, step: number): boolean {
    if (this.#choiceCount === MAX_CHOICES) return false;
    const place = this.#choiceCount++;
    this.#choices[place * CHOICE.words] = probability;
    this.#choices[place * CHOICE.words + CHOICE.step + STEP.source] = SOURCE.none;
    if (step >= 0) this.#setStep(place, step);
    return true;
  }

  #setStep(place: number, step: number): void {
    const at = place * CHOICE.words + CHOICE.step;
    for (let word = 0; word < STEP.words; word++) {
      this.#choices[at + word] = this.#steps[step * STEP.words + word] ?? 0;
    }
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

  /** Whether a chain does nothing but mark all packets of the facts; then #marksKeep and #marksFlip say how. */
  #isMarks(chain: number): boolean {
    const { bounds, actions } = this.#flat;
    let keep = -1;
    let flip = 0;
    const end = bounds.words[2 * chain + 1] ?? 0;
    for (let rule = bounds.words[2 * chain] ?? 0; rule < end; rule++) {
      const verdict = this.#judge(rule);
      if (verdict === VERDICT.never) continue;
      const { source, probability } = this.#conditions;
      if (verdict === VERDICT.unknown || source !== SOURCE.any || probability !== NO_PROBABILITY)
        return false;
      const action = rule * ACTION_WORDS;
      const code = actions.words[action];
      if (code === ACTION.next) continue;
      if (code !== ACTION.mark) return false;
      keep &= actions.words[action + 1] ?? 0;
      flip = (flip & (actions.words[action + 1] ?? 0)) ^ (actions.words[action + 2] ?? 0);
    }
    this.#marksKeep = keep;
    this.#marksFlip = flip;
    return true;
  }

  /** Brings the draft into the form that dispatch tables hold; false when it has another. */
  #settle(): boolean {
    const steps = this.#steps;
    const choices = this.#choices;
    const count = this.#choiceCount;
    if (count === 0) return false;
    const sourceOf = (place: number) => choices[place * CHOICE.words + CHOICE.step + STEP.source] ?? 0;
    if (count === 1 && sourceOf(0) === SOURCE.none && this.#stepCount > 0) {
      const last = this.#stepCount - 1;
      if (this.#isHairpin(steps[last * STEP.words + STEP.source] ?? 0, 0)) {
        this.#setStep(0, last);
        this.#stepCount = last;
      }
    }
    const hairpin = sourceOf(0) !== SOURCE.none;
    this.hairpinKeep = hairpin ? (choices[CHOICE.step + STEP.keep] ?? 0) : -1;
    this.hairpinFlip = hairpin ? (choices[CHOICE.step + STEP.flip] ?? 0) : 0;
    for (let place = 0; place < count; place++) {
      const at = place * CHOICE.words + CHOICE.step;
      const source = sourceOf(place);
      if (hairpin !== (source !== SOURCE.none)) return false;
      if (!hairpin) continue;
      if (choices[at + STEP.keep] !== this.hairpinKeep || choices[at + STEP.flip] !== this.hairpinFlip) {
        return false;
      }
      if (!this.#isHairpin(source, place)) return false;
    }
    if (this.#stepCount > 1) return false;
    const marked = this.#stepCount === 1;
    this.keep = marked ? (steps[STEP.keep] ?? 0) : -1;
    this.flip = marked ? (steps[STEP.flip] ?? 0) : 0;
    this.source = marked ? (steps[STEP.source] ?? 0) : SOURCE.none;
    for (let place = 0; place + 1 < count; place++) {
      this.probabilities.push((choices[place * CHOICE.words] ?? 0) >>> 0);
    }
    return isEven(this.probabilities);
  }

  /** Whether a source is exactly the endpoint at `place`. */
  #isHairpin(source: number, place: number): boolean {
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
