/** Under every cluster network, everybody reaches everybody: pods, Services of every kind, hairpin, both families. */
import { describe, expect, it } from 'vitest';
import { renderText } from '../../src/cli/trace/render-text.ts';
import { loadCluster } from '../../src/cluster/load.ts';
import { CNI_PLUGINS } from '../../src/cluster/topology.ts';
import { traceCluster } from '../../src/cluster/trace/trace.ts';
import { parseFrom, parseTo } from '../../src/cluster/trace/who.ts';

const MANIFESTS = `
{apiVersion: kind.x-k8s.io/v1alpha4, kind: Cluster, nodes: [{role: control-plane}, {role: worker}, {role: worker}], networking: {ipFamily: dual}}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod, metadata: {name: client}, spec: {nodeName: kind-worker, containers: [{name: c, image: x}]}}
- &web
  apiVersion: v1
  kind: Pod
  metadata: {name: web-0, labels: {app: web}}
  spec: {nodeName: kind-control-plane, containers: [{name: c, image: x, ports: [{containerPort: 8080}]}]}
- {<<: *web, metadata: {name: web-1, labels: {app: web}}, spec: {nodeName: kind-worker, containers: [{name: c, image: x, ports: [{containerPort: 8080}]}]}}
- {<<: *web, metadata: {name: web-2, labels: {app: web}}, spec: {nodeName: kind-worker2, containers: [{name: c, image: x, ports: [{containerPort: 8080}]}]}}
- apiVersion: v1
  kind: Service
  metadata: {name: web}
  spec: {selector: {app: web}, ipFamilyPolicy: RequireDualStack, ports: [{port: 80, targetPort: 8080}]}
- apiVersion: v1
  kind: Service
  metadata: {name: ports}
  spec: {type: NodePort, selector: {app: web}, ipFamilyPolicy: RequireDualStack, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]}
- apiVersion: v1
  kind: Service
  metadata: {name: public}
  spec: {type: LoadBalancer, selector: {app: web}, ipFamilyPolicy: RequireDualStack, ports: [{port: 80, targetPort: 8080}]}
- apiVersion: v1
  kind: Service
  metadata: {name: local}
  spec: {type: LoadBalancer, externalTrafficPolicy: Local, selector: {app: web}, ipFamilyPolicy: RequireDualStack, ports: [{port: 80, targetPort: 8080}]}
`;

function clusterWith(plugin: string) {
  const topology = `{apiVersion: kubewire.dev/v1alpha1, kind: Topology, cni: {plugin: ${plugin}}, hosts: [{name: laptop, addresses: [203.0.113.9/24, '2001:db8:f::9/64']}, {name: peer, addresses: [172.18.0.200, 'fc00:f853:ccd:e793::200']}], loadBalancer: {pool: [192.0.2.10-192.0.2.50, '2001:db8::10-2001:db8::50']}}`;
  return loadCluster([{ file: 'all-pairs.yaml', text: `${topology}\n---\n${MANIFESTS}` }]);
}

const PODS = ['pod/default/client', 'pod/default/web-0', 'pod/default/web-1', 'pod/default/web-2'];
const NODES = ['node/kind-control-plane', 'node/kind-worker', 'node/kind-worker2'];
const HOSTS = ['host/laptop', 'host/peer'];
const SERVICES = ['svc/default/web', 'svc/default/ports', 'svc/default/public', 'svc/default/local'];

const across = (from: readonly string[], to: readonly string[]) =>
  from.flatMap((source) =>
    to.filter((target) => target !== source).map((target) => [source, target] as const),
  );

const PAIRS = [
  ...across([...PODS, ...NODES], PODS.slice(1)),
  // Every outcome is tried, a pod that is its own endpoint among them.
  ...across([...PODS, ...NODES], SERVICES),
  ...across(
    [...PODS, ...HOSTS, ...NODES],
    NODES.map((node) => `${node}:30080`),
  ),
  ...across(HOSTS, SERVICES.slice(2)),
  ...across(PODS, HOSTS),
];

describe.each(CNI_PLUGINS)('%s', (plugin) => {
  const cluster = clusterWith(plugin);
  it.each(['ipv4', 'ipv6'] as const)('carries everything over %s', { timeout: 120_000 }, (family) => {
    const failures = PAIRS.flatMap(([from, to]) => {
      const report = traceCluster(cluster, {
        from: parseFrom(from),
        to: parseTo(to),
        sport: 40_000,
        family,
        seed: 1,
        reply: true,
        explore: true,
      });
      const bad = report.outcomes?.filter(
        ({ success, explanation }) => !success || !explanation.includes('answered'),
      );
      if (report.success && report.explanation.includes('answered') && bad?.length === 0) return [];
      const text = renderText(report, { colour: false });
      return [`${from} → ${to}\n${text}\n${bad?.map(({ explanation }) => explanation).join('\n')}`];
    });
    expect(failures.length === 0 ? '' : `${failures.length} of ${PAIRS.length}; ${failures[0]}`).toBe('');
  });
});
