/** How often the rules of a host were met: the kernel's counters beside the emulator's. */
import type { TableName } from '../../../src/netfilter/rule-set.ts';
import type { Host } from '../../../src/netstack/host.ts';

/** A rule's line in `iptables-save -c` with the packets it counted. */
interface CountedRule {
  readonly table: string;
  readonly chain: string;
  readonly index: number;
  readonly packets: number;
  readonly text: string;
}

function readCounters(saved: string): CountedRule[] {
  const rules: CountedRule[] = [];
  let table = '';
  const lengths = new Map<string, number>();
  for (const line of saved.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1);
    const found = /^\[(\d+):\d+\] -A (\S+) ?(.*)$/.exec(line);
    if (found === null) continue;
    const [, packets, chain = '', rest] = found;
    const key = `${table} ${chain}`;
    const index = lengths.get(key) ?? 0;
    lengths.set(key, index + 1);
    rules.push({ table, chain, index, packets: Number(packets), text: `${key} ${rest}` });
  }
  return rules;
}

/** The IPv4 rules of `host` that counted other packets than `saved` (`iptables-save -c`) says, a line each. */
export function compareCounters(saved: string, { netfilter }: Host): string[] {
  const { tables } = netfilter.rules('ipv4');
  return readCounters(saved).flatMap(({ table, chain, index, packets, text }) => {
    const rule = tables.get(table as TableName)?.get(chain)?.rules[index];
    const counted = rule === undefined ? 0 : netfilter.counters.of(rule).packets;
    return counted === packets ? [] : [`rule met ${packets} times in the kernel, ${counted} here: ${text}`];
  });
}
