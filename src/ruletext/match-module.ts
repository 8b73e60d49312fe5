/**
 * How one match module (`-m NAME`) is described: its options with what each takes, how they fill a draft,
 * how the draft becomes a match. A table of these drives the parser; nothing else knows the options.
 */
import type { Match } from '../netfilter/match.ts';
import type { IpFamily } from '../wire/ip-address.ts';
import type { RuleContext } from './rule-context.ts';

/** What stands on the line for one option. */
export interface OptionUse {
  /** The option's name, without dashes. */
  readonly option: string;
  /** Its value; empty when it takes none. */
  readonly text: string;
  /** The second value of the few options that take two. */
  readonly second: string;
  readonly negate: boolean;
  readonly context: RuleContext;
}

export interface OptionSpec<Draft> {
  /** Values that follow. */
  readonly values: 0 | 1 | 2;
  /** May stand after `!`. */
  readonly invert?: boolean;
  /** May be repeated. */
  readonly multi?: boolean;
  /** Absent: the option exists but is not modelled, and makes the whole extension unknown. */
  readonly read?: (draft: Draft, use: OptionUse) => void;
  /** False for a value in a form that is not modelled. */
  readonly modelled?: (text: string) => boolean;
}

export type Options<Draft> = Readonly<Record<string, OptionSpec<Draft>>>;

/** One use of a module on a line. */
export interface OpenExtension<Value> {
  read(use: OptionUse): void;
  finish(context: RuleContext): Value;
}

/** What the parser may ask about an option before reading it. */
export interface OptionShape {
  readonly values: 0 | 1 | 2;
  readonly invert: boolean;
  readonly multi: boolean;
  /** False when the option, or this value of it, exists but is not modelled. */
  readonly modelled: (text: string) => boolean;
}

/** An extension with its draft type hidden. */
export interface ExtensionModule<Value> {
  readonly name: string;
  readonly family: IpFamily | undefined;
  /** The protocol that the rule must name with `-p`, unnegated. */
  readonly protocol: number | undefined;
  readonly options: ReadonlyMap<string, OptionShape>;
  /** Undefined for a module whose options are known but not what they mean. */
  readonly open: ((context: RuleContext) => OpenExtension<Value>) | undefined;
}

export type MatchModule = ExtensionModule<Match>;

const always = () => true;
const never = () => false;

/** The shapes of `options`, by name. Names that share a spec are spellings of one option and share a shape. */
export function optionShapes<Draft>(options: Options<Draft>): ReadonlyMap<string, OptionShape> {
  const bySpec = new Map<OptionSpec<Draft>, OptionShape>();
  const shapes = new Map<string, OptionShape>();
  for (const [name, spec] of Object.entries(options)) {
    const shape = bySpec.get(spec) ?? {
      values: spec.values,
      invert: spec.invert ?? false,
      multi: spec.multi ?? false,
      modelled: spec.modelled ?? (spec.read === undefined ? never : always),
    };
    bySpec.set(spec, shape);
    shapes.set(name, shape);
  }
  return shapes;
}

/** Closes over the draft's type, so that modules of different drafts fit one table. */
export function defineExtension<Draft, Value>(spec: {
  readonly name: string;
  readonly family?: IpFamily;
  readonly protocol?: number;
  readonly options: Options<Draft>;
  readonly draft: (context: RuleContext) => Draft;
  readonly finish: (draft: Draft, context: RuleContext) => Value;
}): ExtensionModule<Value> {
  const { options, draft: start, finish } = spec;
  return {
    name: spec.name,
    family: spec.family,
    protocol: spec.protocol,
    options: optionShapes(options),
    open(context) {
      const draft = start(context);
      return {
        read(use) {
          options[use.option]?.read?.(draft, use);
        },
        finish: (at) => finish(draft, at),
      };
    },
  };
}
