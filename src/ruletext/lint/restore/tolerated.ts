/**
 * Lines that iptables-restore reads although they make no sense, and that our parser refuses. For a check they are
 * read as that program reads them, each with a warning.
 */
import { InputError } from '../../../sim/input-error.ts';
import { type ParseOptions, parseRules } from '../../parse-rules.ts';
import type { SavedRules } from '../../saved-rules.ts';
import { type Finding, type FindingCode, finding } from '../findings.ts';

interface Tolerance {
  readonly code: FindingCode;
  readonly message: string;
  /** The line as it is read; undefined when the tolerance is not about it. */
  readonly read: (line: string) => string | undefined;
}

const COUNTERS = /^\d+:\d+$/;

const TOLERANCES: readonly Tolerance[] = [
  {
    code: 'ignored-counters',
    message: 'counters that are no numbers are ignored (and refused with --counters); write [PACKETS:BYTES]',
    read: (line) => {
      const [prefix, inside = ''] = /^\[([^\]:]+:[^\]]+)\]/.exec(line) ?? [];
      return prefix === undefined || COUNTERS.test(inside) ? undefined : line.slice(prefix.length);
    },
  },
  {
    code: 'ignored-counters',
    message:
      'what follows the policy is no counters and is ignored (and refused with --counters); write [PACKETS:BYTES]',
    read: (line) => {
      const [, declaration, counters] = /^(:[^ \t]+[ \t]+[^ \t]+)[ \t]+([^ \t]+)/.exec(line) ?? [];
      if (declaration === undefined || counters === undefined) return undefined;
      return /^\[\d+:\d+\]$/.test(counters) ? undefined : declaration;
    },
  },
  {
    code: 'open-quote',
    message:
      'the quote of the comment is never closed, so the rest of the line is comment, target and all; close it',
    read: (line) => {
      const words: readonly string[] = line.match(/"(?:[^"\\]|\\.)*"|[^\s"]+|"/g) ?? [];
      const open = words.indexOf('"');
      return open > 0 && /^--com/.test(words[open - 1] ?? '') ? `${line}"` : undefined;
    },
  },
  {
    code: 'listing-command',
    message: 'this lists rules while it restores others; delete the line',
    read: (line) => (/^\s*(-L|-S|--list|--list-rules)(\s|$)/.test(line) ? '#' : undefined),
  },
];

export interface TolerantReading {
  readonly rules: SavedRules;
  readonly warnings: readonly Finding[];
}

/** Reads `text` as iptables-restore does. Throws InputError for what that program refuses too. */
export function parseTolerantly(text: string, options: ParseOptions): TolerantReading {
  const warnings: Finding[] = [];
  const left = new Set(TOLERANCES);
  let current = text;
  for (;;) {
    try {
      return { rules: parseRules(current, options), warnings };
    } catch (error) {
      const line = error instanceof InputError ? error.line : undefined;
      const lines = current.split('\n');
      const bad = line === undefined ? undefined : lines[line - 1];
      const tolerance = bad === undefined ? undefined : [...left].find(({ read }) => read(bad) !== undefined);
      if (tolerance === undefined) throw error;
      // All of its kind at once, so that a file full of them is not read once for each.
      left.delete(tolerance);
      for (const [index, each] of lines.entries()) {
        const repaired = tolerance.read(each);
        if (repaired === undefined) continue;
        lines[index] = repaired;
        warnings.push(finding(tolerance.code, { line: index + 1 }, tolerance.message));
      }
      current = lines.join('\n');
    }
  }
}
