/** The direction of imports between the rooms, and what the rooms below the command line never touch. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '../../src');

/** Which rooms a room may import, besides itself. `src/index.ts`, the library, stands above them all. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  sim: [],
  wire: [],
  netfilter: ['sim', 'wire'],
  ruletext: ['sim', 'wire', 'netfilter'],
  netstack: ['sim', 'wire', 'netfilter'],
  cni: ['sim', 'wire', 'netstack', 'ruletext'],
  kube: ['sim', 'wire'],
  proxy: ['sim', 'wire', 'kube', 'ruletext'],
  cluster: ['sim', 'wire', 'netfilter', 'ruletext', 'netstack', 'cni', 'kube', 'proxy'],
  cli: ['sim', 'wire', 'netfilter', 'ruletext', 'netstack', 'cni', 'kube', 'proxy', 'cluster'],
};

/** Packages from the registry, and the rooms that may use them. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'js-yaml': ['kube'],
  '@noble/hashes': ['proxy', 'kube', 'cni'],
  'ip-num': ['cni', 'kube', 'cluster', 'wire'],
  netmask: ['cni', 'kube', 'cluster'],
  'dns-packet': ['cluster'],
  commander: ['cli'],
  koffi: ['cli'],
  'raw-socket': ['cli'],
  'pcap-parser': ['cli'],
};

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, text: readFileSync(join(SRC, name), 'utf8') }));

/** Static imports and re-exports at the beginning of a line, and dynamic imports anywhere. */
const IMPORT = /^(?:import|export)\b[^;'`]*\bfrom '([^']+)';|\bimport\('([^']+)'\)/gm;

interface Import {
  readonly file: string;
  readonly room: string;
  readonly target: string;
}

const imports: Import[] = files.flatMap(({ name, text }) =>
  [...text.matchAll(IMPORT)].map(([, fixed, lazy]) => ({
    file: name,
    room: name.split('/')[0] ?? '',
    target: fixed ?? lazy ?? '',
  })),
);

function roomOf({ file, target }: Import): string {
  return relative('.', normalize(join(dirname(file), target))).split('/')[0] ?? '';
}

function packageOf(target: string): string {
  return target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
}

describe('imports', () => {
  it('finds the rooms of the table, and no others', () => {
    const rooms = new Set(
      files.map(({ name }) => name.split('/')[0] ?? '').filter((room) => !room.endsWith('.ts')),
    );
    expect([...rooms].filter((room) => !(room in MAY_IMPORT))).toEqual([]);
  });

  it.each(Object.entries(MAY_IMPORT))('%s imports only %j', (room, allowed) => {
    const strays = imports
      .filter((each) => each.room === room && each.target.startsWith('.'))
      .filter((each) => roomOf(each) !== room && !allowed.includes(roomOf(each)));
    expect(strays.map(({ file, target }) => `${file}: ${target}`)).toEqual([]);
  });

  it('takes packages only where they belong', () => {
    const strays = imports
      .filter(({ target }) => !target.startsWith('.') && !target.startsWith('node:'))
      .filter(({ room, target }) => !(PACKAGES[packageOf(target)] ?? []).includes(room));
    expect(strays.map(({ file, target }) => `${file}: ${target}`)).toEqual([]);
  });

  it('keeps Node out of everything below cli', () => {
    const strays = imports.filter(({ room, target }) => room !== 'cli' && target.startsWith('node:'));
    expect(strays.map(({ file, target }) => `${file}: ${target}`)).toEqual([]);
  });
});

/** Ambient time, randomness and output: an emulation that used them would not repeat itself. */
const AMBIENT =
  /\b(?:console\.|process\.|Date\.now|new Date\b|performance\.now|Math\.random|globalThis\.crypto)/;

describe('determinism', () => {
  it('keeps clock, randomness and output out of everything below cli', () => {
    const lines = files
      .filter(({ name }) => !name.startsWith('cli/'))
      .flatMap(({ name, text }) =>
        text.split('\n').map((line, index) => ({ at: `${name}:${index + 1}`, line })),
      )
      .filter(({ line }) => AMBIENT.test(line) && !/^\s*(?:\*|\/\/|\/\*)/.test(line));
    expect(lines.map(({ at, line }) => `${at} ${line.trim()}`)).toEqual([]);
  });
});
