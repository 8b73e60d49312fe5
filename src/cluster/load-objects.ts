/** Sorts the objects of all files by kind, each decoded, none twice. */
import { rootCursor } from '../kube/decode/cursor.ts';
import { decodeKindCluster, KIND_API_VERSION } from '../kube/decode/kind-cluster.ts';
import {
  decodeKubeProxyConfiguration,
  KUBE_PROXY_API_VERSION,
} from '../kube/decode/kube-proxy-configuration.ts';
import type { KindCluster } from '../kube/kind-cluster.ts';
import { decodeObject, isKnownKind, unknownKind } from '../kube/kinds.ts';
import type { KubeProxyConfiguration } from '../kube/kube-proxy-configuration.ts';
import { type Manifest, parseManifests } from '../kube/manifest/manifest.ts';
import type {
  EndpointSlice,
  Endpoints,
  KubeObject,
  NetworkPolicy,
  Node,
  Origin,
  OtherObject,
  Pod,
  Service,
  Workload,
} from '../kube/objects.ts';
import { describeObject, describeOrigin } from '../kube/refusal.ts';
import { InputError } from '../sim/input-error.ts';
import type { Topology } from './topology.ts';
import { decodeTopology, TOPOLOGY_API_VERSION } from './topology-decode.ts';

/** A file as the user named it, and its text. */
export interface InputFile {
  readonly file: string;
  readonly text: string;
}

/** What was given, before anything is derived. */
export interface GivenObjects {
  readonly config: KubeProxyConfiguration | undefined;
  readonly kindCluster: KindCluster | undefined;
  readonly topology: Topology | undefined;
  readonly topologyOrigin: Origin | undefined;
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  readonly workloads: readonly Workload[];
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
  readonly endpoints: readonly Endpoints[];
  readonly networkPolicies: readonly NetworkPolicy[];
  readonly others: readonly OtherObject[];
}

/** One value at most, with the place it came from. */
class Single<T> {
  #value: T | undefined;
  #origin: Origin | undefined;

  set(value: T, manifest: Manifest): void {
    if (this.#origin !== undefined) {
      throw new InputError(
        `only one ${manifest.kind} may be given; another is at ${describeOrigin(this.#origin)}`,
        {
          file: manifest.origin.file,
          line: manifest.origin.line,
        },
      );
    }
    this.#value = value;
    this.#origin = manifest.origin;
  }

  get(): T | undefined {
    return this.#value;
  }

  origin(): Origin | undefined {
    return this.#origin;
  }
}

function isKind<K extends KubeObject['kind']>(...kinds: readonly K[]) {
  return (object: KubeObject): object is Extract<KubeObject, { kind: K }> =>
    kinds.some((kind) => kind === object.kind);
}

const isNode = isKind('Node');
const isPod = isKind('Pod');
const isWorkload = isKind('Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet');
const isService = isKind('Service');
const isEndpointSlice = isKind('EndpointSlice');
const isEndpoints = isKind('Endpoints');
const isNetworkPolicy = isKind('NetworkPolicy');

function isOther(object: KubeObject): object is OtherObject {
  const typed = [isNode, isPod, isWorkload, isService, isEndpointSlice, isEndpoints, isNetworkPolicy];
  return !typed.some((is) => is(object));
}

/**
 * Reads `files` in order. Throws InputError for text that does not parse, for kinds nobody reads, for what
 * the API server would refuse, and for an object given twice.
 */
export function collectObjects(files: readonly InputFile[]): GivenObjects {
  const config = new Single<KubeProxyConfiguration>();
  const kindCluster = new Single<KindCluster>();
  const topology = new Single<Topology>();
  const configurations: Readonly<Record<string, (manifest: Manifest) => void>> = {
    [`${KUBE_PROXY_API_VERSION} KubeProxyConfiguration`]: (manifest) =>
      config.set(decodeKubeProxyConfiguration(rootCursor(manifest)), manifest),
    [`${KIND_API_VERSION} Cluster`]: (manifest) =>
      kindCluster.set(decodeKindCluster(rootCursor(manifest)), manifest),
    [`${TOPOLOGY_API_VERSION} Topology`]: (manifest) =>
      topology.set(decodeTopology(rootCursor(manifest)), manifest),
  };
  const objects = new Map<string, KubeObject>();
  for (const { file, text } of files) {
    for (const manifest of parseManifests(text, file)) {
      const configure = configurations[`${manifest.apiVersion} ${manifest.kind}`];
      if (configure !== undefined) configure(manifest);
      else if (isKnownKind(manifest)) addOnce(objects, decodeObject(manifest));
      else throw unknownKind(manifest, Object.keys(configurations));
    }
  }
  const all = [...objects.values()];
  return {
    config: config.get(),
    kindCluster: kindCluster.get(),
    topology: topology.get(),
    topologyOrigin: topology.origin(),
    nodes: all.filter(isNode),
    pods: all.filter(isPod),
    workloads: all.filter(isWorkload),
    services: all.filter(isService),
    endpointSlices: all.filter(isEndpointSlice),
    endpoints: all.filter(isEndpoints),
    networkPolicies: all.filter(isNetworkPolicy),
    others: all.filter(isOther),
  };
}

function addOnce(objects: Map<string, KubeObject>, object: KubeObject): void {
  const key = describeObject(object);
  const first = objects.get(key);
  if (first !== undefined) {
    throw new InputError(`${key} is given twice; the first is at ${describeOrigin(first.origin)}`, {
      file: object.origin.file,
      line: object.origin.line,
    });
  }
  objects.set(key, object);
}
