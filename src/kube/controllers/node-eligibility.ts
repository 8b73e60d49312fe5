/** Which nodes a pod may be bound to (kube-scheduler's NodeName, NodeAffinity, TaintToleration plugins). */
import { matchesLabels } from '../label-selector.ts';
import type { Node, NodeSelectorRequirement, NodeSelectorTerm, PodSpec, Taint } from '../objects.ts';

type Toleration = PodSpec['tolerations'][number];

/** The node lifecycle controller's taints; the API server would have put them on the object. */
const UNSCHEDULABLE: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
const NOT_READY: readonly Taint[] = [
  { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' },
];

/** The taints of `node`, those that its state brings about included. */
export function effectiveTaints({ spec, status }: Node): readonly Taint[] {
  return [...spec.taints, ...(spec.unschedulable ? [UNSCHEDULABLE] : []), ...(status.ready ? [] : NOT_READY)];
}

/** v1.Toleration.ToleratesTaint: an empty key with Exists tolerates all, an empty effect any effect. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  if (toleration.operator === 'Exists') return true;
  return Boolean(toleration.key) && (toleration.value ?? '') === (taint.value ?? '');
}

type Compare = (value: string | undefined, values: readonly string[]) => boolean;

/** Gt and Lt compare whole numbers and fail on anything else. */
function numeric(compare: (value: number, bound: number) => boolean): Compare {
  return (value, [bound]) => {
    if (value === undefined || bound === undefined) return false;
    if (!/^-?\d+$/.test(value) || !/^-?\d+$/.test(bound)) return false;
    return compare(Number(value), Number(bound));
  };
}

const OPERATORS: Readonly<Record<NodeSelectorRequirement['operator'], Compare>> = {
  In: (value, values) => value !== undefined && values.includes(value),
  NotIn: (value, values) => value === undefined || !values.includes(value),
  Exists: (value) => value !== undefined,
  DoesNotExist: (value) => value === undefined,
  Gt: numeric((value, bound) => value > bound),
  Lt: numeric((value, bound) => value < bound),
};

function holds(
  { key, operator, values }: NodeSelectorRequirement,
  from: Readonly<Record<string, string>>,
): boolean {
  return OPERATORS[operator](Object.hasOwn(from, key) ? from[key] : undefined, values);
}

/** A term without any requirement matches no node. */
function termMatches({ matchExpressions, matchFields }: NodeSelectorTerm, node: Node): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  const fields = { 'metadata.name': node.metadata.name };
  return (
    matchExpressions.every((requirement) => holds(requirement, node.metadata.labels)) &&
    matchFields.every((requirement) => holds(requirement, fields))
  );
}

/** True when `spec` asks for `node` or for nothing: nodeSelector and required node affinity. */
export function selectsNode(spec: PodSpec, node: Node): boolean {
  if (!matchesLabels(spec.nodeSelector, node.metadata.labels)) return false;
  return spec.requiredNodeTerms?.some((term) => termMatches(term, node)) ?? true;
}

/** True when the scheduler may bind a pod of `spec` to `node`. PreferNoSchedule keeps nobody away. */
export function isEligible(spec: PodSpec, node: Node): boolean {
  if (!selectsNode(spec, node)) return false;
  return effectiveTaints(node).every(
    (taint) =>
      taint.effect === 'PreferNoSchedule' ||
      spec.tolerations.some((toleration) => tolerates(toleration, taint)),
  );
}
