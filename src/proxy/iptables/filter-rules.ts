/** What one service port adds to the filter table: refusals where nothing serves, and the firewall's drops. */
import type { IpFamily } from '../../wire/ip-address.ts';
import type { NoEndpoints, ServicePlan } from '../service-plan.ts';
import { comment, destinationPort, host, type RuleParts } from './rule-text.ts';
import type { ServiceChains } from './service-chains.ts';
import type { TableText } from './table-text.ts';

/** REJECT as iptables-save prints it, with the answer it gives by default. */
const REJECT: Readonly<Record<IpFamily, string>> = {
  ipv4: 'REJECT --reject-with icmp-port-unreachable',
  ipv6: 'REJECT --reject-with icmp6-port-unreachable',
};

const REASON: Readonly<Record<NoEndpoints, string>> = {
  anywhere: 'has no endpoints',
  'on-this-node': 'has no local endpoints',
};

/** How traffic that reaches no endpoint ends. */
function refusal(
  plan: ServicePlan,
  missing: NoEndpoints,
  family: IpFamily,
): Required<Pick<RuleParts, 'target'>> & { text: string } {
  return {
    text: comment(`${plan.port.name} ${REASON[missing]}`),
    target: missing === 'anywhere' ? REJECT[family] : 'DROP',
  };
}

function writeInternal(filter: TableText, plan: ServicePlan, family: IpFamily): void {
  const { port, internal } = plan;
  if (internal.missing === undefined) return;
  const { text, target } = refusal(plan, internal.missing, family);
  filter.append('KUBE-SERVICES', {
    destination: host(port.clusterIp),
    protocol: port.protocol,
    matches: [text, destinationPort(port.protocol, port.port)],
    target,
  });
}

function writeExternal(filter: TableText, plan: ServicePlan, family: IpFamily): void {
  const { port, external } = plan;
  if (external.missing === undefined) return;
  const { text, target } = refusal(plan, external.missing, family);
  const { protocol } = port;
  for (const address of [...port.externalIps, ...port.loadBalancerVips]) {
    filter.append('KUBE-EXTERNAL-SERVICES', {
      destination: host(address),
      protocol,
      matches: [text, destinationPort(protocol, port.port)],
      target,
    });
  }
  if (port.nodePort === 0) return;
  // On any of the node's addresses: nodePortAddresses narrows only where node ports are served.
  filter.append('KUBE-EXTERNAL-SERVICES', {
    protocol,
    matches: [text, '-m addrtype --dst-type LOCAL', destinationPort(protocol, port.nodePort)],
    target,
  });
}

function writeFirewall(
  filter: TableText,
  { port, restrictsSources }: ServicePlan,
  chains: ServiceChains,
): void {
  if (!restrictsSources) return;
  for (const address of port.loadBalancerVips) {
    filter.append('KUBE-PROXY-FIREWALL', {
      destination: host(address),
      protocol: port.protocol,
      matches: [
        comment(`${port.name} traffic not accepted by ${chains.firewall}`),
        destinationPort(port.protocol, port.port),
      ],
      target: 'DROP',
    });
  }
}

function writeHealthCheck(filter: TableText, { port }: ServicePlan): void {
  if (port.healthCheckNodePort === 0) return;
  // Always open, endpoints or not, and always TCP: the load balancer asks over HTTP.
  filter.append('KUBE-NODEPORTS', {
    protocol: 'tcp',
    matches: [
      comment(`${port.name} health check node port`),
      destinationPort('tcp', port.healthCheckNodePort),
    ],
    target: 'ACCEPT',
  });
}

/** Writes the filter rules of one service port. */
export function writeFilterRules(
  filter: TableText,
  plan: ServicePlan,
  { chains, family }: { readonly chains: ServiceChains; readonly family: IpFamily },
): void {
  writeInternal(filter, plan, family);
  writeExternal(filter, plan, family);
  writeFirewall(filter, plan, chains);
  writeHealthCheck(filter, plan);
}
