/**
 * How kube-proxy tells this node's pods from other sources (detectLocalMode).
 * Source: cmd/kube-proxy/app/server_linux.go (getLocalDetectors), Kubernetes 1.30.
 */
import { clusterCidrOf, type KubeProxyConfiguration } from '../kube/kube-proxy-configuration.ts';
import type { Node } from '../kube/objects.ts';
import { InputError } from '../sim/input-error.ts';
import type { IpFamily } from '../wire/ip-address.ts';
import type { IpPrefix } from '../wire/ip-prefix.ts';
import { prefixesOfFamily } from './family-addresses.ts';

export type LocalDetector =
  | { readonly kind: 'none' }
  /** Pods are the sources in `prefix`. */
  | { readonly kind: 'source'; readonly prefix: IpPrefix }
  /** Pods come in by the device `ifname`. */
  | { readonly kind: 'interface'; readonly ifname: string }
  /** Pods come in by devices whose names begin with `ifnamePrefix`. */
  | { readonly kind: 'interface-prefix'; readonly ifnamePrefix: string };

/** A family without a network of its own has no detector. */
function bySource(prefix: IpPrefix | undefined): LocalDetector {
  return prefix === undefined ? { kind: 'none' } : { kind: 'source', prefix };
}

/** IFNAMSIZ without its zero; a prefix shares it with the `+` behind it. */
const MAX_IFNAME = 15;

/** `name` when iptables takes it; `limit` is how many characters it may have. */
function deviceName(name: string, limit: number): string {
  if (name.length <= limit) return name;
  throw new InputError(
    `detectLocal: iptables does not take the device name '${name}'; expected at most ${limit} characters`,
  );
}

/** The detector that `configuration` asks for on `node`. Throws InputError for a name too long for a device. */
export function localDetectorOf(
  configuration: KubeProxyConfiguration,
  node: Node,
  family: IpFamily,
): LocalDetector {
  const { detectLocal } = configuration;
  switch (detectLocal.mode) {
    case 'ClusterCIDR':
      return bySource(clusterCidrOf(configuration, family));
    case 'NodeCIDR':
      return bySource(prefixesOfFamily(node.spec.podCIDRs, family)[0]);
    case 'BridgeInterface':
      return { kind: 'interface', ifname: deviceName(detectLocal.bridgeInterface, MAX_IFNAME) };
    case 'InterfaceNamePrefix':
      return {
        kind: 'interface-prefix',
        ifnamePrefix: deviceName(detectLocal.interfaceNamePrefix, MAX_IFNAME - 1),
      };
  }
}
