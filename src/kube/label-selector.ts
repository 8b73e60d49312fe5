/** Label selectors: which objects a set of labels is meant by. */
import type { LabelSelector } from './objects.ts';

export type Labels = Readonly<Record<string, string>>;

/** True when every label of `wanted` is among `labels`; an empty `wanted` matches everything. */
export function matchesLabels(wanted: Labels, labels: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => labelOf(labels, key) === value);
}

function labelOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

type Expression = LabelSelector['matchExpressions'][number];

/** NotIn also matches objects without the label (apimachinery labels.Requirement.Matches). */
const OPERATORS: Record<
  Expression['operator'],
  (value: string | undefined, values: readonly string[]) => boolean
> = {
  In: (value, values) => value !== undefined && values.includes(value),
  NotIn: (value, values) => value === undefined || !values.includes(value),
  Exists: (value) => value !== undefined,
  DoesNotExist: (value) => value === undefined,
};

/** True when `labels` satisfy both parts of `selector`; an empty selector matches everything. */
export function matchesSelector(selector: LabelSelector, labels: Labels): boolean {
  return (
    matchesLabels(selector.matchLabels, labels) &&
    selector.matchExpressions.every(({ key, operator, values }) =>
      OPERATORS[operator](labelOf(labels, key), values),
    )
  );
}
