/** Label selectors, as workloads carry them. */
import type { LabelSelector } from '../objects.ts';
import { type Cursor, fail, field } from './cursor.ts';
import { list, oneOf, required, string, stringMap, text } from './decoders.ts';
import { qualifiedName } from './names.ts';

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
