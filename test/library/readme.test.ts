/** What the README shows is what is printed, and its example is this folder's example.ts and runs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { liveCluster, loadCluster, parseFrom, parseTo, traceCluster } from 'kubewire';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { renderText } from '../../src/cli/trace/render-text.ts';
import { runTools } from '../../src/cluster/tools/run-tools.ts';
import { SUPPORTED_MATCHES } from '../../src/netfilter/matching/evaluate.ts';
import { SUPPORTED_TARGETS } from '../../src/netfilter/target.ts';

const ROOT = join(import.meta.dirname, '../..');

afterEach(() => vi.restoreAllMocks());

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

function trace(
  from: string,
  to: string,
  options: { readonly reply: boolean; readonly explore: boolean },
): string {
  const file = 'topologies/three-nodes.yaml';
  const cluster = loadCluster([{ file, text: readFileSync(join(ROOT, file), 'utf8') }]);
  const ends = { from: parseFrom(from), to: parseTo(to) };
  const report = traceCluster(cluster, { ...ends, ...options, sport: 40_000, seed: 1 });
  return renderText(report, { colour: false });
}

describe('the output that the README shows', () => {
  it('is what the first command prints', () => {
    expect(readme).toContain(trace('pod/default/client', 'svc/default/web', { reply: true, explore: false }));
  });

  it('is what --explore prints', () => {
    const printed = trace('host/laptop', 'node/demo-worker:30080', { reply: false, explore: true });
    const table = printed.slice(printed.indexOf('Every outcome')).split('\n\n')[0] ?? '';
    expect(table.split('\n')).toHaveLength(4);
    expect(readme).toContain(table);
  });
});

describe('the tools that the README runs', () => {
  it('print what it shows', () => {
    const inputs = ['topologies/three-nodes.yaml', 'topologies/coredns.yaml'].map((file) => {
      return { file, text: readFileSync(join(ROOT, file), 'utf8') };
    });
    let printed = '';
    runTools(
      liveCluster(loadCluster(inputs), { seed: 1 }),
      [
        { who: 'pod/default/client', tool: 'curl', args: ['-s', 'http://web/'] },
        { who: 'node/demo-worker', tool: 'conntrack', args: ['-L'] },
      ],
      { print: (text) => (printed += text), complain: () => {} },
    );
    expect(readme).toContain(`-- curl -s http://web/\n${printed}\`\`\``);
  });
});

describe('the supported matches and targets', () => {
  const row = (name: string) => readme.split('\n').find((line) => line.startsWith(`| ${name} | `));
  const basic = new Set(['source', 'destination', 'in-device', 'out-device', 'protocol', 'fragment']);

  it('are those that the engine decides', () => {
    const modules = SUPPORTED_MATCHES.filter((kind) => !basic.has(kind));
    expect(row('matches')).toBe(
      `| matches | \`-s\` \`-d\` \`-i\` \`-o\` \`-p\` \`-f\`, ${modules.join(', ')} |`,
    );
  });

  it('are those that the engine carries out', () => {
    expect(row('targets')).toBe(`| targets | ${Object.values(SUPPORTED_TARGETS).join(', ')} |`);
  });
});

describe('the library example', () => {
  it('stands in the README as it is run here', () => {
    const example = readFileSync(join(import.meta.dirname, 'example.ts'), 'utf8');
    const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);
    expect(blocks).toContain(example);
  });

  it('runs', async () => {
    const printed: unknown[] = [];
    vi.spyOn(console, 'log').mockImplementation((line) => printed.push(line));
    await import('./example.ts');
    expect(printed).toEqual([
      'delivered',
      expect.stringMatching(
        /^Delivered and answered\. Service default\/web \(port http\) sent it to pod\/default\/web-\S+ on demo-worker2?, one of 3 endpoints\./,
      ),
      'response',
    ]);
  });
});
