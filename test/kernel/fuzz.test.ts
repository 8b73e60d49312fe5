import { describe, expect, it } from 'vitest';
import { Dice } from './rig/dice.ts';
import { runCase } from './rig/differential.ts';
import { randomHost } from './rig/fuzz-host.ts';
import { randomRules, rulesText } from './rig/fuzz-rules.ts';
import { FuzzTraffic } from './rig/fuzz-traffic.ts';

const SEED = Number(process.env.KUBEWIRE_SEED ?? Math.floor(Math.random() * 1e9));
const CASES = Number(process.env.KUBEWIRE_FUZZ_CASES ?? 20);
const STEPS = 70;

describe('kernel and engine', () => {
  it('agree', () => {
    let packets = 0;
    let failed = 0;
    const started = performance.now();
    for (let index = 0; index < CASES; index++) {
      const seed = SEED + index;
      const dice = new Dice(seed);
      const host = randomHost(dice);
      const rules = rulesText(randomRules(dice, host));
      const traffic = new FuzzTraffic(dice, host, []);
      let left = STEPS;
      try {
        const result = runCase(
          { plan: host.plan, tcpLoose: host.tcpLoose, backend: dice.chance(70) ? 'nft' : 'legacy', rules },
          { next: () => (left-- > 0 ? traffic.next() : undefined), saw: (o) => traffic.saw(o) },
          { conntrackEvery: 10 },
        );
        packets += result.packets;
        if (result.differences.length > 0) {
          failed++;
          console.info(`seed ${seed}:\n  ${result.differences.join('\n  ')}`);
        }
      } catch (error) {
        failed++;
        console.info(
          `seed ${seed}: ${error instanceof Error ? error.stack : error}`,
          process.env.SHOW ? rules : '',
        );
      }
    }
    console.info(`${packets} packets, ${CASES} cases, ${failed} failed, ${performance.now() - started} ms`);
    expect(failed).toBe(0);
  });
});
