/**
 * How kube-proxy tells this node's pods from other sources (detectLocalMode).
 * Source: cmd/kube-proxy/app/server_linux.go (getLocalDetectors), Kubernetes 1.30.
 */
import { clusterCidrOf, type KubeProxyConfiguration } from '../kube/kube-proxy-configuration.ts';
import type { Node } from '../kube/objects.ts';
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

/** The detector that `configuration` asks for on `node`. */
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
      return { kind: 'interface', ifname: detectLocal.bridgeInterface };
    case 'InterfaceNamePrefix':
      return { kind: 'interface-prefix', ifnamePrefix: detectLocal.interfaceNamePrefix };
  }
}
