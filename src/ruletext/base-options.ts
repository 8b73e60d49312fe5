/** The options that belong to no extension (iptables.c, original_opts), long names by their letter. */

export const LONG_OPTIONS: ReadonlyMap<string, string> = new Map([
  ['append', 'A'],
  ['delete', 'D'],
  ['check', 'C'],
  ['insert', 'I'],
  ['replace', 'R'],
  ['list', 'L'],
  ['list-rules', 'S'],
  ['flush', 'F'],
  ['zero', 'Z'],
  ['new-chain', 'N'],
  ['delete-chain', 'X'],
  ['rename-chain', 'E'],
  ['policy', 'P'],
  ['source', 's'],
  ['destination', 'd'],
  ['src', 's'],
  ['dst', 'd'],
  ['protocol', 'p'],
  ['in-interface', 'i'],
  ['jump', 'j'],
  ['table', 't'],
  ['match', 'm'],
  ['numeric', 'n'],
  ['out-interface', 'o'],
  ['verbose', 'v'],
  ['wait', 'w'],
  ['wait-interval', 'W'],
  ['exact', 'x'],
  ['fragments', 'f'],
  ['version', 'V'],
  ['help', 'h'],
  ['line-numbers', '0'],
  ['modprobe', 'M'],
  ['set-counters', 'c'],
  ['goto', 'g'],
  ['ipv4', '4'],
  ['ipv6', '6'],
]);

/** Letters whose value is the rest of the word or the next word. */
export const WITH_VALUE: ReadonlySet<string> = new Set('ACDIRNEPsdpijtmoMcg');

/** Of these iptables looks for the value in a word of its own only: `-s1.2.3.4` and `--source=1.2.3.4` fail. */
export const SEPARATE_VALUE: ReadonlySet<string> = new Set('sdpjio');

/** Letters whose value, if any, is the rest of the word (`--long=VALUE`), else the next word that is none. */
export const WITH_OPTIONAL_VALUE: ReadonlySet<string> = new Set('LSFZXwWh');

/** The letters that stand for a command. */
export const COMMAND_LETTERS: ReadonlySet<string> = new Set('ACDIRNEPFZXLS');
