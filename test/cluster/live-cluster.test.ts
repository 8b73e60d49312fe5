/** Whole clusters in which everything runs: HTTP through every kind of Service, under every cluster network. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HttpClient } from '../../src/cluster/apps/http/http-client.ts';
import { liveCluster } from '../../src/cluster/live-cluster.ts';
import { loadCluster } from '../../src/cluster/load.ts';
import type { ClusterNetwork } from '../../src/cluster/network/cluster-network.ts';
import { CNI_PLUGINS } from '../../src/cluster/topology.ts';
import { type IpAddress, parseIpAddress } from '../../src/wire/ip-address.ts';

const ROOT = join(import.meta.dirname, '../..');
const CLUSTER = readFileSync(join(ROOT, 'topologies/failures/cluster.yaml'), 'utf8');

const OUTSIDE = `
{apiVersion: v1, kind: Service, metadata: {name: ports}, spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: public}, spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: local}, spec: {type: LoadBalancer, externalTrafficPolicy: Local, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: sticky}, spec: {sessionAffinity: ClientIP, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}}
`;

function liveWith(topology: string, more = ''): ClusterNetwork {
  const text = `${CLUSTER}\n---\n${topology}${more === '' ? '' : `\n---\n${more}`}`;
  return liveCluster(loadCluster([{ file: 'live.yaml', text }]), { seed: 1 });
}

interface Asked {
  readonly from: string;
  readonly to: IpAddress;
  readonly port: number;
  readonly path?: string;
}

/** Names as they are, of more the length. */
const answerText = (body: Uint8Array) =>
  body.length < 100 ? new TextDecoder().decode(body).trim() : `${body.length} bytes`;

/** What `asked.from` gets: the text, or how it failed. */
function ask(network: ClusterNetwork, { from, to, port, path = '/' }: Asked): string {
  let said = 'no answer';
  const client = new HttpClient(network.namespace(from).sockets, { dst: to, port });
  client.request({ target: path, host: 'web', timeout: 30 }, (result) => {
    said = result.kind === 'response' ? answerText(result.body) : `failed: ${result.reason}`;
    client.close();
  });
  network.scheduler.runUntil(network.scheduler.now() + 40);
  return said;
}

function addressOf({ plan }: ClusterNetwork, service: string): IpAddress {
  const { spec, status } = plan.cluster.services.find(({ metadata }) => metadata.name === service) ?? {};
  return parseIpAddress(status?.loadBalancer.ingress[0]?.ip ?? spec?.clusterIP ?? '');
}

const clusterIp = ({ plan }: ClusterNetwork, service: string): IpAddress =>
  parseIpAddress(
    plan.cluster.services.find(({ metadata }) => metadata.name === service)?.spec.clusterIP ?? '',
  );

describe.each(CNI_PLUGINS)('%s', (plugin) => {
  it('serves HTTP through every kind of Service', { timeout: 120_000 }, () => {
    const network = liveWith(
      `{apiVersion: kubewire.dev/v1alpha1, kind: Topology, cni: {plugin: ${plugin}}, hosts: [{name: laptop, addresses: [203.0.113.9/24]}], loadBalancer: {pool: [192.0.2.10-192.0.2.50]}}`,
      OUTSIDE,
    );
    const inside = ['pod/default/client', 'pod/default/web-1', 'pod/default/web-2', 'node/kind-worker'];
    const asked: Asked[] = [
      ...inside.flatMap((from) =>
        ['web', 'near', 'ports', 'public', 'sticky'].map((name) => ({
          from,
          to: clusterIp(network, name),
          port: 80,
        })),
      ),
      ...network.plan.nodes.flatMap(({ ownAddresses }) =>
        ownAddresses.flatMap((to) =>
          typeof to === 'number' ? [{ from: 'host/laptop', to, port: 30_080 }] : [],
        ),
      ),
      ...['public', 'local'].map((name) => ({ from: 'host/laptop', to: addressOf(network, name), port: 80 })),
    ];
    const answers = asked.map((one) => ask(network, one));
    expect(answers.filter((answer) => !/^web-[12]$/.test(answer))).toEqual([]);
    // Four clients with five Services each: both servers were asked.
    expect(new Set(answers)).toEqual(new Set(['web-1', 'web-2']));
  });
});

describe('an MTU black hole', () => {
  const topology = readFileSync(join(ROOT, 'topologies/failures/mtu-black-hole.yaml'), 'utf8');
  const big = { from: 'pod/default/client', port: 8080, path: '/bytes/100000' };

  it('lets handshakes and small answers through, and nothing large', () => {
    const network = liveWith(topology);
    const to = network.planOf('pod/default/web-2').ownAddresses[0] ?? 0;
    expect(ask(network, { ...big, to, path: '/' })).toBe('web-2');
    expect(ask(network, { ...big, to })).toBe('failed: timeout');
  });

  it('is none where the ICMP errors arrive', () => {
    const network = liveWith(topology.slice(0, topology.indexOf('nodes:')));
    const to = network.planOf('pod/default/web-2').ownAddresses[0] ?? 0;
    expect(ask(network, { ...big, to })).toBe('100000 bytes');
  });
});
