/**
 * Cases, kernel beside engine: build both, play the packets, report the first difference. A case that pauses
 * gives way: many are played at a time, each in the real time that its kernel needs.
 */
import { compareConntrack } from '../../../src/cli/kernel/compare.ts';
import { describePacket } from '../../../src/cli/kernel/describe-packet.ts';
import { EngineModel } from '../../../src/cli/kernel/engine-model.ts';
import type { HostPlan } from '../../../src/cli/kernel/host-plan.ts';
import { KernelHost } from '../../../src/cli/kernel/kernel-host.ts';
import { type Observation, Observer } from '../../../src/cli/kernel/observe.ts';
import { RefusalBudget } from '../../../src/cli/kernel/refusal-budget.ts';
import type { Backend } from '../../../src/netfilter/hooks.ts';
import { parseIpsetSave } from '../../../src/ruletext/ipset-save.ts';
import { toRuleSet } from '../../../src/ruletext/load-rules.ts';
import { parseRules } from '../../../src/ruletext/parse-rules.ts';
import type { IpFamily } from '../../../src/wire/ip-address.ts';
import type { Step } from './fuzz-traffic.ts';

export interface DifferentialCase {
  readonly family: IpFamily;
  readonly plan: HostPlan;
  readonly backend: Backend;
  readonly rules: string;
  readonly engine: 'linear' | 'compiled';
}

/** Where the steps come from, and who is told what became of them. */
export interface StepSource {
  /** The next step; undefined ends the case. */
  next(): Step | undefined;
  saw?(observation: Observation): void;
}

export interface DifferentialOptions {
  /** How often conntrack's table is compared, in packets; it is also compared at the end. */
  readonly conntrackEvery: number;
}

export interface DifferentialResult {
  readonly packets: number;
  /** Packets left out because the kernel would have limited the rate of its answers. */
  readonly skipped: number;
  /** What was played, for a replay. */
  readonly steps: readonly Step[];
  /** The packet and what differed after it; empty: nothing did. */
  readonly differences: readonly string[];
}

/** A case being played: yields the seconds to leave it alone, returns its result. */
export type Play = Generator<number, DifferentialResult>;

/** Seconds to let a deadline go by. */
const DEADLINE_PAUSE = 0.04;

/**
 * A little more than the longest tick of a kernel (100 Hz). connlimit forgets closed connections once a tick at
 * most (nf_conncount_gc_list), so within one its count would depend on luck.
 */
const TICK = 0.011;

/** States of the engine that are worth a look at conntrack's table, which tells them apart. */
const MANY_CANDIDATES = 4;

/** Begins `subject`. Throws what the parser or the kernel refuse. */
export function* play(
  { family, plan, backend, rules, engine }: DifferentialCase,
  source: StepSource,
  { conntrackEvery }: DifferentialOptions,
): Play {
  const ruleSet = toRuleSet(parseRules(rules, { family, file: 'rules' }));
  const sets = plan.sets === undefined ? undefined : parseIpsetSave(plan.sets);
  const model = new EngineModel({
    plan,
    rules: [ruleSet],
    backend,
    engine,
    ...(sets === undefined ? {} : { sets }),
  });
  const kernel = KernelHost.build({ host: plan, rules: [{ family, text: rules, file: 'rules' }], backend });
  const countsConnections = rules.includes('-m connlimit');
  const steps: Step[] = [];
  let packets = 0;
  let skipped = 0;
  try {
    const observer = new Observer(kernel);
    const budget = new RefusalBudget();
    let last = performance.now();
    const passTime = () => {
      const now = performance.now();
      model.advance((now - last) / 1000);
      last = now;
    };
    const sinceThen = () => (performance.now() - last) / 1000;
    const conntrackDiffers = () => {
      passTime();
      const listed = observer.conntrack(family);
      const late = sinceThen();
      return model.retain((host) => compareConntrack(listed, host, { now: model.now, late }));
    };
    for (let step = source.next(); step !== undefined; step = source.next()) {
      if (step.kind === 'wait') {
        steps.push(step);
        yield step.seconds;
        continue;
      }
      const { injection } = step;
      if (countsConnections) yield TICK;
      passTime();
      while (model.isNearDeadline()) {
        yield DEADLINE_PAUSE;
        passTime();
      }
      // From here on no time passes, or the budget would be counted at another moment than the kernel's.
      if (budget.delay(model.predict(injection), injection.packet, model.now) > 0) {
        skipped++;
        continue;
      }
      steps.push(step);
      packets++;
      const observation = observer.observe(injection);
      const late = sinceThen();
      source.saw?.(observation);
      let { differences } = model.follow(injection, observation, () => observer.conntrack(family), late);
      // What is uncertain doubles with every draw: conntrack's table tells more of it than packets do.
      const mustLook = packets % conntrackEvery === 0 || model.candidates.length > MANY_CANDIDATES;
      if (differences.length === 0 && mustLook) differences = conntrackDiffers();
      if (differences.length > 0) {
        const where = injection.device ?? '(local)';
        const what = `packet ${packets} in ${where}: ${describePacket(injection.packet, true)}`;
        return { packets, skipped, steps, differences: [what, ...differences] };
      }
    }
    const differences = conntrackDiffers();
    return {
      packets,
      skipped,
      steps,
      differences: differences.length === 0 ? [] : ['at the end', ...differences],
    };
  } finally {
    kernel.close();
  }
}

function sleep(seconds: number): void {
  if (seconds > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1000);
}

/** Plays one case to its end, sleeping through its pauses. */
export function runCase(
  subject: DifferentialCase,
  source: StepSource,
  options: DifferentialOptions,
): DifferentialResult {
  const playing = play(subject, source, options);
  for (;;) {
    const { done, value } = playing.next();
    if (done) return value;
    sleep(value);
  }
}

/** Something that plays and is called back with its result, or with what it threw. */
export interface Player {
  readonly playing: Play;
  readonly ended: (outcome: { readonly result: DifferentialResult } | { readonly error: unknown }) => void;
}

/**
 * Plays what `start` hands out, up to `width` at a time, until it has no more and all have ended. While one
 * pauses the others go on.
 */
export function runSideBySide(start: () => Player | undefined, width: number): void {
  const running: { readonly player: Player; due: number }[] = [];
  let exhausted = false;
  for (;;) {
    while (!exhausted && running.length < width) {
      const player = start();
      if (player === undefined) exhausted = true;
      else running.push({ player, due: 0 });
    }
    const [soonest] = running.sort((a, b) => a.due - b.due);
    if (soonest === undefined) return;
    sleep((soonest.due - performance.now()) / 1000);
    const { player } = soonest;
    const finish = (outcome: Parameters<Player['ended']>[0]) => {
      running.splice(running.indexOf(soonest), 1);
      player.ended(outcome);
    };
    try {
      const { done, value } = player.playing.next();
      if (done) finish({ result: value });
      else soonest.due = performance.now() + value * 1000;
    } catch (error) {
      finish({ error });
    }
  }
}
