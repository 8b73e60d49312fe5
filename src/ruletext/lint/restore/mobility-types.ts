/** `-m mh --mh-type`: Mobility Header types (RFC 6275 §6.1) as libip6t_mh reads them. */
import { tryParseNumber } from '../../numbers.ts';
import type { ValueForm } from './value-forms.ts';

const NAMES: readonly (readonly [name: string, type: number])[] = [
  ['binding-refresh-request', 0],
  ['brr', 0],
  ['home-test-init', 1],
  ['hoti', 1],
  ['careof-test-init', 2],
  ['coti', 2],
  ['home-test', 3],
  ['hot', 3],
  ['careof-test', 4],
  ['cot', 4],
  ['binding-update', 5],
  ['bu', 5],
  ['binding-acknowledgement', 6],
  ['ba', 6],
  ['binding-error', 7],
  ['be', 7],
];

/** A name may be abbreviated; of several that fit the first counts, unless one fits wholly. */
function typeOf(text: string): number | undefined {
  const wanted = text.toLowerCase();
  const whole = NAMES.find(([name]) => name === wanted);
  const begun = NAMES.find(([name]) => name.startsWith(wanted));
  return (whole ?? begun)?.[1] ?? tryParseNumber(text, 0, 0xff);
}

function accepts(text: string): boolean {
  const [low = '', high, ...more] = text.split(':');
  if (more.length > 0) return false;
  const from = low === '' && high !== undefined ? 0 : typeOf(low);
  const to = high === undefined ? from : high === '' ? 0xff : typeOf(high);
  return from !== undefined && to !== undefined && from <= to;
}

export const MOBILITY_TYPES: ValueForm = { expected: 'a type, a name or a range TYPE:TYPE', accepts };
