/** Pods of workloads: what the deployment, replica-set, stateful-set and daemon-set controllers create. */
import type { Node, Pod, PodSpec, PodTemplate, Workload } from '../objects.ts';
import { isEligible } from './node-eligibility.ts';
import { append, PodIndex } from './pod-index.ts';
import { isTerminal } from './scheduler.ts';
import { generateName, templateHash } from './stable-name.ts';

export interface WorkloadObjects {
  /** Those given and the ReplicaSets made for Deployments. */
  readonly workloads: readonly Workload[];
  /** Those given, then the new ones, in the order of their workloads. */
  readonly pods: readonly Pod[];
}

const HASH_LABEL = 'pod-template-hash';

/** pkg/controller/daemon/util.AddOrUpdateDaemonPodTolerations. */
const DAEMON_TOLERATIONS: PodSpec['tolerations'] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
];

const keyOf = (namespace: string, kind: string, name: string) => `${namespace}/${kind}/${name}`;

/** The pods that exist so far, and whose they are. */
class PodRegister {
  readonly pods: Pod[] = [];
  readonly #names = new Map<string, Set<string>>();
  /** Living pods by the workload that controls them. */
  readonly #controlled = new Map<string, Pod[]>();
  /** Living pods that no workload here controls. */
  readonly #others: PodIndex;

  constructor(pods: readonly Pod[], workloads: readonly Workload[]) {
    const known = new Set(
      workloads.map(({ kind, metadata }) => keyOf(metadata.namespace, kind, metadata.name)),
    );
    for (const pod of pods) this.add(pod);
    this.#others = new PodIndex(
      pods.filter((pod) => !isTerminal(pod) && !known.has(controllerKey(pod) ?? '')),
    );
  }

  add(pod: Pod): void {
    this.pods.push(pod);
    this.namesIn(pod.metadata.namespace).add(pod.metadata.name);
    const controller = controllerKey(pod);
    if (controller !== undefined && !isTerminal(pod)) append(this.#controlled, controller, pod);
  }

  namesIn(namespace: string): Set<string> {
    const names = this.#names.get(namespace) ?? new Set();
    this.#names.set(namespace, names);
    return names;
  }

  /**
   * The living pods that count as `workload`'s: those it controls, and those its selector matches that no
   * workload here controls. The latter are adopted, or their ReplicaSet was left out of the files.
   */
  ownedBy({ kind, metadata, spec }: Workload): Pod[] {
    const own = this.#controlled.get(keyOf(metadata.namespace, kind, metadata.name)) ?? [];
    const adopted = this.#others.matching(metadata.namespace, spec.selector);
    return [...new Set([...own, ...adopted])];
  }
}

function controllerKey({ metadata }: Pod): string | undefined {
  const { controller, namespace } = metadata;
  return controller === undefined ? undefined : keyOf(namespace, controller.kind, controller.name);
}

function newPod(workload: Workload, name: string, { labels, annotations, spec }: PodTemplate): Pod {
  const { kind, metadata, origin } = workload;
  return {
    kind: 'Pod',
    metadata: {
      name,
      namespace: metadata.namespace,
      labels,
      annotations,
      controller: { kind, name: metadata.name },
    },
    origin,
    spec,
    status: { podIPs: [] },
  };
}

type Grow = (workload: Workload, register: PodRegister, nodes: readonly Node[]) => void;

/** Up to `replicas` pods with generated names. One that is being deleted has been replaced already. */
const growReplicaSet: Grow = (workload, register) => {
  const { metadata, spec } = workload;
  const names = register.namesIn(metadata.namespace);
  const active = register.ownedBy(workload).filter((pod) => pod.metadata.deletionTimestamp === undefined);
  for (let n = active.length; n < spec.replicas; n++) {
    const seed = `${metadata.namespace}/${metadata.name}/${n}`;
    register.add(newPod(workload, generateName(`${metadata.name}-`, seed, names), spec.template));
  }
};

