import { describe, expect, test } from 'vitest';
import { answersOf } from '../../../src/cli/bench/engines.ts';
import { benchFleet } from '../../../src/cli/bench/fleet.ts';
import { LOCAL_SERVICES, type ManyNodes, nodeChains, nodeInput } from '../../../src/cli/bench/many-nodes.ts';
import { changedInputs, ownChains } from '../../../src/cli/bench/sync-texts.ts';
import { traffic } from '../../../src/cli/bench/traffic.ts';
import { natTable } from '../../../src/cli/bench/workload.ts';
import { CompiledTable } from '../../../src/netfilter/flat/compile.ts';
import { Fleet } from '../../../src/netfilter/flat/fleet.ts';
import { lookupCompiled } from '../../../src/netfilter/flat/lookup.ts';
import { generateIptablesRules } from '../../../src/proxy/iptables/generate.ts';
import { Random } from '../../../src/sim/random.ts';

describe.each(['ipv4', 'ipv6'] as const)('a fleet, %s', (family) => {
  const many: ManyNodes = { size: { services: 12, endpoints: 2, family }, nodes: 6 };
  const { size } = many;
  const tableOf = (node: number) => natTable(generateIptablesRules(nodeInput(many, node)), family);
  const batch = traffic(
    { ...size, services: size.services + LOCAL_SERVICES },
    { rows: 500, spread: 'uniform', seed: 5 },
  );

  test('answers on every node as its rules alone do, in any order, also after a change to all', () => {
    const fleet = new Fleet(tableOf(0), family);
    for (let node = 0; node < many.nodes; node++) fleet.add(node === 0 ? [] : nodeChains(many, node));
    const alone = Array.from({ length: many.nodes }, (_, node) => new CompiledTable(tableOf(node), family));
    const inputs = changedInputs(size);
    const [after, before] = [inputs.after, inputs.before].map((input) =>
      [...natTable(ownChains(input), family).chains.values()].filter(({ policy }) => policy === undefined),
    );
    const random = new Random(11);
    for (let turn = 0; turn < 40; turn++) {
      if (turn % 8 === 7) {
        const chains = (turn % 16 === 7 ? after : before) ?? [];
        fleet.update(chains);
        for (const table of alone) table.update(chains);
      }
      const node = random.below(many.nodes);
      const own = alone[node];
      if (own === undefined) throw new RangeError(`no node ${node}`);
      lookupCompiled(own.image('PREROUTING'), batch, 0, batch.capacity);
      const wanted = answersOf(batch, batch.capacity);
      fleet.lookup(node, batch, 0, batch.capacity);
      expect(answersOf(batch, batch.capacity), `turn ${turn}, node ${node}`).toEqual(wanted);
    }
    expect(() => fleet.lookup(many.nodes, batch, 0, 1)).toThrow(`no node ${many.nodes}`);
  });

  test('is measured', () => {
    const result = benchFleet(many);
    expect(result.nodes).toBe(many.nodes);
    expect(result.rules).toBeGreaterThan(many.nodes * size.services);
    expect(result.change).toBeGreaterThan(0);
  });
});
