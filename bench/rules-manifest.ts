/**
 * A cluster of any size as a manifest: three nodes, Services of one port each, and their EndpointSlices,
 * spread over the nodes. The same sizes give the same text.
 */
import { formatIpAddress } from '../src/wire/ip-address.ts';

const NODES = 3;
const CLUSTER_IPS = 0x0a600000; // 10.96.0.0/11 holds two million Services
const POD_IPS = 0x64400000; // 100.64.0.0/10 holds four million pods

function* nodes(): Generator<string> {
  for (let n = 1; n <= NODES; n++) {
    yield `apiVersion: v1
kind: Node
metadata:
  name: worker-${n}
  labels: {topology.kubernetes.io/zone: zone-${n}}
spec:
  podCIDRs: [10.244.${n}.0/24]
status:
  addresses:
  - {type: InternalIP, address: 172.18.0.${n + 1}}
`;
  }
}

function service(index: number): string {
  const clusterIp = formatIpAddress(CLUSTER_IPS + index + 1);
  return `apiVersion: v1
kind: Service
metadata:
  name: svc-${index}
  namespace: ns-${index % 100}
spec:
  type: ClusterIP
  clusterIP: ${clusterIp}
  clusterIPs: [${clusterIp}]
  ipFamilies: [IPv4]
  ports:
  - {name: http, protocol: TCP, port: 80, targetPort: 8080}
`;
}

function endpointSlice(index: number, endpoints: number): string {
  const lines = Array.from({ length: endpoints }, (_, n) => {
    const address = formatIpAddress(POD_IPS + index * endpoints + n + 1);
    return `- {addresses: [${address}], conditions: {ready: true}, nodeName: worker-${(n % NODES) + 1}}\n`;
  });
  return `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: svc-${index}-a
  namespace: ns-${index % 100}
  labels: {kubernetes.io/service-name: svc-${index}}
addressType: IPv4
ports:
- {name: http, protocol: TCP, port: 8080}
endpoints:
${lines.join('')}`;
}

/** The YAML documents of a cluster with `services` Services of `endpoints` endpoints each. */
export function* clusterDocuments(services: number, endpoints: number): Generator<string> {
  yield `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
hostnameOverride: worker-1
clusterCIDR: 100.64.0.0/10
`;
  yield* nodes();
  for (let index = 0; index < services; index++) {
    yield service(index);
    yield endpointSlice(index, endpoints);
  }
}
