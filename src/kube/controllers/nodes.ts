/** Node objects where none are given: those of a kind cluster, those that other objects name, or three. */
import { type KindCluster, type KindNode, type KindRole, kindNodeNames } from '../kind-cluster.ts';
import type { Node, Origin, Taint } from '../objects.ts';

const CONTROL_PLANE_LABEL = 'node-role.kubernetes.io/control-plane';

/** kubeadm's; kind takes it off when the control-plane node is the only one. */
const CONTROL_PLANE_TAINT: Taint = { key: CONTROL_PLANE_LABEL, effect: 'NoSchedule' };

export const DEFAULT_ROLES: readonly KindRole[] = ['control-plane', 'worker', 'worker'];

interface NewNode {
  readonly name: string;
  readonly role: KindRole;
  readonly labels: Readonly<Record<string, string>>;
  readonly origin: Origin;
}

function newNode({ name, role, labels, origin }: NewNode, alone: boolean): Node {
  const isControlPlane = role === 'control-plane';
  return {
    kind: 'Node',
    metadata: {
      name,
      namespace: '',
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        ...(isControlPlane
          ? { [CONTROL_PLANE_LABEL]: '', 'node.kubernetes.io/exclude-from-external-load-balancers': '' }
          : {}),
        ...labels,
      },
      annotations: {},
    },
    origin,
    spec: {
      podCIDRs: [],
      unschedulable: false,
      taints: isControlPlane && !alone ? [CONTROL_PLANE_TAINT] : [],
    },
    status: { addresses: [], ready: true },
  };
}

/** The nodes `kind create cluster` makes: those of the file, or one control-plane node. */
export function kindNodes({ name, nodes, origin }: KindCluster): Node[] {
  const wanted: readonly KindNode[] =
    nodes.length > 0 ? nodes : [{ role: 'control-plane', labels: {}, origin }];
  const names = kindNodeNames(
    name,
    wanted.map((node) => node.role),
  );
  return wanted.map((node, index) => newNode({ ...node, name: names[index] ?? '' }, wanted.length === 1));
}

/**
 * Nodes for a cluster without any. When other objects name nodes that are not the default ones, just those,
 * as workers; else one control-plane node and two workers, with kind's names.
 */
export function defaultNodes(named: ReadonlySet<string>, origin: Origin): Node[] {
  const defaults = kindNodeNames('kind', DEFAULT_ROLES);
  if ([...named].every((name) => defaults.includes(name))) {
    return defaults.map((name, index) =>
      newNode({ name, role: DEFAULT_ROLES[index] ?? 'worker', labels: {}, origin }, false),
    );
  }
  return [...named].map((name) => newNode({ name, role: 'worker', labels: {}, origin }, false));
}
