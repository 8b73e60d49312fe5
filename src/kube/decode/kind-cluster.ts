/** Decodes kind's Cluster, strictly, as kind does: unknown fields are errors. */
import { familyOf, type IpFamily } from '../../wire/ip-address.ts';
import { type IpPrefix, parseIpPrefix } from '../../wire/ip-prefix.ts';
import type { KindCluster, KindIpFamily, KindNode } from '../kind-cluster.ts';
import { originWithin } from '../manifest/manifest.ts';
import { networkText } from './addresses.ts';
import { type Cursor, fail, field } from './cursor.ts';
import { boolean, list, oneOf, string, stringMap, text, withDefault } from './decoders.ts';
import { dns1123Label } from './names.ts';
import { refuseUnknownFields } from './strict.ts';

export const KIND_API_VERSION = 'kind.x-k8s.io/v1alpha4';

const PATCHES = ['kubeadmConfigPatches', 'kubeadmConfigPatchesJSON6902'];
const CLUSTER_FIELDS = [
  'apiVersion',
  'kind',
  'name',
  'nodes',
  'networking',
  'featureGates',
  'runtimeConfig',
  'containerdConfigPatches',
  'containerdConfigPatchesJSON6902',
  ...PATCHES,
];
const NODE_FIELDS = ['role', 'image', 'labels', 'extraMounts', 'extraPortMappings', ...PATCHES];
const NETWORKING_FIELDS = [
  'ipFamily',
  'apiServerPort',
  'apiServerAddress',
  'podSubnet',
  'serviceSubnet',
  'disableDefaultCNI',
  'kubeProxyMode',
  'dnsSearch',
];

const FAMILIES: Readonly<Record<KindIpFamily, readonly IpFamily[]>> = {
  ipv4: ['ipv4'],
  ipv6: ['ipv6'],
  dual: ['ipv4', 'ipv6'],
};
const POD_SUBNET: Readonly<Record<IpFamily, string>> = { ipv4: '10.244.0.0/16', ipv6: 'fd00:10:244::/56' };
const SERVICE_SUBNET: Readonly<Record<IpFamily, string>> = { ipv4: '10.96.0.0/16', ipv6: 'fd00:10:96::/112' };

function kindNode(at: Cursor): KindNode {
  refuseUnknownFields(at, NODE_FIELDS);
  const role = withDefault(oneOf(['control-plane', 'worker']), 'control-plane')(field(at, 'role'));
  const origin = originWithin(at.manifest.origin, ['nodes', at.key]);
  return { role, labels: stringMap(field(at, 'labels')), origin };
}

/** `10.244.0.0/16` or `10.244.0.0/16,fd00:10:244::/56`: one network for each family of the cluster, in any order. */
function subnets(at: Cursor, family: KindIpFamily, defaults: Readonly<Record<IpFamily, string>>): IpPrefix[] {
  const families = FAMILIES[family];
  if (at.value === undefined || at.value === '') return families.map((each) => parseIpPrefix(defaults[each]));
  const prefixes = string(at)
    .split(',')
    .map((part) => parseIpPrefix(networkText({ ...at, value: part.trim() })));
  const found = prefixes.map((prefix) => familyOf(prefix.address));
  if (found.length !== families.length || families.some((each) => !found.includes(each))) {
    fail(at, `ipFamily ${family} needs ${families.map((each) => `one ${each} network`).join(' and ')}`);
  }
  return prefixes;
}

function networking(at: Cursor): KindCluster['networking'] {
  refuseUnknownFields(at, NETWORKING_FIELDS);
  const ipFamily = withDefault(oneOf(['ipv4', 'ipv6', 'dual']), 'ipv4')(field(at, 'ipFamily'));
  const modeAt = field(at, 'kubeProxyMode');
  const kubeProxyMode = withDefault(oneOf(['iptables', 'nftables', 'ipvs', 'none']), 'iptables')(modeAt);
  if (kubeProxyMode === 'ipvs' || kubeProxyMode === 'none') {
    return fail(modeAt, `${kubeProxyMode} is not emulated; iptables and nftables are`);
  }
  const serviceSubnet = field(at, 'serviceSubnet');
  return {
    ipFamily,
    podSubnets: subnets(field(at, 'podSubnet'), ipFamily, POD_SUBNET),
    serviceSubnets: subnets(serviceSubnet, ipFamily, SERVICE_SUBNET),
    serviceSubnetGiven: serviceSubnet.value !== undefined && serviceSubnet.value !== '',
    kubeProxyMode,
    disableDefaultCNI: withDefault(boolean, false)(field(at, 'disableDefaultCNI')),
  };
}

/** Decodes a kind Cluster. */
export function decodeKindCluster(at: Cursor): KindCluster {
  refuseUnknownFields(at, CLUSTER_FIELDS);
  const name = field(at, 'name');
  const nodesAt = field(at, 'nodes');
  const nodes = list(kindNode)(nodesAt);
  if (nodes.length > 0 && nodes.every((node) => node.role === 'worker')) {
    fail(nodesAt, 'must contain at least one control-plane node');
  }
  return {
    name: name.value === '' ? 'kind' : withDefault(text(dns1123Label), 'kind')(name),
    nodes,
    networking: networking(field(at, 'networking')),
    origin: at.manifest.origin,
  };
}
