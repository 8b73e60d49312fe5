/**
 * The conformance cases' notion of equal (test/conformance/kube-proxy/README.md): the same tables, chains,
 * policies and rules; order counts inside a chain, except between rules of different Service ports in the
 * four shared chains, whose catch-all rules stay last.
 */

interface SavedTable {
  /** `:CHAIN POLICY` lines' contents, counters left out. */
  readonly chains: ReadonlyMap<string, string>;
  readonly rules: ReadonlyMap<string, readonly string[]>;
}

/** Reads iptables-save text by its lines alone, apart from the project's own parser. */
export function readSave(text: string): ReadonlyMap<string, SavedTable> {
  const tables = new Map<string, { chains: Map<string, string>; rules: Map<string, string[]> }>();
  let table: { chains: Map<string, string>; rules: Map<string, string[]> } | undefined;
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('*')) {
      table = { chains: new Map(), rules: new Map() };
      tables.set(line.slice(1), table);
    } else if (line === 'COMMIT') {
      table = undefined;
    } else if (table === undefined) {
      throw new Error(`outside a table: ${line}`);
    } else if (line.startsWith(':')) {
      const [chain = '', policy = '', counters = ''] = line.slice(1).split(' ');
      table.chains.set(chain, policy);
      if (counters !== '[0:0]') throw new Error(`counters are not zero: ${line}`);
    } else {
      const chain = /^-A (\S+)/.exec(line)?.[1];
      if (chain === undefined) throw new Error(`not a rule: ${line}`);
      table.rules.set(chain, [...(table.rules.get(chain) ?? []), line]);
    }
  }
  return tables;
}

const SHARED_CHAINS = new Set([
  'KUBE-SERVICES',
  'KUBE-NODEPORTS',
  'KUBE-EXTERNAL-SERVICES',
  'KUBE-PROXY-FIREWALL',
]);
const CATCH_ALL = 'kubernetes service nodeports';

/** `namespace/name[:port]` at the head of the rule's comment. */
function servicePortOf(rule: string): string {
  return /--comment "([a-z0-9.-]+\/[^ "]+)[ "]/.exec(rule)?.[1] ?? '';
}

/** The rules of a shared chain as one block per Service port, and the catch-all rules behind them. */
function blocks(rules: readonly string[]): {
  ports: ReadonlyMap<string, readonly string[]>;
  last: readonly string[];
} {
  const ports = new Map<string, string[]>();
  const last: string[] = [];
  for (const rule of rules) {
    if (rule.includes(CATCH_ALL)) {
      last.push(rule);
      continue;
    }
    if (last.length > 0) throw new Error(`behind the catch-all rule: ${rule}`);
    const port = servicePortOf(rule);
    ports.set(port, [...(ports.get(port) ?? []), rule]);
  }
  return { ports, last: last.sort() };
}

function canonical(text: string): unknown {
  return Array.from(readSave(text), ([name, { chains, rules }]) => ({
    name,
    chains: [...chains].sort(),
    rules: [...rules]
      .map(([chain, lines]) => {
        if (!SHARED_CHAINS.has(chain)) return { chain, lines };
        const { ports, last } = blocks(lines);
        return { chain, ports: [...ports].sort(([a], [b]) => (a < b ? -1 : 1)), last };
      })
      .sort((a, b) => (a.chain < b.chain ? -1 : 1)),
  }));
}

/** Two saves in a form in which `toEqual` means equal, and prints where they differ. */
export function comparable(text: string): unknown {
  return canonical(text);
}
