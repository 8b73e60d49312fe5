/** Ways to spoil a file of rules, as slips of people and programs do. */
import type { Random } from '../../src/sim/random.ts';

const JUNK = [
  ...[
    '-j',
    '-A',
    '-p',
    '-s',
    '-m',
    '!',
    '--dport',
    '80',
    '65536',
    '-1',
    '10.0.0.0/33',
    'fd00::1',
    'tcp',
    'udp',
  ],
  ...[
    'ACCEPT',
    'NOSUCH',
    'COMMIT',
    'INPUT',
    'PREROUTING',
    '0x4000',
    '0x4000/0x4000',
    'multiport',
    'nosuch',
    '"',
    '""',
  ],
  ...[
    '[0:0]',
    '-',
    ':',
    '*nat',
    '#',
    'comment',
    '--comment',
    'statistic',
    '--probability',
    '1.5',
    '0.5',
    'mark',
  ],
];

function pick<T>(random: Random, list: readonly T[]): T | undefined {
  return list[random.below(list.length)];
}

type Damage = (lines: string[], random: Random) => void;

/** Applies `change` to the words of a random line that has some. */
function onWords(change: (words: string[], random: Random) => void): Damage {
  return (lines, random) => {
    const at = random.below(lines.length);
    const words = (lines[at] ?? '').split(' ');
    change(words, random);
    lines[at] = words.join(' ');
  };
}

/** Applies `change` to the text of a random line. */
function onText(change: (line: string, at: number, random: Random) => string): Damage {
  return (lines, random) => {
    const index = random.below(lines.length);
    const line = lines[index] ?? '';
    lines[index] = change(line, random.below(line.length + 1), random);
  };
}

const DAMAGES: readonly Damage[] = [
  (lines, random) => lines.splice(random.below(lines.length), 1),
  (lines, random) => {
    const at = random.below(lines.length);
    lines.splice(at, 0, lines[at] ?? '');
  },
  (lines, random) => {
    const [line = ''] = lines.splice(random.below(lines.length), 1);
    lines.splice(random.below(lines.length + 1), 0, line);
  },
  (lines, random) => lines.splice(random.below(lines.length)),
  onWords((words, random) => words.splice(random.below(words.length), 1)),
  onWords((words, random) => {
    const at = random.below(words.length);
    words.splice(at, 0, words[at] ?? '');
  }),
  onWords((words, random) => {
    const [word = ''] = words.splice(random.below(words.length), 1);
    words.splice(random.below(words.length + 1), 0, word);
  }),
  onWords((words, random) => {
    words[random.below(words.length)] = pick(random, JUNK) ?? '';
  }),
  onWords((words, random) => words.splice(random.below(words.length + 1), 0, pick(random, JUNK) ?? '')),
  onText((line, at) => line.slice(0, at) + line.slice(at + 1)),
  onText(
    (line, at, random) => line.slice(0, at) + (pick(random, [...'0159AZaz-:/,"!+. ']) ?? '') + line.slice(at),
  ),
  onText(
    (line, at, random) =>
      line.slice(0, at) + (pick(random, [...'0159AZaz-:/,"!+. ']) ?? '') + line.slice(at + 1),
  ),
  onText((line, at) => line.slice(0, at)),
];

/** `text` with one to three slips in it. */
export function damaged(text: string, random: Random): string {
  const lines = text.split('\n');
  for (let left = 1 + random.below(3); left > 0 && lines.length > 0; left--)
    pick(random, DAMAGES)?.(lines, random);
  return lines.join('\n');
}
