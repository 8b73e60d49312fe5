import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type RulesOptions, runRules } from '../../src/cli/rules.ts';
import { InputError } from '../../src/sim/input-error.ts';
import { comparable } from '../proxy/compare-saves.ts';
import { loadManifests, rulesOf } from '../proxy/load-manifests.ts';
import { manifestOf, randomCluster } from '../proxy/random-cluster.ts';

const CASES = join(import.meta.dirname, '../conformance/kube-proxy/iptables');
const CLUSTERIP = join(CASES, 'clusterip/cluster.yaml');

let directory = '';
let printed = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rules-'));
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true, force: true });
});

function run(options: Partial<RulesOptions>): Promise<void> {
  return runRules({ filename: [CLUSTERIP], family: 'ipv4', ...options });
}

async function failure(options: Partial<RulesOptions>): Promise<string> {
  try {
    await run(options);
  } catch (error) {
    if (error instanceof InputError) return error.describe().replaceAll(directory, 'DIR');
    throw error;
  }
  throw new Error('no error');
}

function file(name: string, text: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

const NODE = (name: string) => `apiVersion: v1
kind: Node
metadata: {name: ${name}}
`;

describe.each(readdirSync(CASES))('case %s, derivation included', (name) => {
  test.each([
    { family: 'ipv4', save: 'iptables.save' },
    { family: 'ipv6', save: 'ip6tables.save' },
  ] as const)('$save', async ({ family, save }) => {
    await run({ filename: [join(CASES, name)], family });
    expect(comparable(printed)).toEqual(comparable(readFileSync(join(CASES, name, save), 'utf8')));
  });
});

test('random clusters: nothing that is given is changed by derivation, seeds 1 to 60', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const manifest = manifestOf(randomCluster(seed));
    const filename = [file('random.yaml', manifest)];
    for (const family of ['ipv4', 'ipv6'] as const) {
      printed = '';
      await run({ filename, family });
      expect(printed, `seed ${seed}`).toBe(rulesOf(loadManifests(manifest), family));
    }
  }
});

describe('whose rules', () => {
  test('those of the node asked for', async () => {
    await run({ filename: [join(CASES, 'loadbalancer-local/cluster.yaml')] });
    const first = printed;
    printed = '';
    await run({ filename: [join(CASES, 'loadbalancer-local/cluster.yaml')], node: 'worker-2' });
    expect(comparable(printed)).not.toEqual(comparable(first));
  });

  test('without configuration those of the first node', async () => {
    const path = file('nodes.yaml', `${NODE('b')}---\n${NODE('a')}`);
    await run({ filename: [path] });
    const first = printed;
    printed = '';
    await run({ filename: [path], node: 'b' });
    expect(printed).toBe(first);
  });
});

