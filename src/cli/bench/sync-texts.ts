/** What a node is given when it syncs: all rules, or those of one Service whose endpoints have changed. */
import {
  generateIptablesRules,
  LARGE_CLUSTER_ENDPOINTS,
  type RulesInput,
} from '../../proxy/iptables/generate.ts';
import { clusterOf, endpointSlice, type Size } from './workload.ts';

/** The lines of nat's chains in `text`, by chain. */
export function natChains(text: string): ReadonlyMap<string, readonly string[]> {
  const lines = text.split('\n');
  const start = lines.indexOf('*nat');
  const chains = new Map<string, string[]>();
  for (const line of lines.slice(start, lines.indexOf('COMMIT', start))) {
    if (line.startsWith(':KUBE-')) chains.set(line.slice(1, line.indexOf(' ')), []);
    else if (line.startsWith('-A ')) chains.get(line.slice(3, line.indexOf(' ', 3)))?.push(line);
  }
  return chains;
}

/** A Service in the middle of the rules gets other endpoints: its proxy's input before and after, alone and not. */
export function changedInputs(size: Size): {
  readonly cluster: RulesInput;
  readonly clusterAfter: RulesInput;
  readonly before: RulesInput;
  readonly after: RulesInput;
} {
  const cluster = clusterOf(size);
  const index = size.services >> 1;
  const other = endpointSlice(index, size, size.services * size.endpoints);
  const services = cluster.services.slice(index, index + 1);
  const alone = {
    ...cluster,
    services,
    largeCluster: size.services * size.endpoints > LARGE_CLUSTER_ENDPOINTS,
  };
  return {
    cluster,
    clusterAfter: { ...cluster, endpointSlices: cluster.endpointSlices.with(index, other) },
    before: { ...alone, endpointSlices: cluster.endpointSlices.slice(index, index + 1) },
    after: { ...alone, endpointSlices: [other] },
  };
}

/** A Service's own chains; KUBE-MARK-MASQ, to which they jump, has to be declared beside them. */
const OWN_CHAIN = /^KUBE-(SVC|SVL|SEP|MARK-MASQ)/;

/** The chains of the Services of `input`, as `iptables-restore --noflush` takes them. */
export function ownChains(input: RulesInput): string {
  const chains = [...natChains(generateIptablesRules(input))].filter(([name]) => OWN_CHAIN.test(name));
  const declared = chains.map(([name]) => `:${name} - [0:0]`);
  return ['*nat', ...declared, ...chains.flatMap(([, lines]) => lines), 'COMMIT', ''].join('\n');
}
