/** Command lines in the manner of getopt(3): letters may be joined, values may follow at once or as a word. */
import type { ToolExit } from './tool.ts';

export interface OptionTable {
  /** Letters without a value. */
  readonly flags: string;
  /** Letters with one. */
  readonly values: string;
  /** Long options and the letters they stand for. */
  readonly long?: Readonly<Record<string, string>>;
  /** Ends the tool because of a word that is none of these. */
  readonly unknown: (option: string) => ToolExit;
  /** Ends it because a value is missing. */
  readonly missing: (option: string) => ToolExit;
}

export interface ReadOptions {
  readonly has: (letter: string) => boolean;
  /** The last value given for `letter`. */
  readonly value: (letter: string) => string | undefined;
  /** All of them, in order. */
  readonly list: (letter: string) => readonly string[];
  /** The words that are no options. */
  readonly words: readonly string[];
}

/** Reads `args`. Throws the ToolExit that the table gives for what it does not know. */
export function readOptions(args: readonly string[], table: OptionTable): ReadOptions {
  const found: { readonly letter: string; readonly value: string | undefined }[] = [];
  const words: string[] = [];
  let at = 0;
  const valueFor = (option: string, attached: string | undefined): string => {
    const value = attached ?? args[at++];
    if (value === undefined) throw table.missing(option);
    return value;
  };
  const readLong = (word: string) => {
    const [name = '', ...rest] = word.slice(2).split('=');
    const letter = table.long?.[name];
    if (letter === undefined) throw table.unknown(word);
    const attached = rest.length === 0 ? undefined : rest.join('=');
    found.push({ letter, value: table.values.includes(letter) ? valueFor(word, attached) : undefined });
  };
  const readShort = (word: string) => {
    for (let index = 1; index < word.length; index++) {
      const letter = word[index] ?? '';
      if (table.values.includes(letter)) {
        found.push({ letter, value: valueFor(letter, word.slice(index + 1) || undefined) });
        return;
      }
      if (!table.flags.includes(letter)) throw table.unknown(letter);
      found.push({ letter, value: undefined });
    }
  };
  while (at < args.length) {
    const word = args[at++] ?? '';
    if (word === '--') {
      words.push(...args.slice(at));
      break;
    }
    if (word.startsWith('--')) readLong(word);
    else if (word.startsWith('-') && word !== '-') readShort(word);
    else words.push(word);
  }
  const list = (letter: string) =>
    found.flatMap((each) => (each.letter === letter ? (each.value ?? []) : []));
  return {
    has: (letter) => found.some((each) => each.letter === letter),
    value: (letter) => list(letter).at(-1),
    list,
    words,
  };
}
