/** `-m comment` and `-m nfacct`: matches that every packet passes. */
import type { CommentMatch, NfacctMatch } from '../../netfilter/match.ts';
import { defineExtension, type MatchModule } from '../match-module.ts';
import { cutToBytes, quote } from '../quoting.ts';

/** XT_MAX_COMMENT_LEN less the terminator. */
const MAX_COMMENT = 255;
/** NFACCT_NAME_MAX less the terminator. */
const MAX_COUNTER_NAME = 31;

export const NOTE_MATCH_MODULES: readonly MatchModule[] = [
  defineExtension<{ text?: string }, CommentMatch>({
    name: 'comment',
    options: {
      comment: {
        values: 1,
        read: (draft, use) => {
          draft.text = cutToBytes(use.text, MAX_COMMENT);
        },
      },
    },
    draft: () => ({}),
    finish: ({ text }, context) => {
      if (text === undefined) throw context.error('-m comment needs --comment');
      return { kind: 'comment', text };
    },
  }),
  defineExtension<{ name?: string }, NfacctMatch>({
    name: 'nfacct',
    options: {
      'nfacct-name': {
        values: 1,
        read: (draft, use) => {
          if (use.text === '') throw use.context.error('--nfacct-name is empty; expected a name');
          draft.name = cutToBytes(use.text, MAX_COUNTER_NAME);
        },
      },
    },
    draft: () => ({}),
    finish: ({ name }, context) => {
      if (name === undefined) throw context.error('-m nfacct needs --nfacct-name');
      return { kind: 'nfacct', name };
    },
  }),
];

/** `-m comment --comment TEXT`. */
export function formatComment(match: CommentMatch): string {
  return `-m comment --comment ${quote(match.text)}`;
}

/** `-m nfacct --nfacct-name  NAME`; the two blanks are libxt_nfacct's. */
export function formatNfacct(match: NfacctMatch): string {
  return `-m nfacct --nfacct-name  ${quote(match.name)}`;
}
