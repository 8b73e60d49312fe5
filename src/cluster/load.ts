/** From the text of the input files to the complete objects of a cluster. */

import { type ClusterObjects, deriveCluster } from './derive.ts';
import { collectObjects, type InputFile } from './load-objects.ts';

/**
 * Reads `inputs` (YAML or JSON, any mix of Kubernetes objects, KubeProxyConfiguration, kind's Cluster and
 * Topology), and derives what the control plane would add. Throws InputError, with file and line, for
 * whatever an API server or kube-proxy would refuse.
 */
export function loadCluster(inputs: readonly InputFile[]): ClusterObjects {
  return deriveCluster(collectObjects(inputs));
}
