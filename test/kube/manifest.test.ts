import { describe, expect, it } from 'vitest';
import { originWithin, parseManifests } from '../../src/kube/manifest/manifest.ts';
import { Random } from '../../src/sim/random.ts';
import { refusalOf } from './manifest-text.ts';

const POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n';

/** Kind and line of each object of `text`. */
function outline(text: string): string[] {
  return parseManifests(text, 'in.yaml').map(({ kind, origin }) => `${kind} ${origin.line}`);
}

describe('documents', () => {
  it.each<[string, string, string[]]>([
    ['nothing', '', []],
    ['blank lines and comments', '\n# nothing\n\n', []],
    ['empty documents', '---\n---\n# x\n---\n', []],
    ['one without a marker', POD, ['Pod 1']],
    ['a marker first', `---\n${POD}`, ['Pod 2']],
    ['a comment first', `# one\n# two\n---\n${POD}---\n${POD}`, ['Pod 4', 'Pod 8']],
    ['a marker with a comment', `${POD}--- # next\n${POD}`, ['Pod 1', 'Pod 5']],
    ['content on the marker line', `${POD}--- {apiVersion: v1, kind: Node}\n`, ['Pod 1', 'Node 4']],
    ['documents ended by ...', `${POD}...\n${POD}...\n`, ['Pod 1', 'Pod 5']],
    ['a directive', `%YAML 1.1\n---\n${POD}---\n${POD}`, ['Pod 3', 'Pod 7']],
    ['Windows line ends', `${POD}---\n${POD}`.replaceAll('\n', '\r\n'), ['Pod 1', 'Pod 5']],
    ['a byte order mark', `\ufeff${POD}`, ['Pod 1']],
    [
      '--- inside a block scalar, indented',
      'apiVersion: v1\nkind: ConfigMap\ndata:\n  x: |\n    ---\n    y\n',
      ['ConfigMap 1'],
    ],
    ['---- is no marker', `${POD}x: |\n  a\n----: 1\n`, ['Pod 1']],
    ['flow style', '{apiVersion: v1, kind: Pod}\n', ['Pod 1']],
    ['JSON', '{"apiVersion": "v1",\n "kind": "Pod"}', ['Pod 1']],
    [
      'JSON values one after another',
      '{"apiVersion":"v1","kind":"Pod"}\n\n{"apiVersion":"v1",\n"kind":"Node"}\n',
      ['Pod 1', 'Node 3'],
    ],
    [
      'JSON documents with markers',
      '{"apiVersion":"v1","kind":"Pod"}\n---\n{"apiVersion":"v1","kind":"Node"}\n',
      ['Pod 1', 'Node 3'],
    ],
    [
      'JSON with } in a string',
      '{"apiVersion":"v1","kind":"Pod","x":"}{\\"]"}\n{"apiVersion":"v1","kind":"Node"}',
      ['Pod 1', 'Node 2'],
    ],
  ])('%s', (_, text, expected) => {
    expect(outline(text)).toEqual(expected);
  });

  it('finds every document of a file long enough to be cut', () => {
    const filler = `data:\n  key: ${'x'.repeat(1000)}\n`;
    const document = (n: number) =>
      `---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c${n}\n${filler}`;
    const text = Array.from({ length: 5000 }, (_, n) => document(n)).join('');
    const manifests = parseManifests(text, 'in.yaml');
    expect(manifests.length).toBe(5000);
    for (const [n, { origin }] of manifests.entries()) expect(origin.line).toBe(n * 7 + 2);
  });
});

describe('lists', () => {
  it.each<[string, string, string[]]>([
    [
      'List',
      'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n- apiVersion: v1\n  kind: Node\n',
      ['Pod 4', 'Node 6'],
    ],
    ['an empty List', 'apiVersion: v1\nkind: List\nitems: []\nmetadata: {resourceVersion: ""}\n', []],
    ['a List without items', 'apiVersion: v1\nkind: List\n', []],
    [
      'a typed list, whose items have no kind',
      'apiVersion: v1\nkind: ServiceList\nitems:\n- metadata: {name: a}\n- metadata: {name: b}\n',
      ['Service 4', 'Service 5'],
    ],
    [
      'a List in a List',
      'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  - {apiVersion: v1, kind: Pod}\n',
      ['Pod 7'],
    ],
    [
      'JSON',
      '{"apiVersion":"v1","kind":"List","items":[\n{"apiVersion":"v1","kind":"Pod"},\n\n{"apiVersion":"v1","kind":"Node"}]}',
      ['Pod 2', 'Node 4'],
    ],
  ])('%s', (_, text, expected) => {
    expect(outline(text)).toEqual(expected);
  });
});

