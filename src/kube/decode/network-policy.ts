/**
 * networking.k8s.io/v1 NetworkPolicy, checked as the API server checks it (pkg/apis/networking/validation,
 * ValidateNetworkPolicy) and completed as it completes it (pkg/apis/networking/v1/defaults.go).
 */
import { type IpPrefix, prefixContains } from '../../wire/ip-prefix.ts';
import type {
  NetworkPolicy,
  NetworkPolicyEgressRule,
  NetworkPolicyIngressRule,
  NetworkPolicyPeer,
  NetworkPolicyPort,
} from '../objects.ts';
import { tryParseSloppyPrefix } from '../sloppy-address.ts';
import { type Cursor, elements, fail, field } from './cursor.ts';
import { defined, list, oneOf, optional, required, string, text, withDefault } from './decoders.ts';
import { metadata } from './metadata.ts';
import { ianaServiceName } from './names.ts';
import { portNumber } from './ports.ts';
import { validLabelSelector } from './selector.ts';

const POLICY_TYPES = ['Ingress', 'Egress'] as const;

/** A number or a name; a number in quotes is neither. */
function policyPort(at: Cursor): number | string {
  return typeof at.value === 'number' ? portNumber(at) : text(ianaServiceName)(at);
}

function networkPolicyPort(at: Cursor): NetworkPolicyPort {
  const port = optional(policyPort)(field(at, 'port'));
  const endPortAt = field(at, 'endPort');
  const endPort = optional(portNumber)(endPortAt);
  if (endPort !== undefined) {
    if (port === undefined) fail(endPortAt, 'may not be given without port');
    if (typeof port === 'string') fail(endPortAt, `may not be given when port is a name (${port})`);
    if (typeof port === 'number' && endPort < port) fail(endPortAt, `${endPort} is less than port, ${port}`);
  }
  return defined<NetworkPolicyPort>({
    protocol: withDefault(oneOf(['TCP', 'UDP', 'SCTP']), 'TCP')(field(at, 'protocol')),
    port,
    endPort,
  });
}

/** A CIDR; host bits are allowed and mean nothing. */
function cidr(at: Cursor): IpPrefix {
  const written = string(at);
  const prefix = tryParseSloppyPrefix(written);
  return prefix ?? fail(at, `${JSON.stringify(written)} is not a network in CIDR form, such as 10.0.0.0/8`);
}

function ipBlock(at: Cursor): NonNullable<NetworkPolicyPeer['ipBlock']> {
  const block = required(cidr)(field(at, 'cidr'));
  const exceptAt = field(at, 'except');
  const except = list(cidr)(exceptAt);
  for (const each of elements(exceptAt)) {
    const part = except[Number(each.key)];
    if (part === undefined || (prefixContains(block, part.address) && part.length > block.length)) continue;
    fail(
      each,
      `${JSON.stringify(each.value)} is not a strict part of cidr, ${String(field(at, 'cidr').value)}`,
    );
  }
  return { cidr: block, except };
}

function peer(at: Cursor): NetworkPolicyPeer {
  const result = defined<NetworkPolicyPeer>({
    podSelector: optional(validLabelSelector)(field(at, 'podSelector')),
    namespaceSelector: optional(validLabelSelector)(field(at, 'namespaceSelector')),
    ipBlock: optional(ipBlock)(field(at, 'ipBlock')),
  });
  const named = Object.keys(result).length;
  if (named === 0) fail(at, 'a peer is required: podSelector, namespaceSelector or ipBlock');
  if (named > 1 && result.ipBlock !== undefined) {
    fail(field(at, 'ipBlock'), 'may not stand beside podSelector or namespaceSelector');
  }
  return result;
}

function ingressRule(at: Cursor): NetworkPolicyIngressRule {
  return { ports: list(networkPolicyPort)(field(at, 'ports')), from: list(peer)(field(at, 'from')) };
}

function egressRule(at: Cursor): NetworkPolicyEgressRule {
  return { ports: list(networkPolicyPort)(field(at, 'ports')), to: list(peer)(field(at, 'to')) };
}

/** As given; else Ingress, and Egress when there are egress rules. */
function policyTypes(at: Cursor, hasEgress: boolean): NetworkPolicy['spec']['policyTypes'] {
  const types = list(oneOf(POLICY_TYPES))(at);
  if (types.length > POLICY_TYPES.length) fail(at, 'at most two policyTypes may be given');
  if (types.length > 0) return types;
  return hasEgress ? POLICY_TYPES : ['Ingress'];
}

/** Decodes a NetworkPolicy. A policy without podSelector selects every pod of its namespace. */
export function decodeNetworkPolicy(at: Cursor): NetworkPolicy {
  const spec = field(at, 'spec');
  const egress = list(egressRule)(field(spec, 'egress'));
  return {
    kind: 'NetworkPolicy',
    metadata: metadata(at, { namespaced: true }),
    origin: at.manifest.origin,
    spec: {
      podSelector: validLabelSelector(field(spec, 'podSelector')),
      policyTypes: policyTypes(field(spec, 'policyTypes'), egress.length > 0),
      ingress: list(ingressRule)(field(spec, 'ingress')),
      egress,
    },
  };
}
