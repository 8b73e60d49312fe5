/** Situations: a cluster, two ends, and what the trace must say about them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderText } from '../../src/cli/trace/render-text.ts';
import { loadCluster } from '../../src/cluster/load.ts';
import type { Outcome } from '../../src/cluster/trace/outcome.ts';
import { type TraceReport, traceCluster } from '../../src/cluster/trace/trace.ts';
import { parseFrom, parseTo } from '../../src/cluster/trace/who.ts';

const ROOT = join(import.meta.dirname, '../..');
const THREE_NODES = 'topologies/three-nodes.yaml';
const reference = (name: string) => `test/conformance/kube-proxy/iptables/${name}/cluster.yaml`;

interface Extra {
  readonly protocol?: 'tcp' | 'udp' | 'sctp' | 'icmp';
  readonly family?: 'ipv4' | 'ipv6';
  readonly explore?: boolean;
  readonly reply?: boolean;
  /** More manifests. */
  readonly more?: string;
  readonly seed?: number;
  readonly plugin?: string;
}

function trace(file: string, from: string, to: string, { more, plugin, ...extra }: Extra = {}): TraceReport {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const network = plugin === undefined ? '' : `\ncni: {plugin: ${plugin}}`;
  const inputs = [{ file, text: text.replace(/^kind: Topology$/m, `kind: Topology${network}`) }];
  if (more !== undefined) inputs.push({ file: 'more.yaml', text: more });
  return traceCluster(loadCluster(inputs), {
    from: parseFrom(from),
    to: parseTo(to),
    sport: 40_000,
    seed: 1,
    reply: true,
    explore: false,
    ...extra,
  });
}

interface Situation {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly extra?: Extra;
  readonly outcome: Outcome['kind'];
  readonly says: RegExp;
}

/** A Service of one port, over the given pod labels. */
function service(name: string, spec: string): string {
  return `{apiVersion: v1, kind: Service, metadata: {name: ${name}}, spec: ${spec}}`;
}

