/** The chains that choose an endpoint (KUBE-SVC, KUBE-SVL) and those that translate to it (KUBE-SEP). */
import { formatAddress } from '../../ruletext/address-text.ts';
import { InputError } from '../../sim/input-error.ts';
import { familyOf, type IpAddress, type IpFamily, tryParseIpAddress } from '../../wire/ip-address.ts';
import type { Endpoint } from '../endpoints.ts';
import type { ServicePort } from '../service-port.ts';
import { balancingProbability } from './probability.ts';
import { comment, host } from './rule-text.ts';
import type { TableText } from './table-text.ts';

/** An endpoint and its KUBE-SEP chain. */
export interface EndpointChain {
  readonly endpoint: Endpoint;
  readonly chain: string;
}

export interface BalancingOptions {
  readonly family: IpFamily;
  /** False above 1000 endpoints in the cluster, where kube-proxy saves memory. */
  readonly comments: boolean;
}

const RECENT_MASK: Readonly<Record<IpFamily, string>> = {
  ipv4: '255.255.255.255',
  ipv6: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
};

/** `-m recent` on a list of its own for each endpoint; `action` as iptables-save prints it. */
function recent(action: string, list: string, family: IpFamily): string {
  return `-m recent ${action} --name ${list} --mask ${RECENT_MASK[family]} --rsource`;
}

/**
 * Writes the rules of `chain` that send traffic of `port` to `endpoints` (in balancing order): first back to
 * the endpoint a client was with, then to each with equal chance.
 */
export function writeBalancing(
  nat: TableText,
  chain: string,
  {
    port,
    endpoints,
    options,
  }: { port: ServicePort; endpoints: readonly EndpointChain[]; options: BalancingOptions },
): void {
  const { comments, family } = options;
  const about = ({ endpoint }: EndpointChain) =>
    comments ? [comment(`${port.name} -> ${endpoint.text}`)] : [];
  if (port.affinitySeconds !== undefined) {
    const recheck = `--rcheck --seconds ${port.affinitySeconds} --reap`;
    for (const to of endpoints) {
      nat.append(chain, { matches: [...about(to), recent(recheck, to.chain, family)], target: to.chain });
    }
  }
  for (const [index, to] of endpoints.entries()) {
    const left = endpoints.length - index;
    const chance =
      left === 1 ? [] : [`-m statistic --mode random --probability ${balancingProbability(left)}`];
    nat.append(chain, { matches: [...about(to), ...chance], target: to.chain });
  }
}

/** The address for a rule. What kube-proxy lets through, iptables-restore may still refuse. */
function ruleAddress({ address, slice }: Endpoint, family: IpFamily): IpAddress {
  const parsed = tryParseIpAddress(address);
  if (parsed !== undefined && familyOf(parsed) === family) return parsed;
  const { namespace, name } = slice.metadata;
  const wanted = family === 'ipv4' ? 'a dotted IPv4 address without leading zeros' : 'an IPv6 address';
  throw new InputError(
    `address '${address}' in EndpointSlice ${namespace}/${name}: iptables-restore refuses it, so kube-proxy could program no Service at all; expected ${wanted}`,
    slice.origin,
  );
}

/**
 * Writes the KUBE-SEP chain of one endpoint. Throws InputError when its address is one that iptables-restore
 * does not take.
 */
export function writeEndpointChain(
  nat: TableText,
  { endpoint, chain }: EndpointChain,
  { port, options }: { readonly port: ServicePort; readonly options: BalancingOptions },
): void {
  const { comments, family } = options;
  const address = ruleAddress(endpoint, family);
  const about = comments ? [comment(port.name)] : [];
  // Hairpin: a pod that reaches itself must see another source than its own.
  nat.append(chain, { source: host(address), matches: about, target: 'KUBE-MARK-MASQ' });
  const remember = port.affinitySeconds === undefined ? [] : [recent('--set', chain, family)];
  const text = formatAddress(address);
  const to = family === 'ipv4' ? `${text}:${endpoint.port}` : `[${text}]:${endpoint.port}`;
  nat.append(chain, {
    protocol: port.protocol,
    matches: [...about, ...remember, `-m ${port.protocol}`],
    target: `DNAT --to-destination ${to}`,
  });
}
