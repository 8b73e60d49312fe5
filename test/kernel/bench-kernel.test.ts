/** `bench kernel` and its like on this machine's own kernel: real figures, and nothing left behind. */
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { benchKernel, checkKernel, kernelTraffic } from '../../src/cli/bench/kernel.ts';
import { KernelNode } from '../../src/cli/bench/kernel-node.ts';
import { benchLookup } from '../../src/cli/bench/lookup.ts';
import { benchSync } from '../../src/cli/bench/sync.ts';
import { rulesText, type Size } from '../../src/cli/bench/workload.ts';

function output(program: string, ...args: readonly string[]): string {
  return spawnSync(program, args, { encoding: 'utf8' }).stdout;
}

/** What of this machine could be left changed. */
function surroundings() {
  return {
    devices: output('ip', '-o', 'link'),
    legacy: output('iptables-legacy-save', '-t', 'nat').replaceAll(/^#.*$|\[\d+:\d+\]/gm, ''),
    nft: output('nft', '-s', 'list', 'ruleset'),
  };
}

const sizeOf = (services: number, family: Size['family'] = 'ipv4'): Size => ({
  services,
  endpoints: 3,
  family,
});

test.each(['ipv4', 'ipv6'] as const)('%s: figures for each back end and destination', async (family) => {
  const before = surroundings();
  const { results, loading } = await benchKernel({
    size: sizeOf(300, family),
    spreads: ['first', 'last'],
    rounds: 5,
    seed: 1,
  });
  expect(results.map(({ spread, backend }) => `${spread} ${backend}`)).toEqual([
    'first legacy',
    'first nft',
    'last legacy',
    'last nft',
  ]);
  for (const { first, later, handingOver } of results) {
    for (const figure of [first, later, handingOver]) expect(figure).toBeGreaterThan(0);
  }
  expect(loading.map(({ backend }) => backend)).toEqual(['legacy', 'nft']);
  expect(surroundings()).toEqual(before);
});

test('the kernel takes turns with the engines and with the programs that write its rules', async () => {
  const size = sizeOf(20);
  const lookups = await benchLookup({
    size,
    engines: ['compiled'],
    spreads: ['uniform'],
    rounds: 3,
    seed: 1,
    kernel: true,
  });
  expect([lookups.results.length, lookups.kernel.length, lookups.loading.length]).toEqual([1, 2, 2]);
  const sync = await benchSync({ size, rounds: 3, backends: ['legacy', 'nft'] });
  expect(sync.kernel.map(({ restorer }) => restorer)).toEqual([
    'iptables-legacy-restore',
    'iptables-nft-restore',
  ]);
});

test('a kernel that sends packets elsewhere is noticed', () => {
  const size = sizeOf(5);
  // The endpoints of the third Service are those of a pod that nobody speaks of.
  const text = rulesText(size).replaceAll(
    /--to-destination 100\.64\.0\.(8|9|10):/g,
    '--to-destination 100.64.9.9:',
  );
  const node = KernelNode.make({ backend: 'nft', family: 'ipv4', text });
  try {
    expect(() => checkKernel(node, kernelTraffic(size, 'first', 1))).not.toThrow();
    expect(() => checkKernel(node, kernelTraffic(size, 'uniform', 1))).toThrow(
      /to no endpoint of its Service/,
    );
  } finally {
    node.close();
  }
});

/** The network namespaces that processes are in or have open, `net:[NUMBER]`; of `pids`, or of all. */
function namespacesOf(pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))): ReadonlySet<string> {
  const found = new Set<string>();
  for (const pid of pids) {
    const read = (path: string) => {
      try {
        const link = readlinkSync(path);
        if (link.startsWith('net:[')) found.add(link);
      } catch {} // Gone, or closed, by now.
    };
    read(`/proc/${pid}/ns/net`);
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) read(`/proc/${pid}/fd/${fd}`);
    } catch {} // Gone by now.
  }
  return found;
}

async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 600 && !isSo(); turn++) await new Promise((go) => setTimeout(go, 50));
}

test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
  '%s in the middle: nothing is left behind',
  async (signal) => {
    const before = surroundings();
    const home = readlinkSync('/proc/self/ns/net');
    const main = join(import.meta.dirname, '../../dist/cli/main.js');
    const child = spawn(process.execPath, [main, 'bench', 'kernel', '--services', '500', '--rounds', '9999']);
    const ended = new Promise((done) => child.once('exit', done));
    const own = () => [...namespacesOf([String(child.pid)])].filter((each) => each !== home);
    // Both back ends' nodes are there.
    await until(() => own().length >= 2);
    const made = own();
    expect(made.length).toBeGreaterThanOrEqual(2);
    child.kill(signal);
    await ended;
    // A program that it had started may take a moment to end.
    const left = () => made.filter((each) => namespacesOf().has(each));
    await until(() => left().length === 0);
    expect(left()).toEqual([]);
    expect(surroundings()).toEqual(before);
  },
);
