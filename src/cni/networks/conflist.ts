/** The configuration files with which the container runtime attaches pods, as each network writes its own. */
import { formatIpPrefix, type IpPrefix } from '../../wire/ip-prefix.ts';

const PORTMAP = { type: 'portmap', capabilities: { portMappings: true } };

/** One range set for each of `podCIDRs`. */
export function rangesOf(podCIDRs: readonly IpPrefix[]): readonly (readonly { readonly subnet: string }[])[] {
  return podCIDRs.map((prefix) => [{ subnet: formatIpPrefix(prefix) }]);
}

/** `{"cniVersion", "name", "plugins": [plugin, portmap]}`, indented. */
export function conflistText(name: string, cniVersion: string, plugin: object): string {
  return `${JSON.stringify({ cniVersion, name, plugins: [plugin, PORTMAP] }, undefined, 2)}\n`;
}
