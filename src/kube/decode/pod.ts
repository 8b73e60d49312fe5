/** v1 Pod, and the pod templates of workloads. */

import { tryParseIpAddress } from '../../wire/ip-address.ts';
import type {
  ContainerPort,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  Pod,
  PodDnsConfig,
  PodSpec,
} from '../objects.ts';
import { ipText } from './addresses.ts';
import { type Cursor, elements, field } from './cursor.ts';
import {
  boolean,
  defined,
  list,
  oneOf,
  optional,
  refuseDuplicates,
  required,
  string,
  stringMap,
  text,
  withDefault,
} from './decoders.ts';
import { metadata } from './metadata.ts';
import { dns1123Label, dns1123Subdomain, ianaServiceName } from './names.ts';
import { portNumber, protocol } from './ports.ts';

function containerPort(at: Cursor): ContainerPort {
  return defined<ContainerPort>({
    name: portName(field(at, 'name')),
    containerPort: required(portNumber)(field(at, 'containerPort')),
    protocol: protocol(field(at, 'protocol')),
    hostPort: hostPort(field(at, 'hostPort')),
    hostIP: hostAddress(field(at, 'hostIP')),
  });
}

/** Zero is the same as absent. */
function hostPort(at: Cursor): number | undefined {
  return at.value === 0 ? undefined : optional(portNumber)(at);
}

function hostAddress(at: Cursor): string | undefined {
  const isAddress = (value: string) =>
    tryParseIpAddress(value) === undefined ? `${JSON.stringify(value)} is not an IP address` : undefined;
  return at.value === '' ? undefined : optional(text(isAddress))(at);
}

/** Absent and empty are the same here. */
function portName(at: Cursor): string | undefined {
  return at.value === '' ? undefined : optional(text(ianaServiceName))(at);
}

function containerPorts(container: Cursor): ContainerPort[] {
  const ports = field(container, 'ports');
  refuseDuplicates(elements(ports), (at) => field(at, 'name').value || undefined, 'the port name');
  return list(containerPort)(ports);
}

/**
 * The ports a Service's targetPort may name: those of the containers, then those of the sidecars (init
 * containers that are always restarted), in the order in which the endpoint controller looks.
 */
function podPorts(spec: Cursor): ContainerPort[] {
  const sidecars = elements(field(spec, 'initContainers')).filter(
    (container) => field(container, 'restartPolicy').value === 'Always',
  );
  return [...elements(field(spec, 'containers')), ...sidecars].flatMap(containerPorts);
}

type Toleration = PodSpec['tolerations'][number];

function toleration(at: Cursor): Toleration {
  return defined<Toleration>({
    key: optional(string)(field(at, 'key')),
    operator: optional(oneOf(['Exists', 'Equal', '']))(field(at, 'operator')),
    value: optional(string)(field(at, 'value')),
    effect: optional(string)(field(at, 'effect')),
  });
}

const REQUIRED_TERMS = 'requiredDuringSchedulingIgnoredDuringExecution';

function nodeRequirement(at: Cursor): NodeSelectorRequirement {
  const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'] as const;
  return {
    key: required(string)(field(at, 'key')),
    operator: required(oneOf(operators))(field(at, 'operator')),
    values: list(string)(field(at, 'values')),
  };
}

function nodeTerm(at: Cursor): NodeSelectorTerm {
  return {
    matchExpressions: list(nodeRequirement)(field(at, 'matchExpressions')),
    matchFields: list(nodeRequirement)(field(at, 'matchFields')),
  };
}

function requiredNodeTerms(spec: Cursor): NodeSelectorTerm[] | undefined {
  const selector = field(field(field(spec, 'affinity'), 'nodeAffinity'), REQUIRED_TERMS);
  return selector.value === undefined ? undefined : list(nodeTerm)(field(selector, 'nodeSelectorTerms'));
}

const DNS_POLICIES = ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'] as const;

function dnsOption(at: Cursor): PodDnsConfig['options'][number] {
  return defined<PodDnsConfig['options'][number]>({
    name: required(string)(field(at, 'name')),
    value: optional(string)(field(at, 'value')),
  });
}

function dnsConfig(at: Cursor): PodDnsConfig {
  return {
    nameservers: list(ipText)(field(at, 'nameservers')),
    searches: list(string)(field(at, 'searches')),
    options: list(dnsOption)(field(at, 'options')),
  };
}

/** A label; absent and empty are the same here. */
function labelOrNone(at: Cursor): string | undefined {
  return at.value === '' ? undefined : optional(text(dns1123Label))(at);
}

/** Decodes what of a pod's spec reaches the network; containers need no image here. */
export function podSpec(at: Cursor): PodSpec {
  const nodeName = field(at, 'nodeName');
  return defined<PodSpec>({
    nodeName: nodeName.value === '' ? undefined : optional(text(dns1123Subdomain))(nodeName),
    nodeSelector: stringMap(field(at, 'nodeSelector')),
    requiredNodeTerms: requiredNodeTerms(at),
    hostNetwork: withDefault(boolean, false)(field(at, 'hostNetwork')),
    ports: podPorts(at),
    hostname: labelOrNone(field(at, 'hostname')),
    subdomain: labelOrNone(field(at, 'subdomain')),
    dnsPolicy:
      field(at, 'dnsPolicy').value === '' ? undefined : optional(oneOf(DNS_POLICIES))(field(at, 'dnsPolicy')),
    dnsConfig: optional(dnsConfig)(field(at, 'dnsConfig')),
    tolerations: list(toleration)(field(at, 'tolerations')),
  });
}

/** `podIPs`, or the single `podIP` of older output. */
function podIps(status: Cursor): string[] {
  const ips = list((at) => required(ipText)(field(at, 'ip')))(field(status, 'podIPs'));
  if (ips.length > 0) return ips;
  const single = field(status, 'podIP');
  return single.value === undefined || single.value === '' ? [] : [ipText(single)];
}

function readyCondition(status: Cursor): boolean | undefined {
  const conditions = elements(field(status, 'conditions'));
  const ready = conditions.find((at) => field(at, 'type').value === 'Ready');
  return ready === undefined ? undefined : required(string)(field(ready, 'status')) === 'True';
}

/** Decodes a Pod. */
export function decodePod(at: Cursor): Pod {
  const status = field(at, 'status');
  return {
    kind: 'Pod',
    metadata: metadata(at, { namespaced: true }),
    origin: at.manifest.origin,
    spec: podSpec(field(at, 'spec')),
    status: defined<Pod['status']>({
      phase: optional(string)(field(status, 'phase')),
      podIPs: podIps(status),
      ready: readyCondition(status),
    }),
  };
}