/** NAME-0 to NAME-(replicas − 1), whichever are missing. */
const growStatefulSet: Grow = (workload, register) => {
  const { metadata, spec } = workload;
  const names = register.namesIn(metadata.namespace);
  for (let ordinal = 0; ordinal < spec.replicas; ordinal++) {
    const name = `${metadata.name}-${ordinal}`;
    if (names.has(name)) continue;
    const labels = {
      ...spec.template.labels,
      'apps.kubernetes.io/pod-index': String(ordinal),
      'statefulset.kubernetes.io/pod-name': name,
    };
    // Every pod has a name under the governing Service.
    const { serviceName } = spec;
    const own = { ...spec.template.spec, hostname: name, ...(serviceName ? { subdomain: serviceName } : {}) };
    register.add(newPod(workload, name, { ...spec.template, labels, spec: own }));
  }
};

/** One pod on every node that may run it; not-ready and unschedulable nodes are no exception. */
const growDaemonSet: Grow = (workload, register, nodes) => {
  const { metadata, spec } = workload;
  const podSpec: PodSpec = {
    ...spec.template.spec,
    tolerations: [...spec.template.spec.tolerations, ...DAEMON_TOLERATIONS],
  };
  const covered = new Set(register.ownedBy(workload).map((pod) => pod.spec.nodeName));
  const names = register.namesIn(metadata.namespace);
  for (const node of nodes) {
    const nodeName = node.metadata.name;
    if (covered.has(nodeName) || !isEligible(podSpec, node)) continue;
    const seed = `${metadata.namespace}/${metadata.name}/${nodeName}`;
    const template = { ...spec.template, spec: { ...podSpec, nodeName } };
    register.add(newPod(workload, generateName(`${metadata.name}-`, seed, names), template));
  }
};

/** A Deployment acts through its ReplicaSets alone. */
const GROW: Readonly<Record<Workload['kind'], Grow>> = {
  Deployment: () => {},
  ReplicaSet: growReplicaSet,
  StatefulSet: growStatefulSet,
  DaemonSet: growDaemonSet,
};

/**
 * The ReplicaSet of a Deployment's present template; `hash` tells it from earlier ones. Living pods whose
 * ReplicaSet was left out of the files show which hash it had.
 */
function newReplicaSet(deployment: Workload, register: PodRegister): Workload {
  const { metadata, spec, origin } = deployment;
  const pods = register.ownedBy(deployment);
  const known = pods.flatMap((pod) => pod.metadata.labels[HASH_LABEL] ?? [])[0];
  const hash = known ?? templateHash(spec.template);
  const labels = { ...spec.template.labels, [HASH_LABEL]: hash };
  return {
    kind: 'ReplicaSet',
    metadata: {
      name: `${metadata.name}-${hash}`,
      namespace: metadata.namespace,
      labels,
      annotations: {},
      controller: { kind: 'Deployment', name: metadata.name },
    },
    origin,
    spec: {
      replicas: spec.replicas,
      selector: { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, [HASH_LABEL]: hash } },
      template: { ...spec.template, labels },
    },
  };
}

/** The Deployments whose ReplicaSets are in the files: those say how many pods there are. */
function deploymentsWithReplicaSets(workloads: readonly Workload[]): Set<string> {
  const owners = workloads.flatMap(({ kind, metadata: { namespace, controller } }) =>
    kind === 'ReplicaSet' && controller?.kind === 'Deployment'
      ? [keyOf(namespace, controller.kind, controller.name)]
      : [],
  );
  return new Set(owners);
}

/**
 * Completes `given` with the ReplicaSets of Deployments and the pods of all workloads. Pods that exist count
 * towards the replicas; surplus ones are left alone. New pods have no node yet, except those of DaemonSets.
 */
export function growWorkloads(given: WorkloadObjects, nodes: readonly Node[]): WorkloadObjects {
  const register = new PodRegister(given.pods, given.workloads);
  const complete = deploymentsWithReplicaSets(given.workloads);
  const workloads = given.workloads.flatMap((workload) => {
    const { kind, metadata } = workload;
    const isComplete = kind !== 'Deployment' || complete.has(keyOf(metadata.namespace, kind, metadata.name));
    return isComplete ? [workload] : [workload, newReplicaSet(workload, register)];
  });
  for (const workload of workloads) GROW[workload.kind](workload, register, nodes);
  return { workloads, pods: register.pods };
}
