import { expect, test } from 'vitest';
import { makeBatch } from '../../../src/netfilter/flat/batch.ts';
import { CompiledTable } from '../../../src/netfilter/flat/compile.ts';
import { NEAR_WORDS } from '../../../src/netfilter/flat/dispatch-ipv4.ts';
import { Fleet } from '../../../src/netfilter/flat/fleet.ts';
import type { Image } from '../../../src/netfilter/flat/image.ts';
import { lookupCompiled } from '../../../src/netfilter/flat/lookup.ts';
import type { Chain, Table } from '../../../src/netfilter/rule-set.ts';
import { toRuleSet } from '../../../src/ruletext/load-rules.ts';
import { parseRules } from '../../../src/ruletext/parse-rules.ts';
import { Random } from '../../../src/sim/random.ts';
import { PROTOCOL } from '../../../src/wire/protocol.ts';

const SERVICES = 60;
const NODES = 8;
const ROWS = 400;
const SEEDS = [1, 2, 3, 4];

const serviceAddress = (service: number) => `10.96.0.${service + 1}`;

/** The chains of one Service as kube-proxy writes them; its endpoints are drawn. */
function serviceLines(service: number, random: Random): string[] {
  const count = 1 + random.below(3);
  const lines = [`-A SVC-${service} ! -s 10.244.0.0/16 -j MASQ`];
  for (let endpoint = 0; endpoint < count; endpoint++) {
    const address = `10.244.${random.below(4)}.${1 + random.below(200)}`;
    const left = count - endpoint;
    const chance = left > 1 ? ` -m statistic --mode random --probability ${(1 / left).toFixed(11)}` : '';
    lines.push(`-A SVC-${service}${chance} -j SEP-${service}-${endpoint}`);
    lines.push(`-A SEP-${service}-${endpoint} -s ${address} -j MASQ`);
    lines.push(`-A SEP-${service}-${endpoint} -p tcp -m tcp -j DNAT --to-destination ${address}:8080`);
  }
  return lines;
}

function tableOf(lines: readonly string[]): Table {
  const names = new Set(lines.map((line) => line.split(' ')[1] ?? ''));
  const text = [
    '*nat',
    ...[...names, 'MASQ', 'SERVICES'].map((name) => `:${name} -`),
    ...lines,
    'COMMIT',
    '',
  ];
  const table = toRuleSet(parseRules(text.join('\n'), { family: 'ipv4' })).tables.get('nat');
  if (table === undefined) throw new Error('no nat table');
  return table;
}

/** The table of a cluster in which some Services are walked, since their chains are no leaves. */
function clusterTable(random: Random): Table {
  const lines = ['-A PREROUTING -j SERVICES', '-A MASQ -j MARK --set-xmark 0x4000/0x4000'];
  for (let service = 0; service < SERVICES; service++) {
    lines.push(`-A SERVICES -d ${serviceAddress(service)}/32 -p tcp -m tcp --dport 80 -j SVC-${service}`);
    lines.push(...serviceLines(service, random));
    if (random.below(10) === 0) lines.push(`-A SVC-${service} -m mark --mark 0x1 -j RETURN`);
  }
  return tableOf(lines);
}

/** Other endpoints for some Services: their chains. */
function changes(random: Random): readonly Chain[] {
  const services = new Set(Array.from({ length: random.below(4) }, () => random.below(SERVICES)));
  const lines = [...services].flatMap((service) => serviceLines(service, random));
  const table = tableOf([...lines, '-A MASQ -j MARK --set-xmark 0x4000/0x4000']);
  return [...table.chains.values()].filter(({ name }) => name.startsWith('SVC-') || name.startsWith('SEP-'));
}

function withChains(table: Table, chains: readonly Chain[]): Table {
  return {
    ...table,
    chains: new Map([...table.chains, ...chains.map((chain) => [chain.name, chain] as const)]),
  };
}

function packets(random: Random) {
  const batch = makeBatch('ipv4', ROWS);
  for (let row = 0; row < ROWS; row++) {
    batch.src[row] = 0x0af40000 + random.below(0x400);
    batch.dst[row] = 0x0a600000 + random.below(SERVICES + 3);
    batch.protocol[row] = PROTOCOL.tcp;
    batch.dport[row] = random.below(10) === 0 ? 81 : 80;
    batch.sport[row] = 40_000;
    batch.draw[row] = random.uint32() / 2 ** 32;
  }
  return batch;
}

type Columns = ReturnType<typeof packets>;

const answers = ({ result, newDst, newDport, newMark }: Columns) =>
  [result, newDst, newDport, newMark].map((column) => [...column]);

/** The same tables in so much memory that lookups read ahead. */
function withLargeMemory(image: Image): Image {
  const { front } = image;
  if (front === undefined) throw new Error('the rules have no dispatch table');
  const memory = new Int32Array(NEAR_WORDS + 1);
  memory.set(front.memory);
  return { ...image, front: { ...front, memory } };
}

test.each(SEEDS)('every node answers as if it were compiled alone, seed %i', (seed) => {
  const random = new Random(seed);
  let common = clusterTable(random);
  const fleet = new Fleet(common, 'ipv4');
  const differences = Array.from({ length: NODES }, (_, node) => (node < 2 ? [] : changes(random)));
  for (const each of differences) fleet.add(each);
  for (let turn = 0; turn < 3; turn++) {
    for (const node of differences.keys()) {
      const batch = packets(random);
      fleet.lookup(node, batch, 0, ROWS);
      const actual = answers(batch);
      const alone = new CompiledTable(withChains(common, differences[node] ?? []), 'ipv4').image(
        'PREROUTING',
      );
      lookupCompiled(alone, batch, 0, ROWS);
      expect(actual, `seed ${seed}, turn ${turn}, node ${node}`).toEqual(answers(batch));
      if (node > 0) continue;
      batch.result.fill(0);
      lookupCompiled(withLargeMemory(alone), batch, 0, ROWS);
      expect(answers(batch), `seed ${seed}, turn ${turn}, a large table`).toEqual(actual);
    }
    const change = changes(random);
    fleet.update(change);
    common = withChains(common, change);
  }
  expect(fleet.size).toBe(NODES);
});

test('nodes that differ in nothing share everything', () => {
  const fleet = new Fleet(clusterTable(new Random(1)), 'ipv4');
  const { bytes } = fleet;
  for (let node = 0; node < 100; node++) fleet.add([]);
  expect(fleet.bytes).toBe(bytes);
});

test('a lookup on a node that is not there is refused', () => {
  const fleet = new Fleet(clusterTable(new Random(1)), 'ipv4');
  expect(() => fleet.lookup(0, makeBatch('ipv4', 1), 0, 1)).toThrow(RangeError);
});
