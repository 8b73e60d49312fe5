/** Small networks at random: the kernel beside the emulator. `NETWORK_SEED` and `NETWORK_RUNS` say which and how many. */
import { describe } from 'vitest';
import { differential } from './network/differential.ts';
import { randomScenario } from './network/random-network.ts';

const first = Number(process.env.NETWORK_SEED ?? 1);
const runs = Number(process.env.NETWORK_RUNS ?? 30);

describe('networks at random', () => {
  differential(Array.from({ length: runs }, (_, index) => randomScenario(first + index)));
});
