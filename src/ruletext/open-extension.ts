/**
 * One `-m NAME` or `-j NAME` of the line being read: collects its options, and keeps their text so that
 * what is not understood can be kept verbatim.
 */
import type { LineTokens } from './line-tokens.ts';
import type { ExtensionModule, OpenExtension, OptionShape, OptionUse } from './match-module.ts';
import { protocolName } from './protocols.ts';
import type { RuleContext } from './rule-context.ts';

/** Where an option and its values stand among the words of the line; `last` is inclusive. */
export interface WordSpan {
  readonly first: number;
  readonly last: number;
}

/** An option as it stands on the line: what the extension reads, and where. */
export interface OptionOnLine extends OptionUse, WordSpan {
  readonly shape: OptionShape;
}

export class ExtensionUse<Value> {
  readonly name: string;
  /** Undefined when nothing is known about the extension, not even its options. */
  readonly module: ExtensionModule<Value> | undefined;
  #reader: OpenExtension<Value> | undefined;
  /** Most extensions have one option; the list is made for the second. */
  #firstSeen: OptionShape | undefined;
  #seen: OptionShape[] | undefined;
  /** Words first..last of this use's latest unbroken run of options. */
  #first = -1;
  #last = -1;
  #earlier: WordSpan[] | undefined;

  constructor(name: string, module: ExtensionModule<Value> | undefined, context: RuleContext) {
    this.name = name;
    this.module = module;
    this.#reader = module?.open?.(context);
  }

  /** Words that belong to this use without being one of its options. */
  addWords(first: number, last: number): void {
    if (this.#first < 0) this.#first = first;
    else if (first !== this.#last + 1) {
      this.#earlier ??= [];
      this.#earlier.push({ first: this.#first, last: this.#last });
      this.#first = first;
    }
    this.#last = last;
  }

  /** One of the module's options, checked the way xtables_option_parse does. */
  addOption(use: OptionOnLine): void {
    const { shape, context } = use;
    if (use.negate && !shape.invert) {
      throw context.error(`${this.name}: option --${use.option} cannot be inverted`);
    }
    if (!shape.multi) this.#checkOnce(use);
    this.addWords(use.first, use.last);
    if (!shape.modelled(use.text)) this.#reader = undefined;
    this.#reader?.read(use);
  }

  #checkOnce({ shape, option, context }: OptionOnLine): void {
    if (this.#firstSeen === undefined) {
      this.#firstSeen = shape;
      return;
    }
    this.#seen ??= [this.#firstSeen];
    if (this.#seen.includes(shape))
      throw context.error(`${this.name}: option --${option} can only be used once`);
    this.#seen.push(shape);
  }

  /** The value read, or undefined when some of it is not understood: then `verbatim` has it. */
  finish(context: RuleContext): Value | undefined {
    const needed = this.module?.protocol;
    if (needed !== undefined && (context.protocol?.number !== needed || context.protocol.negate)) {
      throw context.error(`${this.name} needs -p ${protocolName(needed)}`);
    }
    return this.#reader?.finish(context);
  }

  /** The options as written. */
  verbatim(source: string, tokens: LineTokens): string {
    if (this.#first < 0) return '';
    const slice = ({ first, last }: WordSpan) => source.slice(tokens.starts[first], tokens.ends[last]);
    const spans = [...(this.#earlier ?? []), { first: this.#first, last: this.#last }];
    return spans.map(slice).join(' ');
  }
}
