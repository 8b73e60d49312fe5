/** Property tests with a seed that is always printed and can be given again: `KUBEWIRE_SEED=123 npm test`. */
import fc from 'fast-check';

/** Runs `property` on random input; `runs` inputs. A failure prints the seed and the shrunk input. */
export function checkProperty<T>(name: string, property: fc.IProperty<T>, runs = 500): void {
  const given = process.env.KUBEWIRE_SEED;
  const seed = given === undefined ? Math.floor(Math.random() * 0x7fffffff) : Number(given);
  console.info(`property '${name}': seed ${seed}`);
  fc.assert(property, { seed, numRuns: runs });
}
