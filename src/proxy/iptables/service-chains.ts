/** The names one service port uses in iptables rules. */
import { servicePortHash } from '../hash-names.ts';
import type { TrafficPolicy } from '../service-plan.ts';
import type { ServicePort } from '../service-port.ts';

export interface ServiceChains {
  /** Balances over the endpoints of policy Cluster. */
  readonly cluster: string;
  /** Balances over the endpoints of policy Local. */
  readonly local: string;
  /** Where traffic to the external addresses and the nodePort enters. */
  readonly external: string;
  /** Lets the source ranges through to `external`. */
  readonly firewall: string;
}

/** The chain names of `port`. */
export function serviceChains(port: ServicePort): ServiceChains {
  const hash = servicePortHash(port);
  return {
    cluster: `KUBE-SVC-${hash}`,
    local: `KUBE-SVL-${hash}`,
    external: `KUBE-EXT-${hash}`,
    firewall: `KUBE-FW-${hash}`,
  };
}

/** The chain that balances traffic under `policy`. */
export function policyChain(chains: ServiceChains, policy: TrafficPolicy): string {
  return policy === 'local' ? chains.local : chains.cluster;
}
