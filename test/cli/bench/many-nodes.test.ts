import { describe, expect, test } from 'vitest';
import { type Fleet, nodeChains, nodeInput } from '../../../src/cli/bench/many-nodes.ts';
import { natTable } from '../../../src/cli/bench/workload.ts';
import { generateIptablesRules } from '../../../src/proxy/iptables/generate.ts';

describe.each(['ipv4', 'ipv6'] as const)('%s nodes', (family) => {
  const fleet: Fleet = { size: { services: 6, endpoints: 2, family }, nodes: 4 };
  const tables = Array.from({ length: fleet.nodes }, (_, node) =>
    natTable(generateIptablesRules(nodeInput(fleet, node)), family),
  );

  test('have rules of which no two are the same', () => {
    const texts = tables.map(({ chains }) => [...chains.keys()].join());
    expect(new Set(texts).size).toBe(fleet.nodes);
  });

  test('a node is any other but for its own chains', () => {
    const [base] = tables;
    for (const [node, table] of tables.entries()) {
      const foreign = new Set(nodeChains(fleet, 0).map(({ name }) => name));
      const chains = new Map([...(base?.chains ?? [])].filter(([name]) => !foreign.has(name)));
      for (const chain of nodeChains(fleet, node)) chains.set(chain.name, chain);
      const byName = (a: readonly [string, unknown], b: readonly [string, unknown]) => (a[0] < b[0] ? -1 : 1);
      expect([...chains].sort(byName)).toEqual([...table.chains].sort(byName));
    }
  });

  test('endpoints on other nodes make no difference', () => {
    const inputs = Array.from({ length: fleet.nodes }, (_, node) => nodeInput(fleet, node));
    const all = inputs.flatMap(({ endpointSlices }, node) =>
      [...endpointSlices].slice(node === 0 ? 0 : fleet.size.services),
    );
    for (const [node, input] of inputs.entries()) {
      const text = generateIptablesRules({ ...input, endpointSlices: all });
      expect(natTable(text, family)).toEqual(tables[node]);
    }
  });
});
