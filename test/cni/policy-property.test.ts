/** The rules against the oracle, on random clusters. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/sim/random.ts';
import { sameAddress } from '../../src/wire/ip-address.ts';
import { allowed } from './policy-oracle.ts';
import { PolicyDice } from './policy-random.ts';
import { type Attempt, addressOf, type End, World } from './policy-world.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));
const CLUSTERS = 60;
const ATTEMPTS = 50;

const nameOf = (end: End) =>
  end.kind === 'pod'
    ? `${end.pod.namespace}/${end.pod.name}`
    : end.kind === 'node'
      ? end.node.name
      : 'outside';

/** Packets that no wire of this world carries: without an address, from outside to outside, to oneself. */
function isPossible(attempt: Attempt): boolean {
  const { from, to, family } = attempt;
  const [source, destination] = [addressOf(from, family), addressOf(to, family)];
  if (source === undefined || destination === undefined || sameAddress(source, destination)) return false;
  return from.kind !== 'outside' || to.kind !== 'outside';
}

const seen = { arrived: 0, refused: 0 };

describe(`what the rules let through (SEED=${seed})`, () => {
  it.each(Array.from({ length: CLUSTERS }, (_, index) => index))('cluster %i', (index) => {
    const dice = new PolicyDice(new Random(seed + index));
    const cluster = { pods: dice.pods(), namespaces: dice.namespaces(), policies: dice.policies() };
    const world = new World(cluster);
    for (let i = 0; i < ATTEMPTS; i++) {
      const attempt = { ...dice.attempt(cluster.pods), sport: 20_000 + i };
      if (!isPossible(attempt)) continue;
      const found = world.attempt(attempt);
      const { protocol, port, family } = attempt;
      const what = `SEED=${seed} cluster ${index}: ${nameOf(attempt.from)} > ${nameOf(attempt.to)} ${protocol} ${port} ${family}`;
      seen[found === 'arrives' ? 'arrived' : 'refused']++;
      expect(`${what}: ${found === 'arrives'}`).toBe(`${what}: ${allowed(cluster, attempt)}`);
    }
  });

  it('was asked about both kinds', () => {
    expect(Math.min(seen.arrived, seen.refused)).toBeGreaterThan(CLUSTERS);
  });
});
