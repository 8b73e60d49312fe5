/** All small files, by what they are about. */
import { CHAINS } from './chains.ts';
import type { CorpusFile } from './corpus-file.ts';
import { EXTENSIONS } from './extensions.ts';
import { MATCHES } from './matches.ts';
import { PLACES } from './places.ts';
import { RULE_LINES } from './rule-lines.ts';
import { STRUCTURE } from './structure.ts';
import { TARGETS } from './targets.ts';

export const CORPUS: readonly (readonly [about: string, files: readonly CorpusFile[]])[] = [
  ['structure', STRUCTURE],
  ['chains', CHAINS],
  ['rule lines', RULE_LINES],
  ['matches', MATCHES],
  ['targets', TARGETS],
  ['extensions', EXTENSIONS],
  ['places', PLACES],
];
