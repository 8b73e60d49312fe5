/** Loading: what the commands of one or more files make of the tables. */
import { describe, expect, test } from 'vitest';
import { mergeRuleSets, ruleSources, toRuleSet } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { printRuleSet } from '../../src/ruletext/print-rules.ts';

const parse = (text: string, file = 'a.save') => parseRules(text, { family: 'ipv4', file });
const load = (...texts: readonly string[]) =>
  printRuleSet(mergeRuleSets(texts.map((text, index) => parse(`${text}\n`, `${index + 1}.save`))));
/** The filter table's rules after loading `commands`, one on each line. */
const rulesAfter = (commands: string) =>
  load(`*filter\n:X - [0:0]\n${commands}\nCOMMIT`).match(/^-A.*$/gm) ?? [];

describe('commands', () => {
  test.each([
    ['rules go to the end', '-A INPUT -s 1.1.1.1\n-A INPUT -s 2.2.2.2', ['1.1.1.1', '2.2.2.2']],
    ['-I puts them first', '-A INPUT -s 1.1.1.1\n-I INPUT -s 2.2.2.2', ['2.2.2.2', '1.1.1.1']],
    [
      '-I at a place',
      '-A INPUT -s 1.1.1.1\n-A INPUT -s 2.2.2.2\n-I INPUT 2 -s 3.3.3.3',
      ['1.1.1.1', '3.3.3.3', '2.2.2.2'],
    ],
    ['-I of a list turns it round', '-I INPUT -s 1.1.1.1,2.2.2.2', ['2.2.2.2', '1.1.1.1']],
    [
      '-D of a rule takes the first',
      '-A INPUT -s 1.1.1.1\n-A INPUT -s 2.2.2.2\n-A INPUT -s 1.1.1.1\n-D INPUT --source 1.1.1.1/32',
      ['2.2.2.2', '1.1.1.1'],
    ],
    ['-D of a number', '-A INPUT -s 1.1.1.1\n-A INPUT -s 2.2.2.2\n-D INPUT 1', ['2.2.2.2']],
    ['-R', '-A INPUT -s 1.1.1.1\n-R INPUT 1 -s 2.2.2.2', ['2.2.2.2']],
    ['-F of a chain', '-A INPUT -s 1.1.1.1\n-A OUTPUT -s 2.2.2.2\n-F INPUT', ['2.2.2.2']],
    ['-F of all', '-A INPUT -s 1.1.1.1\n-A OUTPUT -s 2.2.2.2\n-F', []],
    ['a chain declared again is emptied', '-A X -s 1.1.1.1\n:X - [0:0]\n-A X -s 2.2.2.2', ['2.2.2.2']],
    [
      'a built-in chain declared again is not',
      '-A INPUT -s 1.1.1.1\n:INPUT ACCEPT [0:0]\n-A INPUT -s 2.2.2.2',
      ['1.1.1.1', '2.2.2.2'],
    ],
  ])('%s', (_, commands, sources) => {
    expect(rulesAfter(commands).map((rule) => / -s ([\d.]+)\/32/.exec(rule)?.[1])).toEqual(sources);
  });

  test('-E renames a chain and the jumps to it', () => {
    expect(rulesAfter('-A INPUT -j X\n-A X -j DROP\n-E X Y')).toEqual(['-A INPUT -j Y', '-A Y -j DROP']);
  });

  test('-X deletes empty chains of the user', () => {
    expect(load('*filter\n:X - [0:0]\n:Y - [0:0]\n-X X\nCOMMIT')).not.toContain(':X');
    expect(load('*filter\n:X - [0:0]\n:Y - [0:0]\n-X\nCOMMIT')).toBe(load('*filter\nCOMMIT'));
  });

  test('counters are kept, -Z clears them', () => {
    const before = ':INPUT DROP [7:8]\n[5:6] -A INPUT -j ACCEPT -c 1 2';
    const text = (more: string) =>
      printRuleSet(toRuleSet(parse(`*filter\n${before}${more}\nCOMMIT\n`)), { counters: true });
    expect(text('')).toContain(':INPUT DROP [7:8]');
    expect(text('')).toContain('[1:2] -A INPUT -j ACCEPT');
    expect(text('\n-Z')).toContain(':INPUT DROP [0:0]');
    expect(text('\n-Z INPUT')).toContain('[0:0] -A INPUT -j ACCEPT');
  });
});

