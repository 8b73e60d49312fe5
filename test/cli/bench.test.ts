import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { registerBench } from '../../src/cli/bench.ts';
import { InputError } from '../../src/sim/input-error.ts';

// They measure, and machines differ.
vi.setConfig({ testTimeout: 60_000 });

let directory = '';
let printed = '';
let warned = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bench-'));
  [printed, warned] = ['', ''];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    warned += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  chmodSync(directory, 0o700);
  rmSync(directory, { recursive: true, force: true });
});

async function bench(...words: readonly string[]): Promise<string> {
  const program = new Command('kubewire').exitOverride();
  registerBench(program);
  for (const command of program.commands) command.exitOverride().configureOutput({ outputError: () => {} });
  await program.parseAsync(['bench', ...words], { from: 'user' });
  return printed;
}

/** The one line that the user would see. */
async function refusal(...words: readonly string[]): Promise<string> {
  try {
    await bench(...words);
  } catch (error) {
    if (error instanceof InputError) return error.describe().replaceAll(directory, 'DIR');
    if (error instanceof CommanderError) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

const TINY = ['--services', '3', '--endpoints', '2', '--rounds', '3'];

describe('what is refused', () => {
  test.each([
    ['no subject', [], /missing required argument 'subject'/],
    [
      'an unknown subject',
      ['speed'],
      /'speed' is invalid.*lookup, sync, forward, kernel, scale, mesh, ratios/,
    ],
    ['an unknown flag', ['lookup', '--fast'], /unknown option '--fast'/],
    ['no Services', ['lookup', '--services', '0'], /whole number from 1 to 1000000/],
    ['a list with a hole', ['lookup', '--services', '10,,20'], /whole number from 1 to 1000000/],
    ['a negative number', ['lookup', '--services=-5'], /whole number from 1 to 1000000/],
    ['half an endpoint', ['lookup', '--endpoints', '1.5'], /whole number from 1 to 1000/],
    ['too few rounds', ['lookup', '--rounds', '2'], /whole number from 3 to 100000/],
    [
      'an unknown engine',
      ['lookup', '--engine', 'linear,warp'],
      /Expected some of linear, indexed, compiled, flat/,
    ],
    ['an unknown destination', ['lookup', '--to', 'nearest'], /Expected some of first, last, uniform, zipf/],
    ['an unknown family', ['lookup', '--family', 'ipx'], /Allowed choices are ipv4, ipv6/],
    ['an unknown mode', ['lookup', '--mode', 'ipvs'], /Allowed choices are iptables, nftables/],
    ['a large seed', ['lookup', '--seed', '4294967296'], /whole number from 0 to 4294967295/],
    ['nftables mode', ['lookup', '--mode', 'nftables'], /^--mode nftables: there are no rules of that mode/],
    [
      'an engine that a node has not',
      ['forward', '--engine', 'indexed'],
      /^--engine indexed: bench forward has no such engine; expected some of linear, compiled, flat$/,
    ],
    ['an engine of whole nodes', ['lookup', '--engine', 'flat'], /^--engine flat: bench lookup has no such/],
    ['a chart of sync', ['sync', '--chart', 'x.svg'], /^--chart: there is no chart of sync; expected/],
  ])('%s', async (_, words, message) => {
    const line = await refusal(...words);
    expect(line).toMatch(message);
    expect(line).not.toContain('\n');
    expect(printed).toBe('');
  });

  test('a user who is not root gets one line about it', async () => {
    vi.spyOn(process, 'getuid').mockReturnValue(1000);
    for (const words of [
      ['kernel', ...TINY],
      ['lookup', '--kernel', ...TINY],
      ['sync', '--kernel', ...TINY],
    ]) {
      // Without koffi, or off Linux, that is what is missing first.
      expect(await refusal(...words)).toMatch(
        /^bench (kernel|lookup|sync): (root is needed|the optional package koffi|a Linux kernel is needed)/,
      );
    }
    expect(printed).toBe('');
  });

  test('flags without a meaning for the subject are pointed out, not obeyed', async () => {
    await bench('sync', ...TINY, '--nodes', '7');
    expect(warned).toBe('kubewire: bench sync: --nodes has no meaning here and is left out\n');
  });
});

const MACHINE = ['cpu', 'cores', 'memoryGiB', 'kernel', 'node', 'v8', 'load'];

describe('JSON', () => {
  test('lookup: a result for each size, kind of destinations and engine', async () => {
    const { machine, results } = JSON.parse(
      await bench('lookup', ...TINY, '--services', '1,3', '--engine', 'linear,indexed,compiled', '--json'),
    );
    expect(Object.keys(machine)).toEqual(MACHINE);
    expect(results).toHaveLength(2 * 4 * 3);
    for (const result of results) {
      expect(result).toEqual({
        services: expect.any(Number),
        endpoints: 2,
        family: 'ipv4',
        engine: expect.stringMatching(/^(linear|indexed|compiled)$/),
        spread: expect.stringMatching(/^(first|last|uniform|zipf)$/),
        perSecond: expect.any(Number),
        nanoseconds: expect.any(Number),
        p50: expect.any(Number),
        p99: expect.any(Number),
        burst: expect.any(Number),
        best: expect.any(Number),
        rulesTraversed: expect.any(Number),
        packets: expect.any(Number),
        rounds: 3,
      });
      expect(result.p99).toBeGreaterThanOrEqual(result.p50);
      expect(result.best).toBeLessThanOrEqual(result.nanoseconds);
      expect(result.perSecond).toBeGreaterThan(0);
    }
  });

  test.each(['ipv4', 'ipv6'])('lookup, %s: packets to later Services meet more rules', async (family) => {
    const { results } = JSON.parse(
      await bench(
        'lookup',
        '--services',
        '40',
        '--rounds',
        '3',
        '--to',
        'first,last',
        '--family',
        family,
        '--json',
      ),
    );
    const [first, , last] = results;
    expect(last.rulesTraversed - first.rulesTraversed).toBeCloseTo(39, 0);
  });

  test('sync: all rules and one Service', async () => {
    const { results } = JSON.parse(await bench('sync', ...TINY, '--json'));
    const cost = {
      rules: expect.any(Number),
      bytes: expect.any(Number),
      generate: expect.any(Number),
      parse: expect.any(Number),
      compile: expect.any(Number),
    };
    expect(results).toEqual([
      { services: 3, endpoints: 2, family: 'ipv4', full: cost, change: cost, kernel: [], rounds: 3 },
    ]);
    // The mark, then for the Service: mark, and for each endpoint choice, hairpin mark, DNAT.
    expect(results[0].change.rules).toBe(1 + 1 + 2 * 3);
  });

  test('forward: every engine', async () => {
    const { results } = JSON.parse(await bench('forward', ...TINY, '--packets', '300', '--json'));
    expect(results.map((each: { engine: string }) => each.engine)).toEqual(['linear', 'compiled', 'flat']);
    for (const { newFlows, established, packets } of results) {
      expect(packets).toBe(300);
      expect(newFlows).toBeGreaterThan(0);
      expect(established).toBeGreaterThan(0);
    }
  });
});

describe('scale', () => {
  test('one large rule set and a fleet', async () => {
    const words = ['scale', '--services', '5', '--endpoints', '2', '--nodes', '4', '--json'];
    const { services, steps, peakBytes, rules, bytes, fleet } = JSON.parse(await bench(...words));
    expect(services).toBe(5);
    expect(steps.map((step: { name: string }) => step.name)).toEqual([
      'make the Services',
      'generate',
      'read',
      'compile',
      'dispatch table',
    ]);
    expect(peakBytes).toBeGreaterThan(1 << 20);
    expect(bytes).toBeGreaterThan(rules);
    expect(fleet).toMatchObject({ services: 5, endpoints: 2, family: 'ipv4', nodes: 4 });
  });
});

describe('mesh', () => {
  test('every request is answered by a pod of the Service that was asked', async () => {
    const words = ['mesh', '--nodes', '3', '--pods', '6', '--services', '2', '--requests', '30', '--json'];
    const { requests, answered, packets, virtualSeconds } = JSON.parse(await bench(...words));
    expect(requests).toBe(30);
    expect(answered).toBe(30);
    // Handshake, request, answer and end: ten packets, each met by several hosts.
    expect(packets).toBeGreaterThan(30 * 20);
    expect(virtualSeconds).toBeGreaterThan(1);
  });
});

describe('text', () => {
  test.each([
    ['lookup', []],
    ['sync', []],
    ['forward', ['--packets', '50']],
    ['scale', ['--nodes', '3']],
    ['mesh', ['--pods', '4', '--requests', '4']],
  ])('%s begins with the machine', async (subject, words) => {
    const lines = (await bench(subject, ...TINY, ...words)).split('\n');
    expect(lines[0]).toMatch(/ cores, \d+ GiB, Linux .*, Node v/);
    expect(lines.length).toBeGreaterThan(3);
  });
});

describe('the chart', () => {
  const chart = (path: string) => bench('lookup', ...TINY, '--to', 'uniform', '--chart', path);

  test('is a whole SVG file, and nothing else is left there', async () => {
    const path = join(directory, 'a.svg');
    await chart(path);
    const text = readFileSync(path, 'utf8');
    expect(text).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    expect(text).toContain('compiled engine');
    expect(readdirSync(directory)).toEqual(['a.svg']);
  });

  test('takes the place of the one before, also behind a link', async () => {
    const path = join(directory, 'a.svg');
    writeFileSync(path, 'before');
    symlinkSync('a.svg', join(directory, 'link.svg'));
    await chart(join(directory, 'link.svg'));
    expect(readFileSync(path, 'utf8')).toMatch(/^<svg /);
    expect(readdirSync(directory).sort()).toEqual(['a.svg', 'link.svg']);
  });

  test.each([
    ['a missing directory', 'no/a.svg', 'DIR/no/a.svg: cannot write: no such file or directory'],
    ['a directory', '', 'DIR/: cannot write: is a directory'],
    ['a file as a directory', 'file/a.svg', 'DIR/file/a.svg: cannot write: not a directory'],
  ])('%s is refused before anything is measured', async (_, name, message) => {
    writeFileSync(join(directory, 'file'), 'x');
    expect(await refusal('lookup', ...TINY, '--chart', join(directory, name) + (name ? '' : '/'))).toBe(
      message,
    );
    expect(readdirSync(directory)).toEqual(['file']);
    expect(printed).toBe('');
  });

  test('stays as it was when measuring fails', async () => {
    const path = join(directory, 'a.svg');
    writeFileSync(path, 'before');
    vi.spyOn(process, 'getuid').mockReturnValue(1000);
    await refusal('kernel', ...TINY, '--chart', path);
    expect(readFileSync(path, 'utf8')).toBe('before');
    expect(readdirSync(directory)).toEqual(['a.svg']);
  });
});