describe('one line says what is wrong', () => {
  test.each<{ what: string; options: () => Partial<RulesOptions>; message: string | RegExp }>([
    {
      what: 'unknown node',
      options: () => ({ node: 'nope' }),
      message: "no node 'nope'; the nodes are worker-1, worker-2, worker-3",
    },
    {
      what: 'unknown hostnameOverride',
      options: () => ({
        filename: [
          file('nodes.yaml', NODE('a')),
          file(
            'proxy.yaml',
            'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nhostnameOverride: b\n',
          ),
        ],
      }),
      message: "no node 'b', which the KubeProxyConfiguration's hostnameOverride names; the nodes are a",
    },
    {
      what: 'nftables',
      options: () => ({ mode: 'nftables' }),
      message: /^mode nftables is not supported yet/,
    },
    { what: '--all-nodes alone', options: () => ({ allNodes: true }), message: /^--all-nodes needs --dir/ },
    { what: '--dir alone', options: () => ({ dir: 'x' }), message: '--dir goes with --all-nodes' },
    {
      what: '--node and --all-nodes',
      options: () => ({ allNodes: true, dir: 'x', node: 'a' }),
      message: '--node and --all-nodes exclude each other',
    },
    {
      what: 'no such file',
      options: () => ({ filename: [join(directory, 'none.yaml')] }),
      message: 'DIR/none.yaml: cannot read: no such file or directory',
    },
    {
      what: 'directory without manifests',
      options: () => ({ filename: [directory] }),
      message: 'DIR: the directory holds no *.yaml, *.yml or *.json file',
    },
    {
      what: 'not text',
      options: () => ({ filename: [file('x.yaml', new Uint8Array([0xff, 0xfe, 0x41]))] }),
      message: 'DIR/x.yaml: cannot read: expected UTF-8 text',
    },
    { what: '- twice', options: () => ({ filename: ['-', '-'] }), message: /can be read only once$/ },
    {
      what: 'port 99999',
      options: () => ({
        filename: [
          file(
            'bad.yaml',
            `${NODE('a')}---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports:\n  - {port: 99999}\n`,
          ),
        ],
      }),
      message: /^DIR\/bad\.yaml:10: .*99999/,
    },
    {
      what: 'an endpoint iptables-restore refuses',
      options: () => ({
        filename: [
          file(
            'zeros.yaml',
            readFileSync(CLUSTERIP, 'utf8').replace('addresses: [10.244.1.5]', 'addresses: [010.244.1.5]'),
          ),
        ],
      }),
      message:
        /^DIR\/zeros\.yaml:\d+: address '010\.244\.1\.5' in EndpointSlice default\/web-a: iptables-restore refuses it/,
    },
  ])('$what', async ({ options, message }) => {
    const found = await failure(options());
    if (typeof message === 'string') expect(found).toBe(message);
    else expect(found).toMatch(message);
    expect(found).not.toContain('\n');
    expect(printed).toBe('');
  });
});

describe('--all-nodes', () => {
  test('writes what --node prints, one file a node', async () => {
    const dir = join(directory, 'out');
    const filename = [join(CASES, 'dual-stack/cluster.yaml')];
    await run({ filename, allNodes: true, dir });
    await run({ filename, allNodes: true, dir, family: 'ipv6' });
    expect(printed).toBe('');
    const nodes = ['worker-1', 'worker-2', 'worker-3'];
    expect(readdirSync(dir).sort()).toEqual(
      nodes.flatMap((node) => [`${node}.ip6tables.save`, `${node}.iptables.save`]),
    );
    for (const node of nodes) {
      printed = '';
      await run({ filename, node });
      expect(readFileSync(join(dir, `${node}.iptables.save`), 'utf8')).toBe(printed);
    }
  });

  test('leaves everything as it was when one node fails', async () => {
    const dir = join(directory, 'out');
    await run({ allNodes: true, dir });
    writeFileSync(join(dir, 'worker-1.iptables.save'), 'old');
    const before = readdirSync(dir);
    // Under internal policy Local only worker-2 has a use for the address that iptables refuses.
    const text = readFileSync(CLUSTERIP, 'utf8')
      .replace('internalTrafficPolicy: Cluster', 'internalTrafficPolicy: Local')
      .replace('addresses: [10.244.2.6]', 'addresses: [010.244.2.6]');
    await expect(run({ filename: [file('zeros.yaml', text)], allNodes: true, dir })).rejects.toThrow(
      '010.244.2.6',
    );
    expect(readdirSync(dir)).toEqual(before);
    expect(readFileSync(join(dir, 'worker-1.iptables.save'), 'utf8')).toBe('old');
  });

  test('says when the directory cannot be written', async () => {
    const path = file('plain', '');
    expect(await failure({ allNodes: true, dir: path })).toMatch(
      /^DIR\/plain\/\S+: cannot write: not a directory$/,
    );
    expect(await failure({ allNodes: true, dir: join(directory, 'a/b') })).toBe(
      'DIR/a/b: cannot write: no such file or directory',
    );
  });
});

test('a directory stands for its manifests, sorted; other files do not count', async () => {
  file('b.yml', NODE('b'));
  file('a.json', JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' } }));
  file('notes.txt', 'not: a manifest');
  expect(await failure({ filename: [directory], node: 'x' })).toBe("no node 'x'; the nodes are a, b");
});
