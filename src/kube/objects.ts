/**
 * The API objects kubewire works with, reduced to the fields that reach the data plane, defaulted and
 * checked once at the edge (decode.ts). Field names are the API's own. Addresses stay text here where
 * kube-proxy hashes and prints the text itself (endpoints); everything else that reads them parses once.
 */
import type { IpPrefix } from '../wire/ip-prefix.ts';

export interface ObjectMeta {
  readonly name: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly deletionTimestamp?: string;
  /** The owner that is the object's controller, of its own namespace. */
  readonly controller?: { readonly kind: string; readonly name: string };
}

/** Where an object was read, for error messages. */
export interface Origin {
  readonly file: string;
  readonly line: number;
}

interface ApiObject {
  readonly metadata: ObjectMeta;
  readonly origin: Origin;
}

export type L4Protocol = 'TCP' | 'UDP' | 'SCTP';

export interface NodeAddress {
  readonly type: string;
  readonly address: string;
}

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

export interface Node extends ApiObject {
  readonly kind: 'Node';
  readonly spec: {
    readonly podCIDRs: readonly string[];
    readonly unschedulable: boolean;
    readonly taints: readonly Taint[];
  };
  readonly status: {
    readonly addresses: readonly NodeAddress[];
    /** The Ready condition; a node without conditions counts as ready. */
    readonly ready: boolean;
  };
}

export interface ContainerPort {
  readonly name?: string;
  readonly containerPort: number;
  readonly protocol: L4Protocol;
  /** The node's port that leads to it. */
  readonly hostPort?: number;
  /** Only at this address of the node. */
  readonly hostIP?: string;
}

export type NodeSelectorOperator = 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';

export interface NodeSelectorRequirement {
  readonly key: string;
  readonly operator: NodeSelectorOperator;
  readonly values: readonly string[];
}

export interface NodeSelectorTerm {
  /** About labels. */
  readonly matchExpressions: readonly NodeSelectorRequirement[];
  /** About metadata.name. */
  readonly matchFields: readonly NodeSelectorRequirement[];
}

export interface PodDnsConfig {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly { readonly name: string; readonly value?: string }[];
}

export type DnsPolicy = 'ClusterFirst' | 'ClusterFirstWithHostNet' | 'Default' | 'None';

export interface PodSpec {
  readonly nodeName?: string;
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution: one of the terms must hold. */
  readonly requiredNodeTerms?: readonly NodeSelectorTerm[];
  readonly hostNetwork: boolean;
  readonly ports: readonly ContainerPort[];
  /** The pod's own name in DNS; with `subdomain`, that of a headless Service, it becomes a name of its own. */
  readonly hostname?: string;
  readonly subdomain?: string;
  /** Absent: ClusterFirst. */
  readonly dnsPolicy?: DnsPolicy;
  readonly dnsConfig?: PodDnsConfig;
  readonly tolerations: readonly {
    readonly key?: string;
    readonly operator?: string;
    readonly value?: string;
    readonly effect?: string;
  }[];
}

export interface Pod extends ApiObject {
  readonly kind: 'Pod';
  readonly spec: PodSpec;
  readonly status: {
    /** Absent: derived (Running). */
    readonly phase?: string;
    readonly podIPs: readonly string[];
    /** The Ready condition; absent means derived (ready). */
    readonly ready?: boolean;
  };
}

export interface LabelSelector {
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly matchExpressions: readonly {
    readonly key: string;
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    readonly values: readonly string[];
  }[];
}

export interface PodTemplate {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
}

/** Deployment, ReplicaSet, StatefulSet and DaemonSet: what makes pods. DaemonSets ignore `replicas`. */
export interface Workload extends ApiObject {
  readonly kind: 'Deployment' | 'ReplicaSet' | 'StatefulSet' | 'DaemonSet';
  readonly spec: {
    readonly replicas: number;
    /** StatefulSets: the headless Service under which the pods have names. */
    readonly serviceName?: string;
    readonly selector: LabelSelector;
    readonly template: PodTemplate;
  };
}

export interface ServicePort {
  /** Empty when the port has no name. */
  readonly name: string;
  readonly protocol: L4Protocol;
  readonly port: number;
  readonly targetPort: number | string;
  /** 0: none. */
  readonly nodePort: number;
}

export interface LoadBalancerIngress {
  readonly ip?: string;
  readonly hostname?: string;
  readonly ipMode?: string;
}

export type ServiceType = 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';

export interface Service extends ApiObject {
  readonly kind: 'Service';
  readonly spec: {
    readonly type: ServiceType;
    /** As written: `None`, empty, or one address a family. `clusterIP` is the first of `clusterIPs` when that is given. */
    readonly clusterIP: string;
    readonly clusterIPs: readonly string[];
    readonly ipFamilies: readonly ('IPv4' | 'IPv6')[];
    readonly ipFamilyPolicy?: string;
    readonly ports: readonly ServicePort[];
    /** Absent: a Service without selector, whose slices somebody else writes. */
    readonly selector?: Readonly<Record<string, string>>;
    /** Type ExternalName: the DNS name it stands for. */
    readonly externalName?: string;
    readonly externalIPs: readonly string[];
    readonly loadBalancerIP?: string;
    readonly loadBalancerSourceRanges: readonly string[];
    readonly sessionAffinity: 'None' | 'ClientIP';
    /** sessionAffinityConfig.clientIP.timeoutSeconds, default 10800. */
    readonly sessionAffinityTimeout: number;
    readonly internalTrafficPolicy: 'Cluster' | 'Local';
    readonly externalTrafficPolicy: 'Cluster' | 'Local';
    /** 0: none. */
    readonly healthCheckNodePort: number;
    readonly publishNotReadyAddresses: boolean;
    readonly allocateLoadBalancerNodePorts: boolean;
  };
  readonly status: { readonly loadBalancer: { readonly ingress: readonly LoadBalancerIngress[] } };
  /**
   * Present when the object has been through an API server, which shows in `clusterIPs`: nobody writes that
   * list by hand. Then no port or address is missing, and none is to be allocated.
   */
  readonly allocated?: true;
}

