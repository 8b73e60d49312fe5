/** Policy rules as `ip rule` prints them (iproute2's iprule.c). */
import { familyOfRule, type PolicyRule, ROUTING_TABLE } from '../../../netstack/policy-rule.ts';
import type { IpFamily } from '../../../wire/ip-address.ts';
import { destinationText } from './route-text.ts';

const TABLE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ROUTING_TABLE).map(([name, number]) => [number, name]),
);

/** The name or number of a routing table. */
export function tableText(table: number): string {
  return TABLE_NAMES.get(table) ?? String(table);
}

function markText({ mark, mask }: NonNullable<PolicyRule['fwmark']>): string {
  const hex = (value: number) => `0x${(value >>> 0).toString(16)}`;
  return mask >>> 0 === 0xffffffff ? `fwmark ${hex(mark)} ` : `fwmark ${hex(mark)}/${hex(mask)} `;
}

/** One line, without its newline. */
export function formatPolicyRule(rule: PolicyRule): string {
  const { priority, from, to, fwmark, iif, invert, table, refuse } = rule;
  return [
    `${priority}:\t`,
    invert === true ? 'not ' : '',
    `from ${from === undefined ? 'all' : destinationText(from)} `,
    to === undefined ? '' : `to ${destinationText(to)} `,
    fwmark === undefined ? '' : markText(fwmark),
    iif === undefined ? '' : `iif ${iif} `,
    refuse ?? `lookup ${tableText(table ?? ROUTING_TABLE.main)}`,
  ].join('');
}

/** The rules of `family` among `rules`, in the order in which they are asked. */
export function formatPolicyRules(rules: readonly PolicyRule[], family: IpFamily): string {
  return rules
    .filter((rule) => familyOfRule(rule) === family)
    .sort((a, b) => a.priority - b.priority)
    .map((rule) => `${formatPolicyRule(rule)}\n`)
    .join('');
}
