/** Whether each endpoint chain of kube-proxy's is of one mind: its DNAT, its hairpin rule and the comments. */
import type { Rule } from '../../../netfilter/rule-set.ts';
import { formatIpAddress, type IpAddress, sameAddress, tryParseIpAddress } from '../../../wire/ip-address.ts';
import { type Finding, finding } from '../findings.ts';
import { commentOf, kubeChainKind, readKubeComment } from '../kube-names.ts';
import { type LintedTable, type LintRule, placeOf, placeOfChain } from '../lint-context.ts';
import { type CheckedChain, nextChain } from '../restore/tables-in-hand.ts';

interface Endpoint {
  readonly address: IpAddress;
  readonly port: number | undefined;
}

function translationOf({ target }: Rule): Endpoint | undefined {
  if (target.kind !== 'dnat') return undefined;
  const { addresses, ports } = target.range;
  if (addresses === undefined) return undefined;
  return { address: addresses.from, port: ports?.from };
}

function format({ address, port }: Endpoint): string {
  const text = formatIpAddress(address);
  if (port === undefined) return text;
  return typeof address === 'number' ? `${text}:${port}` : `[${text}]:${port}`;
}

/** `ADDRESS:PORT` or `[ADDRESS]:PORT`, in whatever spelling the EndpointSlice had. */
function parseEndpoint(text: string): Endpoint | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text) ?? [];
  const address = tryParseIpAddress(bracketed ?? plain ?? '');
  return address === undefined ? undefined : { address, port: Number(port) };
}

function same(a: Endpoint, b: Endpoint): boolean {
  return sameAddress(a.address, b.address) && a.port === b.port;
}

/** What the chain translates to, and the Service port that its comments name. */
interface EndpointChain {
  readonly endpoint: Endpoint;
  readonly servicePort: string | undefined;
}

function readChain(chain: CheckedChain): EndpointChain | undefined {
  for (const { rule } of chain.rules) {
    const endpoint = translationOf(rule);
    if (endpoint === undefined) continue;
    return { endpoint, servicePort: readKubeComment(commentOf(rule) ?? '')?.servicePort };
  }
  return undefined;
}

/** Hairpin rules whose address is not the endpoint's. */
function* checkHairpin(
  { table }: LintedTable,
  chain: CheckedChain,
  { endpoint }: EndpointChain,
): Generator<Finding> {
  for (const [index, { rule }] of chain.rules.entries()) {
    if (nextChain(rule) !== 'KUBE-MARK-MASQ') continue;
    for (const match of rule.matches) {
      if (match.kind !== 'source' || match.negate || sameAddress(match.address, endpoint.address)) continue;
      yield finding(
        'kube-endpoint-mismatch',
        placeOf(table, chain, index),
        `the hairpin rule of ${chain.name} is for ${formatIpAddress(match.address)}, its DNAT goes to ` +
          `${format(endpoint)}; delete the chain and let kube-proxy write it anew`,
      );
    }
  }
}

/** Jumps to endpoint chains whose comment tells of another endpoint or Service port. */
function* checkJumps(
  { table }: LintedTable,
  from: CheckedChain,
  chains: ReadonlyMap<string, EndpointChain>,
): Generator<Finding> {
  for (const [index, { rule }] of from.rules.entries()) {
    const next = nextChain(rule);
    const target = next === undefined ? undefined : chains.get(next);
    const said = target === undefined ? undefined : readKubeComment(commentOf(rule) ?? '');
    if (target === undefined || said === undefined) continue;
    const place = placeOf(table, from, index);
    const endpoint = said.endpoint === undefined ? undefined : parseEndpoint(said.endpoint);
    if (endpoint !== undefined && !same(endpoint, target.endpoint)) {
      const message = `the comment promises ${format(endpoint)}, but ${next} goes to ${format(target.endpoint)}; delete both chains and let kube-proxy write them anew`;
      yield finding('kube-endpoint-mismatch', place, message);
    } else if (target.servicePort !== undefined && said.servicePort !== target.servicePort) {
      const message = `the comment is of Service port ${said.servicePort}, but ${next} belongs to ${target.servicePort}; delete both chains and let kube-proxy write them anew`;
      yield finding('kube-endpoint-mismatch', place, message);
    }
  }
}

function* checkTable(linted: LintedTable): Generator<Finding> {
  const { table } = linted;
  const chains = new Map<string, EndpointChain>();
  for (const chain of table.chains.values()) {
    if (kubeChainKind(chain.name) !== 'SEP' || chain.rules.length === 0) continue;
    const read = readChain(chain);
    if (read === undefined) {
      const message = `${chain.name} has no DNAT, so its share of the traffic is not translated; delete the chain and let kube-proxy write it anew`;
      yield finding('kube-endpoint-mismatch', placeOfChain(table, chain), message);
    } else {
      chains.set(chain.name, read);
      yield* checkHairpin(linted, chain, read);
    }
  }
  if (chains.size === 0) return;
  for (const chain of table.chains.values()) yield* checkJumps(linted, chain, chains);
}

export const kubeEndpoints: LintRule = function* ({ tables }) {
  for (const linted of tables) if (linted.table.name === 'nat') yield* checkTable(linted);
};
