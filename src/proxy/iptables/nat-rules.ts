/** What one service port adds to the nat table's shared chains, and the chains where it decides what is masqueraded. */
import { prefixContains } from '../../wire/ip-prefix.ts';
import type { ServicePlan } from '../service-plan.ts';
import type { ProxySettings } from '../settings.ts';
import { detectorParts } from './detector-parts.ts';
import { comment, destinationPort, host } from './rule-text.ts';
import { policyChain, type ServiceChains } from './service-chains.ts';
import type { TableText } from './table-text.ts';

const MARK_MASQ = 'KUBE-MARK-MASQ';

/** The rules of KUBE-SERVICES and KUBE-NODEPORTS that lead to the service port's own chains. */
export function writeDispatch(nat: TableText, plan: ServicePlan, chains: ServiceChains): void {
  const { port, endpoints, internal } = plan;
  const { name, protocol } = port;
  const capture = (address: Parameters<typeof host>[0], what: string, target: string) =>
    nat.append('KUBE-SERVICES', {
      destination: host(address),
      protocol,
      matches: [comment(`${name} ${what}`), destinationPort(protocol, port.port)],
      target,
    });

  if (internal.missing === undefined) {
    capture(port.clusterIp, 'cluster IP', policyChain(chains, internal.policy));
  }
  if (!endpoints.hasEndpoints) return;
  for (const address of port.externalIps) capture(address, 'external IP', chains.external);
  const balanced = plan.restrictsSources ? chains.firewall : chains.external;
  for (const address of port.loadBalancerVips) capture(address, 'loadbalancer IP', balanced);
  if (port.nodePort === 0) return;
  // Node ports never pass the firewall chain: source ranges do not hold there.
  nat.append('KUBE-NODEPORTS', {
    protocol,
    matches: [comment(name), destinationPort(protocol, port.nodePort)],
    target: chains.external,
  });
}

/** Masquerades traffic to the clusterIP that comes from elsewhere than a pod of this node (or all of it). */
export function writeInternalMasquerade(
  nat: TableText,
  plan: ServicePlan,
  { chains, settings }: { readonly chains: ServiceChains; readonly settings: ProxySettings },
): void {
  const { port, internal } = plan;
  if (internal.missing !== undefined) return;
  const { localDetector, masqueradeAll } = settings;
  if (!masqueradeAll && localDetector.kind === 'none') return;
  nat.append(policyChain(chains, internal.policy), {
    ...(masqueradeAll ? {} : detectorParts(localDetector, 'elsewhere')),
    destination: host(port.clusterIp),
    protocol: port.protocol,
    matches: [comment(`${port.name} cluster IP`), destinationPort(port.protocol, port.port)],
    target: MARK_MASQ,
  });
}

/**
 * KUBE-EXT: under policy Cluster everything is masqueraded, as it may leave for another node; under policy
 * Local only this node's own traffic short-circuits to all endpoints, the rest keeps its source.
 */
export function writeExternalChain(
  nat: TableText,
  plan: ServicePlan,
  { chains, settings }: { readonly chains: ServiceChains; readonly settings: ProxySettings },
): void {
  if (!plan.acceptsExternal) return;
  const { external } = chains;
  const about = `${plan.port.name} external destinations`;
  nat.declare(external);
  if (plan.external.policy === 'cluster') {
    nat.append(external, { matches: [comment(`masquerade traffic for ${about}`)], target: MARK_MASQ });
  } else {
    if (settings.localDetector.kind !== 'none') {
      nat.append(external, {
        ...detectorParts(settings.localDetector, 'here'),
        matches: [comment(`pod traffic for ${about}`)],
        target: chains.cluster,
      });
    }
    const fromNode = '-m addrtype --src-type LOCAL';
    nat.append(external, {
      matches: [comment(`masquerade LOCAL traffic for ${about}`), fromNode],
      target: MARK_MASQ,
    });
    nat.append(external, {
      matches: [comment(`route LOCAL traffic for ${about}`), fromNode],
      target: chains.cluster,
    });
  }
  if (plan.external.missing === undefined) {
    nat.append(external, { target: policyChain(chains, plan.external.policy) });
  }
}

/** KUBE-FW: what the source ranges let through; the rest falls out and meets KUBE-PROXY-FIREWALL's drop. */
export function writeFirewallChain(
  nat: TableText,
  { port, restrictsSources }: ServicePlan,
  { chains, settings }: { readonly chains: ServiceChains; readonly settings: ProxySettings },
): void {
  if (!restrictsSources) return;
  const { firewall, external } = chains;
  const allow = [comment(`${port.name} loadbalancer IP`)];
  for (const range of port.sourceRanges) {
    nat.append(firewall, { source: { value: range }, matches: allow, target: external });
  }
  // The node asking its own load balancer may carry the balancer's address as its source.
  if (port.sourceRanges.some((range) => prefixContains(range, settings.nodeIp))) {
    for (const address of port.loadBalancerVips) {
      nat.append(firewall, { source: host(address), matches: allow, target: external });
    }
  }
  nat.append(firewall, {
    matches: [comment(`other traffic to ${port.name} will be dropped by KUBE-PROXY-FIREWALL`)],
  });
}
