import { describe, expect, test } from 'vitest';
import { answersOf } from '../../../src/cli/bench/engines.ts';
import { benchFleet } from '../../../src/cli/bench/fleet.ts';
import { FleetTable } from '../../../src/cli/bench/fleet-table.ts';
import { type Fleet, LOCAL_SERVICES, nodeChains, nodeInput } from '../../../src/cli/bench/many-nodes.ts';
import { changedInputs, ownChains } from '../../../src/cli/bench/sync-texts.ts';
import { traffic } from '../../../src/cli/bench/traffic.ts';
import { natTable } from '../../../src/cli/bench/workload.ts';
import { CompiledTable } from '../../../src/netfilter/flat/compile.ts';
import { lookupCompiled } from '../../../src/netfilter/flat/lookup.ts';
import { generateIptablesRules } from '../../../src/proxy/iptables/generate.ts';
import { Random } from '../../../src/sim/random.ts';

describe.each(['ipv4', 'ipv6'] as const)('a fleet, %s', (family) => {
  const fleet: Fleet = { size: { services: 12, endpoints: 2, family }, nodes: 6 };
  const { size } = fleet;
  const tableOf = (node: number) => natTable(generateIptablesRules(nodeInput(fleet, node)), family);
  const batch = traffic(
    { ...size, services: size.services + LOCAL_SERVICES },
    { rows: 500, spread: 'uniform', seed: 5 },
  );

  function answers(table: CompiledTable) {
    lookupCompiled(table.image('PREROUTING'), batch, 0, batch.capacity);
    return {
      answers: answersOf(batch, batch.capacity),
      rules: Array.from(batch.decision, (decision) => table.describe(decision)),
    };
  }

  test('answers on every node as its rules alone do, in any order, also after a change to all', () => {
    const held = new FleetTable(tableOf(0), nodeChains(fleet, 0), family);
    for (let node = 1; node < fleet.nodes; node++) held.add(nodeChains(fleet, node));
    const alone = Array.from({ length: fleet.nodes }, (_, node) => new CompiledTable(tableOf(node), family));
    const inputs = changedInputs(size);
    const [after, before] = [inputs.after, inputs.before].map((input) =>
      [...natTable(ownChains(input), family).chains.values()].filter(({ policy }) => policy === undefined),
    );
    const random = new Random(11);
    for (let turn = 0; turn < 40; turn++) {
      if (turn % 8 === 7) {
        const chains = (turn % 16 === 7 ? after : before) ?? [];
        held.update(chains);
        for (const table of alone) table.update(chains);
      }
      const node = random.below(fleet.nodes);
      const own = alone[node];
      if (own === undefined) throw new RangeError(`no node ${node}`);
      expect(answers(held.turnTo(node)), `turn ${turn}, node ${node}`).toEqual(answers(own));
    }
    expect(() => held.turnTo(fleet.nodes)).toThrow(`there is no node ${fleet.nodes}`);
  });

  test('is measured', () => {
    const result = benchFleet(fleet);
    expect(result.nodes).toBe(fleet.nodes);
    expect(result.rules).toBeGreaterThan(fleet.nodes * size.services);
    expect(result.allNodesBytes).toBeGreaterThan(0);
  });
});
