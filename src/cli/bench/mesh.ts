/**
 * `bench mesh`: pods of a whole emulated cluster ask each other over HTTP through Services, every request on a
 * connection of its own, in one process.
 */
import { HttpClient } from '../../cluster/apps/http/http-client.ts';
import { startHttpServer } from '../../cluster/apps/http/http-server.ts';
import { loadCluster } from '../../cluster/load.ts';
import { ClusterNetwork } from '../../cluster/network/cluster-network.ts';
import { planNetwork } from '../../cluster/network/network-plan.ts';
import { tryParseSloppyIp } from '../../kube/sloppy-address.ts';
import { Random } from '../../sim/random.ts';
import type { IpAddress } from '../../wire/ip-address.ts';

export interface MeshSize {
  readonly nodes: number;
  readonly pods: number;
  readonly services: number;
  readonly requests: number;
}

export interface MeshResult extends MeshSize {
  /** Requests that were answered with the name of a pod of the Service. */
  readonly answered: number;
  /** Wall-clock seconds, and virtual ones. */
  readonly seconds: number;
  readonly virtualSeconds: number;
  /** Packets that a host's layer 3 took in or made, over all hosts. */
  readonly packets: number;
  readonly packetsPerSecond: number;
  readonly requestsPerSecond: number;
  /** Bytes of resident memory at the end. */
  readonly memory: number;
}

const SERVICE_PORT = 80;
const SERVER_PORT = 8080;
/** Virtual seconds between a pod's requests. */
const PAUSE = 1;

/** Manifests of a cluster of `size`: the pods of each Service are spread over the nodes. */
function manifests({ nodes, pods, services }: MeshSize): string {
  const items: object[] = [
    {
      apiVersion: 'kind.x-k8s.io/v1alpha4',
      kind: 'Cluster',
      nodes: Array.from({ length: nodes }, (_, index) => ({
        role: index === 0 ? 'control-plane' : 'worker',
      })),
    },
  ];
  for (let index = 0; index < services; index++) {
    const name = `svc-${index}`;
    const ports = [{ port: SERVICE_PORT, targetPort: SERVER_PORT }];
    items.push({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: { app: name }, ports },
    });
  }
  const nodeNames = Array.from({ length: nodes }, (_, index) => nodeName(index));
  for (let index = 0; index < pods; index++) {
    const labels = { app: `svc-${index % services}` };
    const containers = [{ name: 'web', image: 'web', ports: [{ containerPort: SERVER_PORT }] }];
    const spec = { nodeName: nodeNames[index % nodes], containers };
    items.push({ apiVersion: 'v1', kind: 'Pod', metadata: { name: `pod-${index}`, labels }, spec });
  }
  return items.map((item) => JSON.stringify(item)).join('\n---\n');
}

function nodeName(index: number): string {
  if (index === 0) return 'kind-control-plane';
  return index === 1 ? 'kind-worker' : `kind-worker${index}`;
}

/** Runs the requests and counts. `clock`: wall-clock seconds. */
export function benchMesh(size: MeshSize, seed: number, clock: () => number): MeshResult {
  const cluster = loadCluster([{ file: 'mesh', text: manifests(size) }]);
  const plan = planNetwork(cluster);
  const addresses = cluster.services.map(({ spec }): IpAddress => {
    const address = tryParseSloppyIp(spec.clusterIP);
    if (address === undefined) throw new Error('a Service without a clusterIP');
    return address;
  });
  const members = addresses.map(
    (_, index) =>
      new Set(
        cluster.pods.filter((__, pod) => pod % size.services === index).map(({ metadata }) => metadata.name),
      ),
  );
  let packets = 0;
  const network = new ClusterNetwork(plan, {
    seed,
    inhabit(namespace, { kind, label }) {
      if (kind !== 'pod') return;
      const body = label.slice(label.lastIndexOf('/') + 1);
      startHttpServer(namespace.sockets, { port: SERVER_PORT, handler: () => ({ status: 200, body }) });
    },
  });
  network.observe(({ event }) => {
    if (event.kind === 'receive' || event.kind === 'originate') packets++;
  });
  const random = new Random(seed);
  const { scheduler } = network;
  const each = Math.ceil(size.requests / size.pods);
  let answered = 0;
  const ask = (label: string, left: number): void => {
    if (left === 0) return;
    const service = random.below(size.services);
    const dst = addresses[service];
    if (dst === undefined) return;
    const client = new HttpClient(network.namespace(label).sockets, { dst, port: SERVICE_PORT });
    client.request({ target: '/', host: `svc-${service}`, headers: [['Connection', 'close']] }, (result) => {
      if (result.kind === 'response' && members[service]?.has(new TextDecoder().decode(result.body)))
        answered++;
      client.close();
      scheduler.after(PAUSE, () => ask(label, left - 1));
    });
  };
  const begun = clock();
  for (const [index, { label }] of plan.pods.entries()) {
    scheduler.after((index / size.pods) * PAUSE, () => ask(label, each));
  }
  scheduler.runUntilIdle();
  const seconds = clock() - begun;
  return {
    ...size,
    requests: each * size.pods,
    answered,
    seconds,
    virtualSeconds: scheduler.now(),
    packets,
    packetsPerSecond: packets / seconds,
    requestsPerSecond: answered / seconds,
    memory: process.memoryUsage.rss(),
  };
}
