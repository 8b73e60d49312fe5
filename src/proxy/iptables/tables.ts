/** The tables that exist on a node where kube-proxy runs in iptables mode. */
import { TableText } from './table-text.ts';

export interface IptablesTables {
  readonly raw: TableText;
  readonly mangle: TableText;
  readonly filter: TableText;
  readonly nat: TableText;
}

/** Empty tables with their built-in chains in hook order. */
export function newTables(): IptablesTables {
  return {
    raw: new TableText('raw', ['PREROUTING', 'OUTPUT']),
    mangle: new TableText('mangle', ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING']),
    filter: new TableText('filter', ['INPUT', 'FORWARD', 'OUTPUT']),
    nat: new TableText('nat', ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING']),
  };
}

/** The tables as iptables-save text, in the order the reference captures list them. */
export function printTables({ raw, mangle, filter, nat }: IptablesTables): string {
  return [raw, mangle, filter, nat].map((table) => table.print()).join('');
}
