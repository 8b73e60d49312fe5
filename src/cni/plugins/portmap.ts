/**
 * portmap: host ports led to a container by rules in nat (plugins/meta/portmap, portmap_iptables.go). Chains,
 * their names, order and comments are the real plugin's:
 *
 *     PREROUTING, OUTPUT ─(to a LOCAL address)─▶ CNI-HOSTPORT-DNAT ─(ports)─▶ CNI-DN-… ─▶ CNI-HOSTPORT-SETMARK
 *     POSTROUTING ─▶ CNI-HOSTPORT-MASQ: what was marked is masqueraded              └─▶ DNAT
 */
import { formatAddress } from '../../ruletext/address-text.ts';
import { quote } from '../../ruletext/quoting.ts';
import { addressBits, familyOf, type IpAddress, type IpFamily, sameAddress } from '../../wire/ip-address.ts';
import { type InterfaceAddress, prefixOf } from '../../wire/ip-prefix.ts';
import { PROTOCOL } from '../../wire/protocol.ts';
import { CniError } from './cni-error.ts';
import type { PortmapConfiguration } from './configuration.ts';
import { collectChains, pluginChain } from './ip-masq.ts';
import type { Plugin, PluginCall, PortMapping } from './plugin.ts';
import type { CniResult } from './result.ts';

const PLUGIN = 'portmap';
const DNAT_CHAIN = 'CNI-HOSTPORT-DNAT';
const SET_MARK_CHAIN = 'CNI-HOSTPORT-SETMARK';
const MASQ_CHAIN = 'CNI-HOSTPORT-MASQ';
const CONTAINER_PREFIX = 'DN-';
/** `-m multiport` takes no more. */
const MAX_PORTS = 15;
/** iptables keeps 255 characters. */
const MAX_COMMENT = 255;

/** A chain with its rules, and the rules of others that lead to it. */
interface PlannedChain {
  readonly name: string;
  readonly rules: readonly string[];
  readonly entries: readonly string[];
  readonly entryChains: readonly string[];
  readonly prepend?: true;
}

function entryComment(network: string, containerId: string): string {
  const text = `dnat name: "${network}" id: "${containerId}"`;
  return quote(
    text.length <= MAX_COMMENT ? text : `${text.slice(0, MAX_COMMENT - 2)}...`.slice(0, MAX_COMMENT),
  );
}

const TOP_CHAIN: PlannedChain = {
  name: DNAT_CHAIN,
  rules: [],
  entries: ['-m addrtype --dst-type LOCAL'],
  entryChains: ['PREROUTING', 'OUTPUT'],
};

function markChains(bit: number): PlannedChain[] {
  const mark = `0x${(2 ** bit).toString(16)}`;
  return [
    {
      name: SET_MARK_CHAIN,
      rules: [`-m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark ${mark}/${mark}`],
      entries: [],
      entryChains: [],
    },
    {
      name: MASQ_CHAIN,
      rules: [`-m mark --mark ${mark}/${mark} -j MASQUERADE`],
      entries: ['-m comment --comment "CNI portfwd requiring masquerade"'],
      entryChains: ['POSTROUTING'],
      // Before the chains of ipMasq, which would accept what stays in the network.
      prepend: true,
    },
  ];
}

/** The container's rules for one host port. */
function mappingRules(
  { hostPort, containerPort, protocol, hostIP }: PortMapping,
  { snat, masqAll, externalSetMarkChain }: PortmapConfiguration,
  container: InterfaceAddress,
): string[] {
  const family = familyOf(container.address);
  const bits = addressBits(family);
  const to = hostIP === undefined || isUnspecified(hostIP) ? '' : `-d ${formatAddress(hostIP)}/${bits} `;
  const port = `-p ${protocol} -m ${protocol} --dport ${hostPort}`;
  const mark = `-j ${externalSetMarkChain ?? SET_MARK_CHAIN}`;
  const network = prefixOf(container.address, container.length);
  const own = masqAll ? '' : `-s ${formatAddress(network.address)}/${network.length} `;
  const localhost = family === 'ipv4' && !masqAll ? [`-s 127.0.0.1/32 ${to}${port} ${mark}`] : [];
  const address = formatAddress(container.address);
  const target = family === 'ipv4' ? `${address}:${containerPort}` : `[${address}]:${containerPort}`;
  return [
    ...(snat ? [`${own}${to}${port} ${mark}`, ...localhost] : []),
    `${to}${port} -j DNAT --to-destination ${target}`,
  ];
}

function isUnspecified(address: IpAddress): boolean {
  return sameAddress(address, typeof address === 'number' ? 0 : { w0: 0, w1: 0, w2: 0, w3: 0 });
}

/** The jumps to the container's chain: by protocol in their alphabetical order, up to 15 ports each. */
function entryRules(
  mappings: readonly PortMapping[],
  comment: string,
  conditions: readonly string[],
): string[] {
  const protocols = [...new Set(mappings.map(({ protocol }) => protocol))].sort();
  const more = conditions.length === 0 ? '' : ` ${conditions.map(quoteWord).join(' ')}`;
  return protocols.flatMap((protocol) => {
    const ports = mappings.filter((each) => each.protocol === protocol).map(({ hostPort }) => hostPort);
    const groups = Array.from({ length: Math.ceil(ports.length / MAX_PORTS) }, (_, index) =>
      ports.slice(index * MAX_PORTS, (index + 1) * MAX_PORTS),
    );
    return groups.map(
      (group) =>
        `-p ${protocol} -m comment --comment ${comment} -m multiport --dports ${group.join(',')}${more}`,
    );
  });
}

