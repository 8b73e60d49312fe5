/**
 * `ipMasq`: a chain for each container, entered for packets from its addresses, which masquerades what does not
 * stay in its network (plugins/pkg/ip, SetupIPMasq). The names are the real plugins'.
 */
import { formatAddress } from '../../ruletext/address-text.ts';
import { quote } from '../../ruletext/quoting.ts';
import { addressBits, familyOf, type IpFamily } from '../../wire/ip-address.ts';
import { formatIpPrefix, type InterfaceAddress, prefixOf } from '../../wire/ip-prefix.ts';
import { sha512Hex } from '../hash-names.ts';
import type { IpamOwner } from '../ipam/host-local-store.ts';
import type { PluginRules } from './plugin-rules.ts';

/** What every chain of a plugin is long. */
const CHAIN_LENGTH = 28;
const MULTICAST: Readonly<Record<IpFamily, string>> = { ipv4: '224.0.0.0/4', ipv6: 'ff00::/8' };

/** `CNI-` with `prefix` and a hash of network and container, 28 characters (FormatChainName). */
export function pluginChain(network: string, containerId: string, prefix = ''): string {
  return `CNI-${prefix}${sha512Hex(network + containerId)}`.slice(0, CHAIN_LENGTH);
}

/** `name: "NETWORK" id: "CONTAINER"` (FormatComment). */
export function pluginComment(network: string, containerId: string): string {
  return `name: "${network}" id: "${containerId}"`;
}

interface MasqInput {
  readonly network: string;
  readonly containerId: string;
  readonly addresses: readonly InterfaceAddress[];
}

const commentMatch = (text: string) => `-m comment --comment ${quote(text)}`;

/** Masquerades what the container sends beyond its own networks. */
export function setUpIpMasq(rules: PluginRules, { network, containerId, addresses }: MasqInput): void {
  const chain = pluginChain(network, containerId);
  const comment = commentMatch(pluginComment(network, containerId));
  for (const { address, length } of addresses) {
    const family = familyOf(address);
    rules.ensureChain(family, chain);
    rules.addUnique(family, chain, `-d ${formatIpPrefix(prefixOf(address, length))} ${comment} -j ACCEPT`);
    rules.addUnique(family, chain, `! -d ${MULTICAST[family]} ${comment} -j MASQUERADE`);
    const source = `${formatAddress(address)}/${addressBits(family)}`;
    rules.addUnique(family, 'POSTROUTING', `-s ${source} ${comment} -j ${chain}`);
  }
}

/** Removes that again, for every address the container may have had. */
export function tearDownIpMasq(rules: PluginRules, network: string, containerId: string): void {
  const chain = pluginChain(network, containerId);
  rules.deleteChain('ipv4', chain);
  rules.deleteChain('ipv6', chain);
}

/**
 * Removes the chains of `network` whose container is none of `valid`: those that rules lead to whose comment names
 * the network. `prefix` as in pluginChain, `entry` the chain the rules are in.
 */
export function collectChains(
  rules: PluginRules,
  {
    network,
    valid,
    prefix = '',
    entry,
  }: { network: string; valid: readonly IpamOwner[]; prefix?: string; entry: string },
): void {
  const kept = new Set(valid.map(({ containerId }) => pluginChain(network, containerId, prefix)));
  const named = quote(`name: "${network}" id: `).slice(1, -1);
  for (const family of ['ipv4', 'ipv6'] as const) {
    const entries = rules.rules(family, entry).filter((rule) => rule.includes(named));
    for (const rule of entries) {
      const chain = rule.slice(rule.lastIndexOf(' ') + 1);
      if (chain.startsWith(`CNI-${prefix}`) && !kept.has(chain)) rules.deleteChain(family, chain);
    }
  }
}
