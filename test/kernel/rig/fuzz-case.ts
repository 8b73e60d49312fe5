/** A whole random case from one seed, and made small when it fails. */

import type { IpFamily } from '../../../src/wire/ip-address.ts';
import type { RecordedCase } from './case-file.ts';
import { Dice } from './dice.ts';
import { type DifferentialCase, type Player, play, runCase, type StepSource } from './differential.ts';
import { randomHost } from './fuzz-host.ts';
import { randomRules } from './fuzz-rules.ts';
import { FuzzTraffic } from './fuzz-traffic.ts';
import { type Shrinkable, shrink } from './shrink.ts';

/** How often conntrack's table is read while a case runs: reading it costs more than all the packets between. */
const CONNTRACK_EVERY = 10;

/**
 * Pauses, in seconds: they expire entries of impatient hosts and refill rates. Their sums stay clear of whole
 * seconds, where a millisecond would decide.
 */
const WAITS = [0.41, 1.41, 2.41, 3.41, 5.41];

const LONG = 1400;
/** Packets no longer than this (CHECKSUM_BREAK less a header) are summed up anew when they are delivered. */
const SHORT = 20;

/**
 * A slip of Linux that nobody should have to emulate: conntrack keeps the sum of a long IPv6 packet, a target that
 * rewrites the header does not mend it, and the host's sockets then take the packet for damaged.
 */
function losesSums(family: IpFamily, rules: string): boolean {
  return family === 'ipv6' && /-j (HL|TOS|DSCP) /.test(rules);
}

export interface FuzzCase {
  readonly subject: DifferentialCase;
  readonly source: StepSource;
}

/** The case of `seed`: `steps` steps, some of them pauses in one case out of four. */
export function fuzzCase(seed: number, steps: number): FuzzCase {
  const dice = new Dice(seed);
  const family = dice.weighted<IpFamily>([3, 'ipv4'], [1, 'ipv6']);
  const impatient = dice.chance(25);
  const host = randomHost(dice, { family, impatient });
  const rules = randomRules(dice, host, impatient);
  const backend = dice.chance(70) ? 'nft' : 'legacy';
  const engine = dice.chance(50) ? 'linear' : 'compiled';
  const traffic = new FuzzTraffic(dice, host, {
    waits: impatient ? WAITS : [],
    maxData: losesSums(family, rules) ? SHORT : LONG,
  });
  let left = steps;
  return {
    subject: { family, plan: host.plan, backend, engine, rules },
    source: {
      next: () => (left-- > 0 ? traffic.next() : undefined),
      saw: (observation) => traffic.saw(observation),
    },
  };
}

/** The case being played, conntrack compared now and then. */
export function playFuzzCase({ subject, source }: FuzzCase, ended: Player['ended']): Player {
  return { playing: play(subject, source, { conntrackEvery: CONNTRACK_EVERY }), ended };
}

/** Which comparison failed: shrinking must not wander from one difference to another. */
function kindOf(differences: readonly string[]): string {
  return (differences[1] ?? '').replace(/:.*/, '');
}

/** The smallest failing case that shrinking finds, and what differs in it; undefined: it does not fail again. */
export function shrunk(failing: Shrinkable): RecordedCase | undefined {
  let kind: string | undefined;
  let last: readonly string[] = [];
  const fails = ({ subject, steps }: Shrinkable) => {
    try {
      const pending = [...steps];
      const result = runCase(subject, { next: () => pending.shift() }, { conntrackEvery: 1 });
      if (result.differences.length === 0) return false;
      // Looking at conntrack after every packet, the first replay may see the cause instead of its effect.
      kind ??= kindOf(result.differences);
      if (kindOf(result.differences) !== kind) return false;
      last = result.differences;
      return true;
    } catch {
      return false;
    }
  };
  if (!fails(failing)) return undefined;
  const small = shrink(failing, fails);
  return { ...small, about: last.join(' / ') };
}