const SITUATIONS: readonly Situation[] = [
  {
    name: 'a pod calls a Service',
    file: THREE_NODES,
    from: 'pod/default/client',
    to: 'svc/default/web',
    outcome: 'delivered',
    says: /^Delivered and answered\. Service default\/web \(port http\) sent it to pod\/default\/web-\S+ on demo-worker2?, one of 3 endpoints\. The client sees 10\.96\.0\.10; the server sees the client's own address\.$/,
  },
  {
    name: 'a node calls a Service: it is no pod, so it is masqueraded',
    file: THREE_NODES,
    from: 'node/demo-control-plane',
    to: 'svc/default/web:http',
    outcome: 'delivered',
    says: /^Delivered and answered\./,
  },
  {
    name: 'a client outside calls a node port',
    file: THREE_NODES,
    from: 'host/laptop',
    to: 'node/demo-worker:30080',
    outcome: 'delivered',
    says: /Service default\/web-nodes .* masqueraded on demo-worker because externalTrafficPolicy is Cluster\.$/,
  },
  {
    name: 'a client outside calls the load balancer',
    file: THREE_NODES,
    from: 'host/laptop',
    to: 'svc/default/web-public',
    outcome: 'delivered',
    says: /Service default\/web-public .* The client sees 192\.0\.2\.10; /,
  },
  {
    name: 'a pod reaches a host outside, through no Service',
    file: THREE_NODES,
    from: 'pod/default/client',
    to: 'host/laptop:443',
    outcome: 'delivered',
    says: /^Delivered and answered\. pod\/default\/client reached host\/laptop directly, through no Service; the server sees 172\.18\.0\.3, masqueraded on demo-worker because it leaves the pod networks\.$/,
  },
  {
    name: 'a Service through a bridge, whose hooks translate before the node sees the packet',
    file: THREE_NODES,
    from: 'pod/default/client',
    to: 'svc/default/web',
    extra: { plugin: 'flannel' },
    outcome: 'delivered',
    says: /^Delivered and answered\. Service default\/web \(port http\) sent it to pod\/default\/web-\S+ on demo-worker2?, one of 3 endpoints\. The client sees 10\.96\.0\.10; the server sees the client's own address\.$/,
  },
  {
    name: 'a client outside calls a host port',
    file: THREE_NODES,
    from: 'host/laptop',
    to: 'node/demo-worker2:8443',
    extra: {
      more: '{apiVersion: v1, kind: Pod, metadata: {name: mapped}, spec: {nodeName: demo-worker2, containers: [{name: c, image: x, ports: [{containerPort: 443, hostPort: 8443}]}]}}',
    },
    outcome: 'delivered',
    says: /^Delivered and answered\. host\/laptop reached pod\/default\/mapped on demo-worker2 through a port that demo-worker2 maps to it \(hostPort\); the server sees the client's own address\.$/,
  },
  {
    name: 'ping',
    file: THREE_NODES,
    from: 'pod/default/client',
    to: 'node/demo-worker2',
    extra: { protocol: 'icmp' },
    outcome: 'delivered',
    says: /^Delivered and answered\./,
  },
  {
    name: 'a port that the Service does not have leaves by the default route',
    file: THREE_NODES,
    from: 'pod/default/client',
    to: '10.96.0.10:81',
    outcome: 'dropped',
    says: /Service default\/web has no port 81\/TCP \(spec\.ports: 80\/TCP http\)/,
  },
  {
    name: 'a selector with a typing error',
    file: THREE_NODES,
    from: 'pod/default/client',
    to: 'svc/default/typo',
    extra: { more: service('typo', '{selector: {app: wbe}, ports: [{port: 80, targetPort: 8080}]}') },
    outcome: 'refused',
    says: /ICMP port unreachable .*Service default\/typo \(port 80\) has no endpoints: spec\.selector app=wbe matches no pod in namespace default\.$/,
  },
  {
    name: 'a named targetPort that the pods lack',
    file: THREE_NODES,
    from: 'pod/default/client',
    to: 'svc/default/named',
    extra: { more: service('named', '{selector: {app: web}, ports: [{port: 80, targetPort: https}]}') },
    outcome: 'refused',
    says: /no container of the selected pods has a port for targetPort "https"/,
  },
  {
    name: 'a wrong numeric targetPort',
    file: THREE_NODES,
    from: 'pod/default/client',
    to: 'svc/default/wrong',
    extra: { more: service('wrong', '{selector: {app: web}, ports: [{port: 80, targetPort: 8081}]}') },
    outcome: 'closed',
    says: /answers with a TCP reset, because nothing listens on port 8081 \(its containers declare 8080\)\. Service default\/wrong \(port 80\) has targetPort 8081\.$/,
  },
  {
    name: 'an unused address of a pod network',
    file: THREE_NODES,
    from: 'pod/default/client',
    to: '10.244.2.77:80',
    outcome: 'refused',
    says: /^Refused by node\/demo-worker2 with ICMP host unreachable\.$/,
  },
  {
    name: 'an unused address of the node network',
    file: THREE_NODES,
    from: 'node/demo-worker',
    to: '172.18.0.77:80',
    outcome: 'no-neighbour',
    says: /^Lost: node\/demo-worker sent it out of eth0, where nobody has the address 172\.18\.0\.77\.$/,
  },
  {
    name: 'no endpoints, from outside',
    file: reference('no-endpoints'),
    from: 'external/203.0.113.9',
    to: 'svc/default/gone',
    outcome: 'refused',
    says: /^Refused by node\/worker-1 with ICMP port unreachable .*Service default\/gone/,
  },
  {
    name: 'no endpoints, from the node itself',
    file: reference('no-endpoints'),
    from: 'node/worker-1',
    to: 'svc/default/empty',
    outcome: 'refused',
    says: /^Refused by node\/worker-1/,
  },
  {
    name: 'policy Local without a local endpoint',
    file: 'topologies/local-traffic.yaml',
    from: 'host/laptop',
    to: 'node/kind-worker2:30080',
    outcome: 'dropped',
    says: /spec\.externalTrafficPolicy: Local and no usable endpoint on kind-worker2 \(they are on kind-worker\)\.$/,
  },
  {
    name: 'policy Local with one: the source stays',
    file: 'topologies/local-traffic.yaml',
    from: 'host/laptop',
    to: 'node/kind-worker:30080',
    outcome: 'delivered',
    says: /the server sees the client's own address\.$/,
  },
  {
    name: 'a client outside the source ranges',
    file: reference('loadbalancer-source-ranges'),
    from: 'external/192.0.9.9',
    to: 'svc/default/web',
    outcome: 'dropped',
    says: /the client 192\.0\.9\.9 is in none of spec\.loadBalancerSourceRanges of Service default\/web \(203\.0\.113\.0\/24, 198\.18\.0\.0\/15\)\.$/,
  },
  {
    name: 'a client inside them',
    file: reference('loadbalancer-source-ranges'),
    from: 'external/203.0.113.9',
    to: 'svc/default/web',
    outcome: 'delivered',
    says: /^Delivered and answered\./,
  },
  {
    name: 'IPv6',
    file: 'topologies/dual-stack.yaml',
    from: 'pod/default/client',
    to: 'svc/default/web',
    extra: { family: 'ipv6' },
    outcome: 'delivered',
    says: /^Delivered and answered\. Service default\/web .* The client sees fd00:/,
  },
  {
    name: 'SCTP',
    file: reference('multi-port-protocols'),
    from: 'node/worker-1',
    to: 'svc/kube-system/kube-dns:sig',
    outcome: 'delivered',
    says: /^Delivered and answered\./,
  },
  {
    name: 'UDP with session affinity',
    file: reference('session-affinity'),
    from: 'node/worker-1',
    to: 'svc/default/sticky:dns',
    outcome: 'delivered',
    says: /^Delivered and answered\. Service default\/sticky \(port dns\)/,
  },
];

