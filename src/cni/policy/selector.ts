/** Label selectors (apimachinery, metav1.LabelSelectorAsSelector and labels.Requirement.Matches). */
import type { Labels, PolicySelector } from './policy.ts';

type Requirement = PolicySelector['matchExpressions'][number];

function holds({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

/** Whether `labels` meet every requirement of `selector`; one without any is met by all. */
export function selects(selector: PolicySelector, labels: Labels): boolean {
  return (
    Object.entries(selector.matchLabels).every(([key, value]) =>
      holds({ key, operator: 'In', values: [value] }, labels),
    ) && selector.matchExpressions.every((requirement) => holds(requirement, labels))
  );
}

/** The same text for selectors that ask the same in the same words, whatever the order of their labels. */
export function selectorKey(selector: PolicySelector | undefined): string {
  if (selector === undefined) return '-';
  const labels = Object.entries(selector.matchLabels).sort(([a], [b]) => (a < b ? -1 : 1));
  const expressions = selector.matchExpressions.map(({ key, operator, values }) => [
    key,
    operator,
    ...values,
  ]);
  return JSON.stringify([labels, expressions]);
}
