/** Many nodes of one cluster held at once: what sharing leaves of their memory, and what a change to all takes. */
import { CompiledTable } from '../../netfilter/flat/compile.ts';
import { lookupCompiled } from '../../netfilter/flat/lookup.ts';
import type { Chain, Table } from '../../netfilter/rule-set.ts';
import { generateIptablesRules } from '../../proxy/iptables/generate.ts';
import { answersOf, firstDifference } from './engines.ts';
import { FleetTable } from './fleet-table.ts';
import { type Fleet, LOCAL_SERVICES, nodeChains, nodeInput } from './many-nodes.ts';
import { nanoseconds, samplesOf } from './measure.ts';
import { heldBytes } from './memory.ts';
import { changedInputs, ownChains } from './sync-texts.ts';
import { traffic } from './traffic.ts';
import { LOCAL_ADDRESSES, natTable, type Size } from './workload.ts';

export interface FleetResult extends Size {
  readonly nodes: number;
  /** Rules of nat on all nodes together. */
  readonly rules: number;
  /** Milliseconds: to write, read and compile one node's rules, and to add all the others. */
  readonly firstNode: number;
  readonly otherNodes: number;
  /** Bytes held for one node, and for all of them. */
  readonly oneNodeBytes: number;
  readonly allNodesBytes: number;
  /** Milliseconds, medians: until packets can be looked up on another node, and to change one Service on all nodes. */
  readonly turn: number;
  readonly change: number;
}

const MILLISECOND = 1e6;
const TURNS = 200;
const CHANGES = 51;
/** Nodes whose answers are compared with those of rules compiled by themselves, and packets for it. */
const CHECKED_NODES = 3;
const PACKETS = 2000;

function milliseconds(run: () => void): number {
  const start = nanoseconds();
  run();
  return (nanoseconds() - start) / MILLISECOND;
}

function answers(table: CompiledTable, size: Size): Uint32Array {
  const batch = traffic(size, { rows: PACKETS, spread: 'uniform', seed: 1 });
  const setting = { inDevice: 'eth0', locals: LOCAL_ADDRESSES };
  lookupCompiled(table.image('PREROUTING', setting), batch, 0, PACKETS);
  return answersOf(batch, PACKETS);
}

function nodeTable(fleet: Fleet, node: number): Table {
  return natTable(generateIptablesRules(nodeInput(fleet, node)), fleet.size.family);
}

/** Throws Error when packets on `node`, also to its own Services, are answered otherwise than by its rules alone. */
function check(table: FleetTable, fleet: Fleet, node: number): void {
  const { size } = fleet;
  const alone = new CompiledTable(nodeTable(fleet, node), size.family);
  const all = { ...size, services: size.services + LOCAL_SERVICES };
  if (firstDifference(answers(alone, all), answers(table.turnTo(node), all)) !== undefined) {
    throw new Error(`node ${node} of the fleet answers differently`);
  }
}

function userChains(text: string, { family }: Size): readonly Chain[] {
  return [...natTable(text, family).chains.values()].filter(({ policy }) => policy === undefined);
}

/** Builds `fleet` and measures it. Throws Error when a node answers wrongly. */
export function benchFleet(fleet: Fleet): FleetResult {
  const { size, nodes } = fleet;
  const before = heldBytes();
  let table: FleetTable | undefined;
  const firstNode = milliseconds(() => {
    table = new FleetTable(nodeTable(fleet, 0), nodeChains(fleet, 0), size.family);
    table.turnTo(0).image('PREROUTING');
  });
  if (table === undefined) throw new RangeError('no node');
  const held = table;
  const one = heldBytes() - before;
  const otherNodes = milliseconds(() => {
    for (let node = 1; node < nodes; node++) held.add(nodeChains(fleet, node));
  });
  const all = heldBytes() - before;
  for (let node = 0; node < Math.min(CHECKED_NODES, nodes); node++) check(held, fleet, nodes - 1 - node);

  const turns = Array.from({ length: TURNS }, (_, turn) =>
    milliseconds(() => void held.turnTo((turn * 7919) % nodes).image('PREROUTING')),
  );
  const inputs = changedInputs(size);
  const states = [inputs.after, inputs.before].map((input) => userChains(ownChains(input), size));
  const changes = Array.from({ length: CHANGES }, (_, turn) =>
    milliseconds(() => held.update(states[turn % 2] ?? [])),
  );
  return {
    ...size,
    nodes,
    rules: held.turnTo(0).rules * nodes,
    firstNode,
    otherNodes,
    oneNodeBytes: one,
    allNodesBytes: all,
    turn: samplesOf(turns).median,
    change: samplesOf(changes).median,
  };
}
