/** Binds pods to nodes, round robin over those each may run on. */
import type { Node, Pod } from '../objects.ts';
import { refusal } from '../refusal.ts';
import { isEligible } from './node-eligibility.ts';

/** A pod that has finished keeps its object and gives back everything else. */
export function isTerminal({ status }: Pod): boolean {
  return status.phase === 'Succeeded' || status.phase === 'Failed';
}

/**
 * `pods` in their order, each with a nodeName unless no node may run it: such a pod stays Pending. A pod that
 * names its node is there already, whatever the node's taints (kubelets run static pods so). `homeOf` may
 * know a pod's node from its address. Throws InputError for the name of a node that does not exist.
 */
export function schedule(
  pods: readonly Pod[],
  nodes: readonly Node[],
  homeOf: (pod: Pod) => string | undefined = () => undefined,
): Pod[] {
  const names = new Set(nodes.map((node) => node.metadata.name));
  let next = 0;
  return pods.map((pod) => {
    const { nodeName } = pod.spec;
    if (nodeName !== undefined) {
      if (names.has(nodeName)) return pod;
      const known = [...names].join(', ');
      throw refusal(pod, ['spec', 'nodeName'], `there is no Node ${nodeName}; the nodes are ${known}`);
    }
    if (isTerminal(pod)) return pod;
    const home = homeOf(pod);
    if (home !== undefined) return bind(pod, home);
    for (let step = 0; step < nodes.length; step++) {
      const node = nodes[(next + step) % nodes.length];
      if (node === undefined || !isEligible(pod.spec, node)) continue;
      next = (next + step + 1) % nodes.length;
      return bind(pod, node.metadata.name);
    }
    return { ...pod, status: { ...pod.status, phase: 'Pending', ready: false } };
  });
}

function bind(pod: Pod, nodeName: string): Pod {
  return { ...pod, spec: { ...pod.spec, nodeName } };
}