describe('what is refused', () => {
  it.each<[string, string, string]>([
    [
      'a tab for indentation',
      'apiVersion: v1\nkind: Pod\nmetadata:\n\tname: x\n',
      'in.yaml:4: not valid YAML: ',
    ],
    ['an unclosed bracket', 'apiVersion: v1\nkind: Pod\nx: [1, 2\n---\n', 'in.yaml:4: not valid YAML: '],
    ['a bad mapping in the second document', `${POD}---\na: b\n c: d\n`, 'in.yaml:6: not valid YAML: '],
    ['a key given twice', 'apiVersion: v1\nkind: Pod\nkind: Node\n', 'in.yaml:3: not valid YAML: '],
    ['an alias of nothing', 'apiVersion: v1\nkind: Pod\nx: *gone\n', 'in.yaml:3: not valid YAML: '],
    ['text', 'hello\n', 'in.yaml:1: expected an object with apiVersion and kind, found the string "hello"'],
    [
      'a list of objects',
      '- a\n- b\n',
      'in.yaml:1: expected an object with apiVersion and kind, found a list',
    ],
    ['no kind', '\napiVersion: v1\nmetadata: {}\n', 'in.yaml:2: the object has no kind'],
    ['no apiVersion', 'kind: Pod\n', 'in.yaml:1: the object has no apiVersion'],
    [
      'a number for apiVersion',
      'kind: Pod\napiVersion: 1\n',
      'in.yaml:2: apiVersion: expected a string, found 1',
    ],
    [
      'items that are no list',
      'apiVersion: v1\nkind: List\nitems: {a: b}\n',
      'in.yaml:3: items: expected a list',
    ],
    ['broken JSON', '{"apiVersion": "v1",\n"kind": "Pod"\n"x": 1}', 'in.yaml:3: not valid YAML: '],
  ])('%s', (_, text, message) => {
    expect(refusalOf(() => parseManifests(text, 'in.yaml'))).toContain(message);
  });
});

it('reads JSON nested deeper than YAML may be; its lines are those of the document', () => {
  const deep = `${'['.repeat(300)}${']'.repeat(300)}`;
  const [manifest] = parseManifests(`{"apiVersion":"v1",\n"kind":"Pod","x":${deep}}`, 'in.yaml');
  expect(manifest?.kind).toBe('Pod');
  expect(manifest === undefined ? 0 : originWithin(manifest.origin, ['kind']).line).toBe(1);
});

describe('lines of fields', () => {
  const text = `# head
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  ports:
  - name: a
    port: 1
  - {name: b,
     port: 2}
  "selector":
    app: >-
      web
`;
  it.each<[string, (string | number)[], number]>([
    ['the object', [], 3],
    ['a field', ['kind'], 4],
    ['an object', ['spec'], 7],
    ['an item', ['spec', 'ports', 0], 9],
    ['a field of an item', ['spec', 'ports', 0, 'port'], 10],
    ['flow style', ['spec', 'ports', 1, 'port'], 12],
    ['a quoted key, a folded value', ['spec', 'selector', 'app'], 14],
    ['a missing field: where it would be', ['spec', 'ports', 1, 'nodePort'], 11],
    ['a missing item', ['spec', 'ports', 7], 8],
  ])('%s', (_, path, line) => {
    const [manifest] = parseManifests(text, 'in.yaml');
    if (manifest === undefined) throw new Error('no manifest');
    expect(originWithin(manifest.origin, path)).toMatchObject({ file: 'in.yaml', line });
  });

  it('are those of a reader who counts, in random documents', () => {
    const seed = 20240607;
    const random = new Random(seed);
    for (let round = 0; round < 200; round++) {
      const lines: string[] = ['apiVersion: v1', 'kind: ConfigMap'];
      const expected: [(string | number)[], number][] = [];
      grow(random, lines, { indent: '', path: [], expected, depth: 0 });
      const [manifest] = parseManifests(`---\n${lines.join('\n')}\n`, 'in.yaml');
      if (manifest === undefined) throw new Error('no manifest');
      for (const [path, line] of expected) {
        const found = originWithin(manifest.origin, path).line;
        expect({ seed, round, path, line: found }).toEqual({ seed, round, path, line: line + 1 });
      }
    }
  });
});

interface Branch {
  readonly indent: string;
  readonly path: (string | number)[];
  readonly expected: [(string | number)[], number][];
  readonly depth: number;
}

/** Appends the lines of a random mapping, and where each of its values is. */
function grow(random: Random, lines: string[], { indent, path, expected, depth }: Branch): void {
  for (let n = random.below(4) + 1; n > 0; n--) {
    if (random.below(3) === 0) lines.push(`${indent}# comment`);
    const key = `k${n}`;
    const here = [...path, key];
    expected.push([here, lines.length + 1]);
    const shape = depth > 3 ? 0 : random.below(4);
    if (shape === 0) lines.push(`${indent}${key}: ${random.below(100)}`);
    else if (shape === 1) lines.push(`${indent}${key}: |`, `${indent}  text: 1`, '', `${indent}  - more`);
    else if (shape === 2) {
      lines.push(`${indent}${key}:`);
      grow(random, lines, { indent: `${indent}  `, path: here, expected, depth: depth + 1 });
    } else {
      lines.push(`${indent}${key}:`);
      for (let item = 0; item < 3; item++) {
        expected.push([[...here, item], lines.length + 1]);
        lines.push(`${indent}- first: [1, 2, {a: b}]`);
        grow(random, lines, { indent: `${indent}  `, path: [...here, item], expected, depth: depth + 1 });
      }
    }
  }
}
