/** `-m mark`, `-m connmark`. */
import type { MarkMatch } from '../../netfilter/match.ts';
import { defineExtension, type MatchModule } from '../match-module.ts';
import { bang, formatHex, parseValueMask } from '../numbers.ts';

interface MarkDraft {
  test?: { readonly negate: boolean; readonly value: number; readonly mask: number };
}

function markModule(kind: MarkMatch['kind']): MatchModule {
  return defineExtension<MarkDraft, MarkMatch>({
    name: kind,
    options: {
      mark: {
        values: 1,
        invert: true,
        read: (draft, use) => {
          draft.test = { negate: use.negate, ...parseValueMask(use.context, use.option, use.text) };
        },
      },
    },
    draft: () => ({}),
    finish: ({ test }, context) => {
      if (test === undefined) throw context.error(`-m ${kind} needs --mark`);
      return { kind, ...test };
    },
  });
}

export const MARK_MATCH_MODULES: readonly MatchModule[] = [markModule('mark'), markModule('connmark')];

/** `-m mark --mark VALUE[/MASK]`; a full mask is left out. */
export function formatMark(match: MarkMatch): string {
  const mask = match.mask === 0xffffffff ? '' : `/${formatHex(match.mask)}`;
  return `-m ${match.kind} ${bang(match.negate)}--mark ${formatHex(match.value)}${mask}`;
}