/** Options stay as they are; values with blanks are quoted. */
function quoteWord(word: string): string {
  return /[\s"'\\]/.test(word) ? quote(word) : word;
}

function containerChain(
  configuration: PortmapConfiguration,
  call: PluginCall,
  container: InterfaceAddress,
): PlannedChain {
  const { name, containerId, runtimeConfig } = call;
  const family = familyOf(container.address);
  const mappings = runtimeConfig.portMappings ?? [];
  const conditions = family === 'ipv4' ? configuration.conditionsV4 : configuration.conditionsV6;
  return {
    name: pluginChain(name, containerId, CONTAINER_PREFIX),
    rules: mappings
      .filter(({ hostIP }) => hostIP === undefined || familyOf(hostIP) === family)
      .flatMap((mapping) => mappingRules(mapping, configuration, container)),
    entries: entryRules(mappings, entryComment(name, containerId), conditions),
    entryChains: [DNAT_CHAIN],
  };
}

/** The first address a family that the container has, by the result of the plugins before. */
function containerAddresses({ interfaces, ips }: CniResult, ifName: string): Map<IpFamily, InterfaceAddress> {
  const found = new Map<IpFamily, InterfaceAddress>();
  for (const { address, interface: index } of ips) {
    const device = index === undefined ? undefined : interfaces[index];
    if (device !== undefined && (device.name !== ifName || device.sandbox === undefined)) continue;
    const family = familyOf(address.address);
    if (!found.has(family)) found.set(family, address);
  }
  return found;
}

function setUp(call: PluginCall, family: IpFamily, chain: PlannedChain): void {
  const { rules } = call.host;
  rules.ensureChain(family, chain.name);
  for (const rule of chain.rules) rules.addUnique(family, chain.name, rule);
  for (const entry of chain.entryChains) {
    for (const rule of chain.entries) {
      rules.addUnique(family, entry, `${rule} -j ${chain.name}`, chain.prepend ? 'prepend' : 'append');
    }
  }
}

/** Lets 127.0.0.0/8 leave by the device that leads to the container (enableLocalnetRouting). */
function allowLocalnet({ host }: PluginCall, container: InterfaceAddress): void {
  const device = host.namespace.routeTo(container.address)?.route.device;
  if (device !== undefined) host.namespace.setSysctl(`net.ipv4.conf.${device}.route_localnet`, '1');
}

/**
 * Forgets UDP connections to the ports: their packets would go on to whom they went before the rules were there
 * (deletePortmapStaleConnections).
 */
function forgetConnections({ host, runtimeConfig }: PluginCall, family: IpFamily): void {
  const { conntrack, clock } = host.namespace.host.netfilter;
  const mapped = (runtimeConfig.portMappings ?? []).filter(({ protocol }) => protocol === 'udp');
  const ports = new Set(mapped.map(({ hostPort }) => hostPort));
  if (ports.size === 0) return;
  for (const entry of [...conntrack.entries(clock.now())]) {
    const { protocol, dst, dport } = entry.original;
    if (protocol === PROTOCOL.udp && familyOf(dst) === family && ports.has(dport)) conntrack.delete(entry);
  }
}

function previous({ prevResult }: PluginCall): CniResult {
  if (prevResult !== undefined) return prevResult;
  throw new CniError(
    'invalid-parameter',
    'must be called after another plugin: prevResult is missing',
    PLUGIN,
  );
}

/** The portmap plugin. */
export const portmap: Plugin<PortmapConfiguration> = {
  add(configuration, call) {
    const result = previous(call);
    if ((call.runtimeConfig.portMappings ?? []).length === 0) return result;
    for (const [family, container] of containerAddresses(result, call.ifName)) {
      if (configuration.snat && configuration.externalSetMarkChain === undefined) {
        for (const chain of markChains(configuration.markMasqBit)) setUp(call, family, chain);
      }
      setUp(call, family, TOP_CHAIN);
      setUp(call, family, containerChain(configuration, call, container));
      forgetConnections(call, family);
      if (configuration.snat && family === 'ipv4') allowLocalnet(call, container);
    }
    return result;
  },

  del(_configuration, { host, name, containerId }) {
    const chain = pluginChain(name, containerId, CONTAINER_PREFIX);
    host.rules.deleteChain('ipv4', chain);
    host.rules.deleteChain('ipv6', chain);
  },

  check(configuration, call) {
    const result = previous(call);
    if ((call.runtimeConfig.portMappings ?? []).length === 0) return;
    const { rules } = call.host;
    for (const [family, container] of containerAddresses(result, call.ifName)) {
      const chain = containerChain(configuration, call, container);
      const missing = (text: string) => {
        throw new CniError('check-failed', `the rule ${text} is not there`, PLUGIN);
      };
      for (const rule of chain.rules)
        if (!rules.hasRule(family, chain.name, rule)) missing(`-A ${chain.name} ${rule}`);
      for (const entry of chain.entries) {
        const rule = `${entry} -j ${chain.name}`;
        if (!rules.hasRule(family, DNAT_CHAIN, rule)) missing(`-A ${DNAT_CHAIN} ${rule}`);
      }
    }
  },

  gc(_configuration, { host, name, valid }) {
    collectChains(host.rules, { network: name, valid, prefix: CONTAINER_PREFIX, entry: DNAT_CHAIN });
  },

  status() {},
};
