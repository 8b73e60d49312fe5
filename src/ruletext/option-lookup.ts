/** Which option a long name means: iptables' own or one of an extension on the line, also cut short. */
import type { Match } from '../netfilter/match.ts';
import type { Target } from '../netfilter/target.ts';
import { LONG_OPTIONS } from './base-options.ts';
import type { OptionShape } from './match-module.ts';
import type { ExtensionUse } from './open-extension.ts';

export type AnyUse = ExtensionUse<Match> | ExtensionUse<Target>;

/** An option of an open extension. */
export interface FoundOption {
  readonly use: AnyUse;
  readonly option: string;
  readonly shape: OptionShape;
}

/**
 * What `name` (without dashes) means on a line that has the extensions `open`, in the order they were
 * opened: the letter of one of iptables' own options, or an extension's option. iptables' own come first,
 * then the newest extension's, as in getopt's merged table (xtables_options_xfrm). Undefined when nothing
 * has it, or it is cut short and several begin so.
 */
export function findOption(open: readonly AnyUse[], name: string): FoundOption | string | undefined {
  return LONG_OPTIONS.get(name) ?? exactOption(open, name) ?? abbreviatedOption(open, name);
}

function exactOption(open: readonly AnyUse[], name: string): FoundOption | undefined {
  for (let i = open.length - 1; i >= 0; i--) {
    const use = open[i];
    const shape = use?.module?.options.get(name);
    if (use !== undefined && shape !== undefined) return { use, option: name, shape };
  }
  return undefined;
}

function abbreviatedOption(open: readonly AnyUse[], name: string): FoundOption | string | undefined {
  if (name === '') return undefined;
  const letters = [...LONG_OPTIONS].filter(([long]) => long.startsWith(name)).map(([, letter]) => letter);
  let found: FoundOption | string | undefined = letters[0];
  const shapes = new Set<OptionShape>();
  for (const use of open) {
    for (const [option, shape] of use.module?.options ?? []) {
      if (!option.startsWith(name)) continue;
      shapes.add(shape);
      found = { use, option, shape };
    }
  }
  return new Set(letters).size + shapes.size === 1 ? found : undefined;
}