export interface Endpoint {
  readonly addresses: readonly string[];
  /** Absent members are the API's nil. */
  readonly conditions: {
    readonly ready?: boolean;
    readonly serving?: boolean;
    readonly terminating?: boolean;
  };
  /** The endpoint's own name under that of a headless Service. */
  readonly hostname?: string;
  readonly nodeName?: string;
  readonly zone?: string;
  /** hints.forZones names. */
  readonly zoneHints: readonly string[];
  readonly targetRef?: { readonly kind: string; readonly namespace: string; readonly name: string };
}

export interface EndpointPort {
  /** Absent: null in the API, which kube-proxy ignores. */
  readonly name?: string;
  readonly protocol: L4Protocol;
  /** Absent or 0: ignored by kube-proxy. */
  readonly port?: number;
}

export interface EndpointSlice extends ApiObject {
  readonly kind: 'EndpointSlice';
  readonly addressType: string;
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

export interface EndpointAddress {
  readonly ip: string;
  readonly nodeName?: string;
  readonly targetRef?: { readonly kind: string; readonly namespace: string; readonly name: string };
}

export interface EndpointSubset {
  readonly addresses: readonly EndpointAddress[];
  readonly notReadyAddresses: readonly EndpointAddress[];
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: L4Protocol }[];
}

/** The older form of endpoints; the control plane mirrors it into EndpointSlices. */
export interface Endpoints extends ApiObject {
  readonly kind: 'Endpoints';
  readonly subsets: readonly EndpointSubset[];
}

export interface NetworkPolicyPort {
  readonly protocol: L4Protocol;
  /** A number, or the name of a container port. Absent: every port of the protocol. */
  readonly port?: number | string;
  /** The last of a range that begins with the number in `port`. */
  readonly endPort?: number;
}

/** Either `ipBlock` alone, or one or both selectors. */
export interface NetworkPolicyPeer {
  /** Pods of the policy's own namespace, or of those that `namespaceSelector` chooses. */
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  /** Host bits cleared. Every one of `except` is a strict part of `cidr`. */
  readonly ipBlock?: { readonly cidr: IpPrefix; readonly except: readonly IpPrefix[] };
}

export interface NetworkPolicyIngressRule {
  /** Empty: every port. */
  readonly ports: readonly NetworkPolicyPort[];
  /** Empty: everybody. */
  readonly from: readonly NetworkPolicyPeer[];
}

export interface NetworkPolicyEgressRule {
  readonly ports: readonly NetworkPolicyPort[];
  readonly to: readonly NetworkPolicyPeer[];
}

export interface NetworkPolicy extends ApiObject {
  readonly kind: 'NetworkPolicy';
  readonly spec: {
    readonly podSelector: LabelSelector;
    /** In which directions the selected pods are isolated. Rules of other directions have no effect. */
    readonly policyTypes: readonly ('Ingress' | 'Egress')[];
    readonly ingress: readonly NetworkPolicyIngressRule[];
    readonly egress: readonly NetworkPolicyEgressRule[];
  };
}

/** Kinds that are accepted and kept; the data plane does not act on them yet. */
export type OtherKind =
  | 'APIService'
  | 'CSIDriver'
  | 'CSINode'
  | 'ClusterRole'
  | 'ClusterRoleBinding'
  | 'ComponentStatus'
  | 'ConfigMap'
  | 'ControllerRevision'
  | 'CronJob'
  | 'CustomResourceDefinition'
  | 'Event'
  | 'FlowSchema'
  | 'HorizontalPodAutoscaler'
  | 'IPAddress'
  | 'Ingress'
  | 'IngressClass'
  | 'Job'
  | 'Lease'
  | 'LimitRange'
  | 'MutatingWebhookConfiguration'
  | 'Namespace'
  | 'PersistentVolume'
  | 'PersistentVolumeClaim'
  | 'PodDisruptionBudget'
  | 'PodTemplate'
  | 'PriorityClass'
  | 'PriorityLevelConfiguration'
  | 'ReplicationController'
  | 'ResourceQuota'
  | 'Role'
  | 'RoleBinding'
  | 'RuntimeClass'
  | 'Secret'
  | 'ServiceAccount'
  | 'ServiceCIDR'
  | 'StorageClass'
  | 'ValidatingWebhookConfiguration'
  | 'VolumeAttachment';

export interface OtherObject extends ApiObject {
  readonly kind: OtherKind;
}

export type KubeObject =
  | Node
  | Pod
  | Workload
  | Service
  | EndpointSlice
  | Endpoints
  | NetworkPolicy
  | OtherObject;