describe('order', () => {
  test('built-in chains come first in hook order, the others by their bytes', () => {
    const chains = load(
      '*filter\n:b - [0:0]\n:Z - [0:0]\n:OUTPUT DROP [0:0]\n:_ - [0:0]\n:9 - [0:0]\n:10 - [0:0]\nCOMMIT',
    ).match(/^:\S+/gm);
    expect(chains).toEqual([':INPUT', ':FORWARD', ':OUTPUT', ':10', ':9', ':Z', ':_', ':b']);
  });

  test('tables stay in the order of the text', () => {
    expect(load('*nat\nCOMMIT\n*raw\nCOMMIT\n*filter\nCOMMIT').match(/^\*\w+/gm)).toEqual([
      '*nat',
      '*raw',
      '*filter',
    ]);
  });
});

describe('several files', () => {
  const first =
    '*filter\n:INPUT DROP [0:0]\n:X - [0:0]\n:Y - [0:0]\n-A INPUT -j X\n-A X -s 1.1.1.1\n-A Y -s 3.3.3.3\nCOMMIT';

  test('a declared chain of the user begins anew, others stay, built-in ones grow', () => {
    const rules = load(first, '*filter\n:X - [0:0]\n-A INPUT -j Y\n-A X -s 2.2.2.2\nCOMMIT').match(
      /^-A.*$/gm,
    );
    expect(rules).toEqual(['-A INPUT -j X', '-A INPUT -j Y', '-A X -s 2.2.2.2/32', '-A Y -s 3.3.3.3/32']);
  });

  test('a policy stays unless the second file names it', () => {
    expect(load(first, '*filter\nCOMMIT')).toContain(':INPUT DROP');
    expect(load(first, '*filter\n:INPUT ACCEPT [0:0]\nCOMMIT')).toContain(':INPUT ACCEPT');
  });

  test('the second file may delete from the first', () => {
    expect(load(first, '*filter\n-D INPUT -j X\n-F X\n-X X\nCOMMIT')).not.toContain('X');
  });

  test('other tables are left alone', () => {
    expect(load(first, '*nat\nCOMMIT')).toContain('-A INPUT -j X');
  });

  test('a table that one file holds twice keeps the second', () => {
    const twice = '*filter\n-A INPUT -s 1.1.1.1\nCOMMIT\n*filter\n-A INPUT -s 2.2.2.2\nCOMMIT';
    expect(load(twice).match(/^-A.*$/gm)).toEqual(['-A INPUT -s 2.2.2.2/32']);
  });

  test('the second file is named when it is wrong', () => {
    expect(() => load(first, '*filter\n-A NOPE -j ACCEPT\nCOMMIT')).toThrow(
      expect.objectContaining({ file: '2.save', line: 2 }),
    );
  });

  test('both families at once are refused', () => {
    const other = parseRules('*filter\nCOMMIT\n', { family: 'ipv6', file: '6.save' });
    expect(() => mergeRuleSets([parse(`${first}\n`), other])).toThrow(/expected one family/);
  });
});

test('chains may lead on for as long as they like', () => {
  const names = Array.from({ length: 20_000 }, (_, n) => `C${n}`);
  const lines = names.map((name, n) => `-A ${n === 0 ? 'INPUT' : names[n - 1]} -j ${name}`);
  const text = ['*filter', ...names.map((name) => `:${name} - [0:0]`), ...lines, 'COMMIT', ''].join('\n');
  expect(toRuleSet(parse(text)).tables.get('filter')?.chains.size).toBe(20_003);
});

test('every loaded rule knows the line it came from', () => {
  const file = parse('*filter\n:X - [0:0]\n-A X -s 1.1.1.1,2.2.2.2\n-I X -j DROP\nCOMMIT\n');
  const sources = ruleSources([file]);
  const rules = toRuleSet(file).tables.get('filter')?.chains.get('X')?.rules ?? [];
  expect(rules.map((rule) => sources.get(rule))).toEqual([
    { file: 'a.save', line: 4 },
    { file: 'a.save', line: 3 },
    { file: 'a.save', line: 3 },
  ]);
});
