/**
 * The options of one extension whose text is kept but whose meaning is not modelled, as a description that
 * `checkExtensionText` reads: which there are, what their values look like, which must or must not go together.
 * Source: the option tables of iptables' extensions/, and what iptables 1.8.9 does.
 */
import type { IpFamily } from '../../../wire/ip-address.ts';
import { createLineTokens, splitLine } from '../../line-tokens.ts';
import type { ValueForm } from './value-forms.ts';

/** The forms of an option's values, in order; none for a flag. */
export type OptionValues = readonly ValueForm[];

export interface ExtensionGrammar {
  readonly options: Readonly<Record<string, OptionValues>>;
  /** May stand after `!`. */
  readonly invertible?: readonly string[];
  /** May be given more than once; `'*'`: all. */
  readonly repeatable?: readonly string[] | '*';
  /** Of each group at least one must be given. */
  readonly required?: readonly (readonly string[])[];
  /** Of each group at most one may be given. */
  readonly exclusive?: readonly (readonly string[])[];
  /** The first goes only with the second. */
  readonly goesWith?: readonly (readonly [option: string, other: string])[];
  /** What the tables cannot say; answers what is wrong. */
  readonly also?: (given: ReadonlyMap<string, readonly string[]>) => string | undefined;
}

/** A flag: an option without values. */
export const FLAG: OptionValues = [];

/** `name` or the one option it begins. */
function fullName(grammar: ExtensionGrammar, name: string): string | undefined {
  if (Object.hasOwn(grammar.options, name)) return name;
  const found = Object.keys(grammar.options).filter((option) => option.startsWith(name));
  return found.length === 1 ? found[0] : undefined;
}

interface Reading {
  readonly given: Map<string, readonly string[]>;
  readonly problem: string | undefined;
}

function readOptions(text: string, grammar: ExtensionGrammar, family: IpFamily): Reading {
  const tokens = createLineTokens();
  splitLine(text, 0, text.length, tokens);
  const given = new Map<string, readonly string[]>();
  let negate = false;
  for (let i = 0; i < tokens.count; ) {
    const word = tokens.words[i++] ?? '';
    if (word === '!') {
      negate = true;
      continue;
    }
    const option = fullName(grammar, word.replace(/^--/, '').replace(/=.*$/s, ''));
    if (option === undefined) return { given, problem: `unknown option '${word}'` };
    const forms = grammar.options[option] ?? FLAG;
    const attached = word.includes('=') ? [word.slice(word.indexOf('=') + 1)] : [];
    const values = [...attached, ...tokens.words.slice(i, i + forms.length - attached.length)];
    i += forms.length - attached.length;
    const wrong = forms.findIndex((each, index) => !each.accepts(values[index] ?? '', family));
    if (wrong >= 0) {
      const expected = forms[wrong]?.expected ?? '';
      return { given, problem: `bad value '${values[wrong]}' for --${option}; expected ${expected}` };
    }
    if (negate && !grammar.invertible?.includes(option)) {
      return { given, problem: `option --${option} cannot be inverted` };
    }
    const { repeatable } = grammar;
    if (given.has(option) && repeatable !== '*' && !repeatable?.includes(option)) {
      return { given, problem: `option --${option} can only be used once` };
    }
    given.set(option, values);
    negate = false;
  }
  return { given, problem: undefined };
}

function dashes(options: readonly string[]): string {
  return options.map((option) => `--${option}`).join(' or ');
}

/** What is wrong with `text`, the options of one use of an extension; undefined when nothing is. */
export function checkExtensionText(
  text: string,
  grammar: ExtensionGrammar,
  family: IpFamily,
): string | undefined {
  const { given, problem } = readOptions(text, grammar, family);
  if (problem !== undefined) return problem;
  const missing = grammar.required?.find((group) => !group.some((option) => given.has(option)));
  if (missing !== undefined) return `option ${dashes(missing)} is missing`;
  for (const group of grammar.exclusive ?? []) {
    const both = group.filter((option) => given.has(option));
    if (both.length > 1)
      return `options ${both.map((option) => `--${option}`).join(' and ')} exclude each other`;
  }
  const alone = grammar.goesWith?.find(([option, other]) => given.has(option) && !given.has(other));
  if (alone !== undefined) return `option --${alone[0]} goes only with --${alone[1]}`;
  return grammar.also?.(given);
}
