/** kube-proxy's iptables mode: the rule set of one node in one family. */
import type { EndpointSlice, Service } from '../../kube/objects.ts';
import type { IpFamily } from '../../wire/ip-address.ts';
import { collectEndpoints, compareText, type EndpointTable } from '../endpoints.ts';
import { planService } from '../service-plan.ts';
import { type ServicePort, servicePortsOf } from '../service-port.ts';
import { proxySettings, type SettingsInput } from '../settings.ts';
import { writeBaseRules, writeNodePortJumps } from './base-rules.ts';
import { writeServiceRules } from './service-rules.ts';
import { newTables, printTables } from './tables.ts';

export interface RulesInput extends SettingsInput {
  readonly services: Iterable<Service>;
  readonly endpointSlices: Iterable<EndpointSlice>;
  /** Whether the cluster counts as a large one; counted when left out. For who asks about a part of it. */
  readonly largeCluster?: boolean;
}

/** Above this many endpoints, ready or not, kube-proxy leaves out the comments of the longest chains. */
export const LARGE_CLUSTER_ENDPOINTS = 1000;

/** Sorted by key; of two ports of one key the later counts, as in the reference's map. */
function sortedServicePorts(services: Iterable<Service>, family: IpFamily): readonly ServicePort[] {
  const byKey = new Map<string, ServicePort>();
  for (const service of services) {
    for (const port of servicePortsOf(service, family)) byKey.set(port.key, port);
  }
  return [...byKey.values()].sort((a, b) => compareText(a.name, b.name) || compareText(a.key, b.key));
}

function countEndpoints(ports: readonly ServicePort[], table: EndpointTable): number {
  return ports.reduce((sum, { key }) => sum + (table.get(key)?.length ?? 0), 0);
}

/**
 * The rules that kube-proxy 1.30 programs on `node` after its first sync, as iptables-save (ip6tables-save)
 * text: tables raw, mangle, filter, nat; counters zero; no comment lines; service ports sorted by
 * namespace/name:port. Throws InputError for what kube-proxy or iptables-restore would refuse.
 */
export function generateIptablesRules(input: RulesInput): string {
  const { family } = input;
  const settings = proxySettings(input);
  const ports = sortedServicePorts(input.services, family);
  const table = collectEndpoints(input.endpointSlices, { family, proxyNode: settings.nodeName });
  const { largeCluster = countEndpoints(ports, table) > LARGE_CLUSTER_ENDPOINTS } = input;
  const tables = newTables();
  writeBaseRules(tables, settings);
  for (const port of ports) {
    const plan = planService(port, table.get(port.key) ?? [], settings.topology);
    writeServiceRules(tables, plan, { settings, comments: !largeCluster });
  }
  writeNodePortJumps(tables, settings);
  return printTables(tables);
}