describe('traces', () => {
  it.each(SITUATIONS)('$name', ({ file, from, to, extra, outcome, says }) => {
    const report = trace(file, from, to, extra);
    const path = renderText(report, { colour: false });
    expect(report.outcome.kind, path).toBe(outcome);
    expect(report.success, path).toBe(outcome === 'delivered');
    expect(report.explanation, path).toMatch(says);
  });

  it('enumerates the endpoints exactly', () => {
    const { outcomes = [] } = trace(THREE_NODES, 'pod/default/client', 'svc/default/web', { explore: true });
    expect(outcomes).toHaveLength(3);
    for (const { probability } of outcomes) expect(probability).toBeCloseTo(1 / 3, 9);
    expect(outcomes.reduce((sum, { probability }) => sum + probability, 0)).toBe(1);
  });

  it('tells the same story for the same seed, and another for some other', () => {
    const text = (seed: number) =>
      renderText(trace(THREE_NODES, 'pod/default/client', 'svc/default/web', { seed }), { colour: false });
    expect(text(7)).toBe(text(7));
    const stories = new Set([1, 2, 3, 4, 5, 6, 7, 8].map((seed) => text(seed).replace(/seed \d+/, '')));
    expect(stories.size).toBeGreaterThan(1);
  });

  it('masquerades a pod that calls itself', () => {
    const first = trace(THREE_NODES, 'pod/default/client', 'svc/default/web');
    const server = first.plan.pods.find(({ name }) => name.startsWith('web-'));
    const seeds = [...Array(20).keys()];
    const hairpin = seeds
      .map((seed) => trace(THREE_NODES, `pod/default/${server?.name}`, 'svc/default/web', { seed }))
      .find(({ outcome }) => outcome.host === server?.label);
    expect(hairpin?.outcome.kind).toBe('delivered');
    expect(hairpin?.explanation).toMatch(/because it called itself through its own Service\.$/);
  });
});
