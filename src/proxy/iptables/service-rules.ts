/** All rules of one service port. */
import { endpointChainName } from '../hash-names.ts';
import type { ServicePlan } from '../service-plan.ts';
import type { ProxySettings } from '../settings.ts';
import { type EndpointChain, writeBalancing, writeEndpointChain } from './balancing-rules.ts';
import { writeFilterRules } from './filter-rules.ts';
import {
  writeDispatch,
  writeExternalChain,
  writeFirewallChain,
  writeInternalMasquerade,
} from './nat-rules.ts';
import { serviceChains } from './service-chains.ts';
import type { IptablesTables } from './tables.ts';

/**
 * Writes what `plan` comes to, in the order in which kube-proxy writes it. `comments` is false above 1000
 * endpoints in the cluster. Throws InputError for an endpoint address that iptables-restore does not take.
 */
export function writeServiceRules(
  { filter, nat }: IptablesTables,
  plan: ServicePlan,
  { settings, comments }: { readonly settings: ProxySettings; readonly comments: boolean },
): void {
  const { port, endpoints } = plan;
  const { family } = settings;
  const chains = serviceChains(port);
  writeFilterRules(filter, plan, { chains, family });
  writeDispatch(nat, plan, chains);
  writeInternalMasquerade(nat, plan, { chains, settings });
  writeExternalChain(nat, plan, { chains, settings });
  writeFirewallChain(nat, plan, { chains, settings });

  const chainOf = new Map(
    endpoints.reachable.map((endpoint) => [endpoint, { endpoint, chain: endpointChainName(port, endpoint) }]),
  );
  const withChains = (list: readonly (typeof endpoints.reachable)[number][]): readonly EndpointChain[] =>
    list.flatMap((endpoint) => chainOf.get(endpoint) ?? []);
  const options = { family, comments };
  writeBalancing(nat, chains.cluster, { port, endpoints: withChains(endpoints.cluster), options });
  writeBalancing(nat, chains.local, { port, endpoints: withChains(endpoints.local), options });
  for (const to of chainOf.values()) writeEndpointChain(nat, to, { port, options });
}
