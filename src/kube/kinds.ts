/**
 * The kinds that are read, by apiVersion and name. A new kind is a line in this table and a decoder.
 */
import { InputError } from '../sim/input-error.ts';
import { type Decoder, rootCursor } from './decode/cursor.ts';
import { decodeEndpointSlice } from './decode/endpoint-slice.ts';
import { decodeEndpoints } from './decode/endpoints.ts';
import { decodeNetworkPolicy } from './decode/network-policy.ts';
import { decodeNode } from './decode/node.ts';
import { decodeOther } from './decode/other.ts';
import { decodePod } from './decode/pod.ts';
import { decodeService } from './decode/service.ts';
import { decodeWorkload } from './decode/workload.ts';
import type { Manifest } from './manifest/manifest.ts';
import { nearestWord } from './nearest.ts';
import type { KubeObject, OtherKind } from './objects.ts';

const DECODED: Readonly<Record<string, Decoder<KubeObject>>> = {
  'v1 Node': decodeNode,
  'v1 Pod': decodePod,
  'v1 Service': decodeService,
  'v1 Endpoints': decodeEndpoints,
  'discovery.k8s.io/v1 EndpointSlice': decodeEndpointSlice,
  'networking.k8s.io/v1 NetworkPolicy': decodeNetworkPolicy,
  'apps/v1 Deployment': decodeWorkload('Deployment'),
  'apps/v1 ReplicaSet': decodeWorkload('ReplicaSet'),
  'apps/v1 StatefulSet': decodeWorkload('StatefulSet'),
  'apps/v1 DaemonSet': decodeWorkload('DaemonSet'),
};

type Kept = readonly [apiVersion: string, scope: 'namespaced' | 'cluster', kinds: readonly OtherKind[]];

const KEPT: readonly Kept[] = [
  [
    'v1',
    'namespaced',
    [
      'ConfigMap',
      'Event',
      'LimitRange',
      'PersistentVolumeClaim',
      'PodTemplate',
      'ReplicationController',
      'ResourceQuota',
      'Secret',
      'ServiceAccount',
    ],
  ],
  ['v1', 'cluster', ['ComponentStatus', 'Namespace', 'PersistentVolume']],
  ['apps/v1', 'namespaced', ['ControllerRevision']],
  ['autoscaling/v1', 'namespaced', ['HorizontalPodAutoscaler']],
  ['autoscaling/v2', 'namespaced', ['HorizontalPodAutoscaler']],
  ['batch/v1', 'namespaced', ['CronJob', 'Job']],
  ['coordination.k8s.io/v1', 'namespaced', ['Lease']],
  ['events.k8s.io/v1', 'namespaced', ['Event']],
  ['networking.k8s.io/v1', 'namespaced', ['Ingress']],
  ['networking.k8s.io/v1', 'cluster', ['IngressClass', 'IPAddress', 'ServiceCIDR']],
  ['policy/v1', 'namespaced', ['PodDisruptionBudget']],
  ['rbac.authorization.k8s.io/v1', 'namespaced', ['Role', 'RoleBinding']],
  ['rbac.authorization.k8s.io/v1', 'cluster', ['ClusterRole', 'ClusterRoleBinding']],
  ['storage.k8s.io/v1', 'cluster', ['CSIDriver', 'CSINode', 'StorageClass', 'VolumeAttachment']],
  ['scheduling.k8s.io/v1', 'cluster', ['PriorityClass']],
  ['node.k8s.io/v1', 'cluster', ['RuntimeClass']],
  ['apiextensions.k8s.io/v1', 'cluster', ['CustomResourceDefinition']],
  ['apiregistration.k8s.io/v1', 'cluster', ['APIService']],
  [
    'admissionregistration.k8s.io/v1',
    'cluster',
    ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'],
  ],
  ['flowcontrol.apiserver.k8s.io/v1', 'cluster', ['FlowSchema', 'PriorityLevelConfiguration']],
];

const DECODERS: ReadonlyMap<string, Decoder<KubeObject>> = new Map([
  ...Object.entries(DECODED),
  ...KEPT.flatMap(([apiVersion, scope, kinds]) =>
    kinds.map((kind) => [`${apiVersion} ${kind}`, decodeOther(kind, scope === 'namespaced')] as const),
  ),
]);

/** True when `manifest` is of a kind in the table. */
export function isKnownKind(manifest: Manifest): boolean {
  return DECODERS.has(`${manifest.apiVersion} ${manifest.kind}`);
}

/**
 * Decodes one object. Throws InputError with file and line for a kind that is not known and for whatever the
 * API server would refuse.
 */
export function decodeObject(manifest: Manifest): KubeObject {
  const decode = DECODERS.get(`${manifest.apiVersion} ${manifest.kind}`);
  if (decode === undefined) throw unknownKind(manifest);
  return decode(rootCursor(manifest));
}

/** The error for a kind nobody reads; names the apiVersion under which the kind is known, or a kind of a similar name. */
export function unknownKind(
  { apiVersion, kind, origin }: Manifest,
  others: Iterable<string> = [],
): InputError {
  const known = [...DECODERS.keys(), ...others].map((key) => key.split(' '));
  const versions = known.filter(([, name]) => name === kind).map(([version]) => version);
  const near = nearestWord(
    kind,
    known.flatMap(([, name]) => name ?? []),
  );
  const meant = near === undefined ? '' : `; did you mean ${near}?`;
  const hint = versions.length > 0 ? `; ${kind} is read in ${versions.join(' and ')}` : meant;
  return new InputError(`no kind "${kind}" in version "${apiVersion}"${hint}`, {
    file: origin.file,
    line: origin.line,
  });
}
