/** A whole trace: cluster objects and two ends in; the way, the outcome and its explanation out. */
import type { Choices } from '../../netfilter/choices.ts';
import { explore, mergeOutcomes } from '../../netfilter/explore.ts';
import { Random } from '../../sim/random.ts';
import { CaptureSession } from '../captures/capture-session.ts';
import type { ClusterObjects } from '../derive.ts';
import { ClusterNetwork } from '../network/cluster-network.ts';
import { answererOf, listensNowhere } from '../network/listeners.ts';
import { type NetworkPlan, planNetwork } from '../network/network-plan.ts';
import { explainWalk } from './explain.ts';
import type { Hop } from './hop.ts';
import { isSuccess, type Outcome, outcomeOf } from './outcome.ts';
import { buildRequest, strangersOf, type TraceOptions, type TraceRequest } from './request.ts';
import { answersRequest, type WalkOptions, walk } from './walk.ts';

/** One way the random choices can fall. */
export interface TraceOutcome {
  /** Exact: a product of the rules' probabilities. */
  readonly probability: number;
  readonly success: boolean;
  readonly explanation: string;
}

export interface TraceReport {
  readonly plan: NetworkPlan;
  readonly request: TraceRequest;
  readonly seed: number;
  readonly hops: readonly Hop[];
  readonly outcome: Outcome;
  /** The packet arrived at an open socket and, when the reply was followed, so did the answer. */
  readonly success: boolean;
  readonly explanation: string;
  /** With `explore`: every outcome, most probable first. */
  readonly outcomes?: readonly TraceOutcome[];
  /** With `capture`: the frames that every device saw. */
  readonly capture?: CaptureSession;
}

export interface TraceRunOptions extends TraceOptions {
  readonly seed: number;
  readonly reply: boolean;
  readonly explore: boolean;
  /** Keep every frame, with comments. */
  readonly capture?: boolean;
}

interface Draws {
  readonly seed: number;
  readonly choices?: Choices;
}

/** A network whose hosts answer the first packet of a client, and a client that waits for its answer. */
function networkFor(plan: NetworkPlan, request: TraceRequest, draws: Draws): ClusterNetwork {
  return new ClusterNetwork(plan, {
    ...draws,
    inhabit(namespace, { label, listens }) {
      const expects = label === request.from ? answersRequest(request) : listensNowhere;
      namespace.answerer = answererOf(listens, expects);
    },
  });
}

function judge(plan: NetworkPlan, request: TraceRequest, draws: Draws, options: WalkOptions) {
  const { reply } = options;
  const walked = walk(networkFor(plan, request, draws), request, options);
  const outcome = outcomeOf(walked, plan, reply);
  return {
    hops: walked.hops,
    outcome,
    success: isSuccess(outcome),
    explanation: explainWalk(plan, walked, outcome),
  };
}

function exploreOutcomes(plan: NetworkPlan, request: TraceRequest, options: TraceRunOptions): TraceOutcome[] {
  const ports = new Random(options.seed);
  const outcomes = explore(
    (choices) => {
      const draws = { seed: options.seed, choices };
      const { success, explanation } = judge(plan, request, draws, { reply: options.reply });
      return { success, explanation };
    },
    () => ports.uint32() & 0xffff,
  );
  return mergeOutcomes(outcomes, ({ explanation }) => explanation)
    .map(({ result, probability }) => ({ ...result, probability }))
    .sort((a, b) => b.probability - a.probability);
}

/** Traces one connection attempt through `cluster`. Throws InputError for ends that do not exist. */
export function traceCluster(cluster: ClusterObjects, options: TraceRunOptions): TraceReport {
  const { seed } = options;
  const plan = planNetwork(cluster, strangersOf(options.from, options.to));
  const request = buildRequest(plan, options);
  const capture = options.capture === true ? new CaptureSession(plan, { hook: () => false }) : undefined;
  const observe = capture === undefined ? {} : { observe: capture.observe };
  const report = judge(plan, request, { seed }, { reply: options.reply, ...observe });
  return {
    plan,
    request,
    seed,
    ...report,
    ...(capture === undefined ? {} : { capture }),
    ...(options.explore ? { outcomes: exploreOutcomes(plan, request, options) } : {}),
  };
}
