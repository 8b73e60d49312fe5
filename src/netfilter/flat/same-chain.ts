/** Whether two chains say the same. */
import type { Chain } from '../rule-set.ts';

/** Equality of the plain values that rules are made of. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const entries = Object.entries(a);
  if (entries.length !== Object.keys(b).length) return false;
  return entries.every(([name, value]) => isSame(value, (b as Readonly<Record<string, unknown>>)[name]));
}

/** Whether two chains hold the same rules under the same policy; counters do not count. */
export function isSameChain(chain: Chain, other: Chain | undefined): boolean {
  if (other === undefined || chain.policy !== other.policy) return false;
  if (chain.rules.length !== other.rules.length) return false;
  return chain.rules.every((rule, index) => {
    const { matches, target } = other.rules[index] ?? rule;
    return isSame(rule.matches, matches) && isSame(rule.target, target);
  });
}
