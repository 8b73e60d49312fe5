/** One case, kernel beside engine: build both, play the packets, report the first difference. */
import { compareConntrack } from '../../../src/cli/kernel/compare.ts';
import { describePacket } from '../../../src/cli/kernel/describe-packet.ts';
import { EngineModel } from '../../../src/cli/kernel/engine-model.ts';
import type { HostPlan } from '../../../src/cli/kernel/host-plan.ts';
import { KernelHost } from '../../../src/cli/kernel/kernel-host.ts';
import { type Observation, Observer } from '../../../src/cli/kernel/observe.ts';
import { RefusalBudget } from '../../../src/cli/kernel/refusal-budget.ts';
import type { Backend } from '../../../src/netfilter/hooks.ts';
import { toRuleSet } from '../../../src/ruletext/load-rules.ts';
import { parseRules } from '../../../src/ruletext/parse-rules.ts';
import type { IpFamily } from '../../../src/wire/ip-address.ts';
import type { Step } from './fuzz-traffic.ts';

export interface DifferentialCase {
  /** IPv4 unless given. */
  readonly family?: IpFamily;
  readonly plan: HostPlan;
  readonly backend: Backend;
  readonly rules: string;
}

/** Where the steps come from, and who is told what became of them. */
export interface StepSource {
  /** The next step; undefined ends the case. */
  next(): Step | undefined;
  saw?(observation: Observation): void;
}

export interface DifferentialResult {
  readonly packets: number;
  /** Packets left out because the kernel would have limited the rate of its answers. */
  readonly skipped: number;
  /** What was played, for a replay. */
  readonly steps: readonly Step[];
  /** What differed after the last step; empty: nothing did. */
  readonly differences: readonly string[];
}

function sleep(seconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1000);
}

/** How often conntrack's table is compared, in packets; it is also compared at the end. */
export interface DifferentialOptions {
  readonly conntrackEvery: number;
}

export function runCase(
  { plan, backend, rules, family = 'ipv4' }: DifferentialCase,
  source: StepSource,
  { conntrackEvery }: DifferentialOptions,
): DifferentialResult {
  const ruleSet = toRuleSet(parseRules(rules, { family, file: 'rules' }));
  const model = new EngineModel({ plan, rules: [ruleSet], backend });
  const kernel = KernelHost.build({
    host: plan,
    rules: [{ family, text: rules, file: 'rules' }],
    backend,
  });
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
    const conntrackDiffers = () => {
      const listed = observer.conntrack(family);
      passTime();
      return model.retain((host) => compareConntrack(listed, host, { now: model.now }));
    };
    for (let step = source.next(); step !== undefined; step = source.next()) {
      if (step.kind === 'wait') {
        steps.push(step);
        sleep(step.seconds);
        continue;
      }
      passTime();
      const { injection } = step;
      if (budget.delay(model.predict(injection), injection.packet, model.now) > 0) {
        skipped++;
        continue;
      }
      steps.push(step);
      packets++;
      const observation = observer.observe(injection);
      source.saw?.(observation);
      let { differences } = model.follow(injection, observation);
      if (differences.length === 0 && packets % conntrackEvery === 0) differences = conntrackDiffers();
      if (differences.length > 0) {
        const what = `packet ${packets} in ${injection.device ?? '(local)'}: ${describePacket(injection.packet, true)}`;
        return { packets, skipped, steps, differences: [what, ...differences] };
      }
    }
    return { packets, skipped, steps, differences: conntrackDiffers() };
  } finally {
    kernel.close();
  }
}
