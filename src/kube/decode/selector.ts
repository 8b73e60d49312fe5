/** Label selectors, as workloads carry them. */
import type { LabelSelector } from '../objects.ts';
import { type Cursor, elements, fail, field, members } from './cursor.ts';
import { list, oneOf, required, string, stringMap, text } from './decoders.ts';
import { labelValue, qualifiedName } from './names.ts';

type Expression = LabelSelector['matchExpressions'][number];

function expression(at: Cursor): Expression {
  const operator = required(oneOf(['In', 'NotIn', 'Exists', 'DoesNotExist']))(field(at, 'operator'));
  const valuesAt = field(at, 'values');
  const values = list(string)(valuesAt);
  const takesValues = operator === 'In' || operator === 'NotIn';
  if (takesValues && values.length === 0) fail(valuesAt, `is required when operator is ${operator}`);
  if (!takesValues && values.length > 0) fail(valuesAt, `may not be given when operator is ${operator}`);
  return { key: required(text(qualifiedName))(field(at, 'key')), operator, values };
}

/** Decodes matchLabels and matchExpressions. */
export function labelSelector(at: Cursor): LabelSelector {
  return {
    matchLabels: stringMap(field(at, 'matchLabels')),
    matchExpressions: list(expression)(field(at, 'matchExpressions')),
  };
}

/**
 * The same, with keys and values held to the rules for labels, as apimachinery's ValidateLabelSelector holds
 * the selectors of NetworkPolicies.
 */
export function validLabelSelector(at: Cursor): LabelSelector {
  const refuse = (cursor: Cursor, problem: string | undefined) => {
    if (problem !== undefined) fail(cursor, problem);
  };
  const selector = labelSelector(at);
  for (const member of members(field(at, 'matchLabels'))) {
    refuse(member, qualifiedName(String(member.key)));
    refuse(member, labelValue(selector.matchLabels[member.key] ?? ''));
  }
  for (const each of elements(field(at, 'matchExpressions'))) {
    for (const value of elements(field(each, 'values'))) refuse(value, labelValue(string(value)));
  }
  return selector;
}
