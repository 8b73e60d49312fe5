import { describe, expect, test } from 'vitest';
import { type ManyNodes, nodeChains, nodeInput } from '../../../src/cli/bench/many-nodes.ts';
import { natTable } from '../../../src/cli/bench/workload.ts';
import { generateIptablesRules } from '../../../src/proxy/iptables/generate.ts';

describe.each(['ipv4', 'ipv6'] as const)('%s nodes', (family) => {
  const many: ManyNodes = { size: { services: 6, endpoints: 2, family }, nodes: 4 };
  const tables = Array.from({ length: many.nodes }, (_, node) =>
    natTable(generateIptablesRules(nodeInput(many, node)), family),
  );

  test('have rules of which no two are the same', () => {
    const texts = tables.map(({ chains }) => [...chains.keys()].join());
    expect(new Set(texts).size).toBe(many.nodes);
  });

  test('a node is any other but for its own chains', () => {
    const [base] = tables;
    for (const [node, table] of tables.entries()) {
      const foreign = new Set(nodeChains(many, 0).map(({ name }) => name));
      const chains = new Map([...(base?.chains ?? [])].filter(([name]) => !foreign.has(name)));
      for (const chain of nodeChains(many, node)) chains.set(chain.name, chain);
      const byName = (a: readonly [string, unknown], b: readonly [string, unknown]) => (a[0] < b[0] ? -1 : 1);
      expect([...chains].sort(byName)).toEqual([...table.chains].sort(byName));
    }
  });

  test('endpoints on other nodes make no difference', () => {
    const inputs = Array.from({ length: many.nodes }, (_, node) => nodeInput(many, node));
    const all = inputs.flatMap(({ endpointSlices }, node) =>
      [...endpointSlices].slice(node === 0 ? 0 : many.size.services),
    );
    for (const [node, input] of inputs.entries()) {
      const text = generateIptablesRules({ ...input, endpointSlices: all });
      expect(natTable(text, family)).toEqual(tables[node]);
    }
  });
});
