/** Many nodes of one cluster held at once: what sharing leaves of their memory, and what a change to all takes. */
import type { Batch } from '../../netfilter/flat/batch.ts';
import { CompiledTable } from '../../netfilter/flat/compile.ts';
import { Fleet } from '../../netfilter/flat/fleet.ts';
import { lookupCompiled } from '../../netfilter/flat/lookup.ts';
import type { Chain, Table } from '../../netfilter/rule-set.ts';
import { generateIptablesRules } from '../../proxy/iptables/generate.ts';
import { answersOf, firstDifference } from './engines.ts';
import { LOCAL_SERVICES, type ManyNodes, nodeChains, nodeInput } from './many-nodes.ts';
import { nanoseconds, samplesOf } from './measure.ts';
import { heldBytes } from './memory.ts';
import { changedInputs, ownChains } from './sync-texts.ts';
import { traffic } from './traffic.ts';
import { LOCAL_ADDRESSES, natTable, type Size } from './workload.ts';

export interface FleetResult extends Size {
  readonly nodes: number;
  /** Rules of nat on all nodes together. */
  readonly rules: number;
  /** Milliseconds: to write, read and compile one node's rules, and to add all nodes. */
  readonly firstNode: number;
  readonly allNodes: number;
  /** Bytes held for what nodes have in common, and for that and all nodes. */
  readonly commonBytes: number;
  readonly allNodesBytes: number;
  /** Nanoseconds of a look-up on one node after the other, on average, in batches of `batch`. */
  readonly lookup: number;
  readonly batch: number;
  /** Milliseconds, median: to change one Service on all nodes. */
  readonly change: number;
}

const MILLISECOND = 1e6;
const CHANGES = 11;
const BATCH = 1 << 8;
/** Nodes whose answers are compared with those of rules compiled by themselves, and packets for it. */
const CHECKED_NODES = 3;
const PACKETS = 2000;
const SETTING = { inDevice: 'eth0', locals: LOCAL_ADDRESSES };

function milliseconds(run: () => void): number {
  const start = nanoseconds();
  run();
  return (nanoseconds() - start) / MILLISECOND;
}

/** Packets to all Services, those of the node included. */
function packetsTo(size: Size, rows: number): Batch {
  return traffic({ ...size, services: size.services + LOCAL_SERVICES }, { rows, spread: 'uniform', seed: 1 });
}

function nodeTable(many: ManyNodes, node: number): Table {
  return natTable(generateIptablesRules(nodeInput(many, node)), many.size.family);
}

/** Throws Error when packets on `node`, also to its own Services, are answered otherwise than by its rules alone. */
function check(fleet: Fleet, many: ManyNodes, node: number): void {
  const batch = packetsTo(many.size, PACKETS);
  const alone = new CompiledTable(nodeTable(many, node), many.size.family);
  lookupCompiled(alone.image('PREROUTING', SETTING), batch, 0, PACKETS);
  const expected = answersOf(batch, PACKETS);
  fleet.lookup(node, batch, 0, PACKETS);
  if (firstDifference(expected, answersOf(batch, PACKETS)) !== undefined) {
    throw new Error(`node ${node} of the fleet answers differently`);
  }
}

function userChains(text: string, { family }: Size): readonly Chain[] {
  return [...natTable(text, family).chains.values()].filter(({ policy }) => policy === undefined);
}

/** The fleet of `many` nodes; node 0 is what they have in common. */
function commonFleet(many: ManyNodes): { readonly fleet: Fleet; readonly rules: number } {
  const table = nodeTable(many, 0);
  const rules = [...table.chains.values()].reduce((sum, chain) => sum + chain.rules.length, 0);
  return { fleet: new Fleet(table, many.size.family, { setting: SETTING }), rules };
}

/** Builds `many` nodes and measures them. Throws Error when one answers wrongly. */
export function benchFleet(many: ManyNodes): FleetResult {
  const { size, nodes } = many;
  const before = heldBytes();
  const start = nanoseconds();
  const { fleet, rules } = commonFleet(many);
  const firstNode = (nanoseconds() - start) / MILLISECOND;
  const commonBytes = heldBytes() - before;
  const allNodes = milliseconds(() => {
    for (let node = 0; node < nodes; node++) fleet.add(node === 0 ? [] : nodeChains(many, node));
  });
  const allNodesBytes = heldBytes() - before;
  const checked = Math.min(CHECKED_NODES, nodes);
  for (let turn = 0; turn < checked; turn++) check(fleet, many, nodes - 1 - turn);

  const batch = packetsTo(size, BATCH);
  const lookup = milliseconds(() => {
    for (let node = 0; node < nodes; node++) fleet.lookup(node, batch, 0, BATCH);
  });
  const inputs = changedInputs(size);
  const states = [inputs.after, inputs.before].map((input) =>
    userChains(ownChains({ ...input, largeCluster: true }), size),
  );
  const changes = Array.from({ length: CHANGES }, (_, turn) =>
    milliseconds(() => fleet.update(states[turn % 2] ?? [])),
  );
  // With the first change undone or not, all nodes have to answer as their rules say: undo it, then look.
  if (CHANGES % 2 === 1) fleet.update(states[1] ?? []);
  for (let turn = 0; turn < checked; turn++) check(fleet, many, turn);
  return {
    ...size,
    nodes,
    rules: rules * nodes,
    firstNode,
    allNodes,
    commonBytes,
    allNodesBytes,
    lookup: (lookup * MILLISECOND) / (nodes * BATCH),
    batch: BATCH,
    change: samplesOf(changes).median,
  };
}
