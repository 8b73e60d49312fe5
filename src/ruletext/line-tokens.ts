/**
 * Splits one line of a restore file into words the way iptables-restore does (iptables/xshared.c,
 * add_param_to_argv): blanks separate, double quotes group, a backslash escapes inside quotes only, and
 * a closing quote ends the word. Offsets are kept so that text which is not understood can be copied out.
 */

const SPACE = 32;
const TAB = 9;
const QUOTE = 34;
const BACKSLASH = 92;

/** iptables-restore's buffer for one word (struct xt_param_buf). */
const MAX_WORD = 1023;
/** MAX_ARGC less the three words that iptables-restore puts first. */
const MAX_WORDS = 251;

/** The words of one line; the arrays are reused, so only the first `count` entries mean something. */
export interface LineTokens {
  readonly words: string[];
  /** Offsets into the source text, end exclusive; quotes are inside. */
  readonly starts: number[];
  readonly ends: number[];
  count: number;
  /** What makes the line unreadable, if anything does. */
  problem: string | undefined;
}

/** A fresh, empty buffer of words. */
export function createLineTokens(): LineTokens {
  return { words: [], starts: [], ends: [], count: 0, problem: undefined };
}

/** A word that has a quote in it, from `start`: its value and where it ends (exclusive). */
function readQuotedWord(
  source: string,
  start: number,
  end: number,
): { word: string; next: number; open: boolean } {
  let word = '';
  let open = false;
  for (let i = start; i < end; i++) {
    const code = source.charCodeAt(i);
    if (open) {
      if (code === BACKSLASH && i + 1 < end) word += source[++i] ?? '';
      else if (code === QUOTE) return { word, next: i + 1, open: false };
      else word += source[i] ?? '';
    } else if (code === QUOTE) {
      open = true;
    } else if (code === SPACE || code === TAB) {
      return { word, next: i, open: false };
    } else {
      word += source[i] ?? '';
    }
  }
  return { word, next: end, open };
}

/** Fills `tokens` with the words of `source` from `start` to `end` (one line, without its newline). */
export function splitLine(source: string, start: number, end: number, tokens: LineTokens): void {
  const { words, starts, ends } = tokens;
  let count = 0;
  let i = start;
  tokens.problem = undefined;
  for (;;) {
    let code = 0;
    while (i < end) {
      code = source.charCodeAt(i);
      if (code !== SPACE && code !== TAB) break;
      i++;
    }
    if (i >= end) break;
    const from = i;
    let quoted = false;
    while (i < end) {
      code = source.charCodeAt(i);
      if (code === SPACE || code === TAB) break;
      if (code === QUOTE) {
        quoted = true;
        break;
      }
      i++;
    }
    if (quoted) {
      const read = readQuotedWord(source, from, end);
      if (read.open) tokens.problem ??= 'a quoted word does not end; expected a closing "';
      i = read.next;
      words[count] = read.word;
    } else {
      words[count] = source.slice(from, i);
    }
    starts[count] = from;
    ends[count] = i;
    if (i - from > MAX_WORD && (words[count] ?? '').length > MAX_WORD) {
      tokens.problem ??= `a word is longer than the ${MAX_WORD} bytes that iptables-restore reads`;
    }
    count++;
  }
  if (count > MAX_WORDS) tokens.problem ??= `the line has more than ${MAX_WORDS} words`;
  tokens.count = count;
}
