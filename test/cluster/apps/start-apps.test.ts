/** What runs in a pod follows from its ports, and starts when somebody comes. */
import { describe, expect, it } from 'vitest';
import type { ClusterView } from '../../../src/cluster/apps/dns/cluster-zone.ts';
import { askOverUdp, queryFor } from '../../../src/cluster/apps/dns/dns-exchange.ts';
import { type ClientResult, HttpClient } from '../../../src/cluster/apps/http/http-client.ts';
import { type AppPod, appsOf, startAppsLater } from '../../../src/cluster/apps/start-apps.ts';
import type { ContainerPort } from '../../../src/kube/objects.ts';
import { ADDRESS, neighbours } from '../../netstack/sockets/namespaces.ts';

const VIEW: ClusterView = { services: [], endpointSlices: [], pods: [] };

function pod(...ports: readonly ContainerPort[]) {
  const world = neighbours(1);
  const described: AppPod = { name: 'web-0', ports };
  startAppsLater(world.b, described, { view: () => VIEW });
  return world;
}

const tcp = (containerPort: number): ContainerPort => ({ containerPort, protocol: 'TCP' });
const udp = (containerPort: number): ContainerPort => ({ containerPort, protocol: 'UDP' });

function get({ a, scheduler }: ReturnType<typeof pod>, port: number): string {
  const results: ClientResult[] = [];
  new HttpClient(a.sockets, { dst: ADDRESS.b.ipv4, port }).request(
    { target: '/', host: 'x', timeout: 3 },
    (result) => results.push(result),
  );
  scheduler.runUntilIdle();
  const [result] = results;
  return result?.kind === 'response' ? new TextDecoder().decode(result.body) : (result?.reason ?? 'nothing');
}

describe('a pod', () => {
  const cases: readonly (readonly [string, readonly ContainerPort[], number, string])[] = [
    ['answers with its name on a port it declares', [tcp(8080), tcp(9090)], 9090, 'web-0\n'],
    ['refuses on others', [tcp(8080)], 80, 'ECONNREFUSED'],
    ['refuses TCP on a UDP port', [udp(8080)], 8080, 'ECONNREFUSED'],
    ['listens everywhere when it declares nothing', [], 12_345, 'web-0\n'],
  ];
  it.each(cases)('%s', (_, ports, port, expected) => {
    expect(get(pod(...ports), port)).toBe(expected);
  });

  it('echoes datagrams', () => {
    const world = pod(udp(7));
    const heard: string[] = [];
    const socket = world.a.sockets.udp({
      onMessage: ({ data, from }) => heard.push(`${data.length} from ${from.port}`),
      onError: ({ code }) => heard.push(code),
    });
    socket.connect({ address: ADDRESS.b.ipv6, port: 7 });
    socket.send(new Uint8Array(9));
    world.scheduler.runUntilIdle();
    const closed = world.a.sockets.udp({ onError: ({ code }) => heard.push(code) });
    closed.connect({ address: ADDRESS.b.ipv4, port: 8 });
    closed.send(new Uint8Array(1));
    world.scheduler.runUntilIdle();
    expect(heard).toEqual(['9 from 7', 'ECONNREFUSED']);
  });

  it('is a DNS server at port 53', () => {
    const world = pod(udp(53), tcp(53), tcp(9153));
    const rcodes: unknown[] = [];
    askOverUdp(world.a.sockets, [queryFor('x.default.svc.cluster.local', 'A', 1)], {
      options: { server: ADDRESS.b.ipv4, timeout: 5 },
      done: ({ answers }) => rcodes.push(answers[0]?.rcode),
    });
    world.scheduler.runUntilIdle();
    expect(rcodes).toEqual(['NXDOMAIN']);
    expect(get(world, 9153)).toBe('web-0\n');
  });
});

describe('what runs', () => {
  it('is served once for a port that two containers declare', () => {
    expect(appsOf([tcp(80), tcp(80), udp(80), { containerPort: 80, protocol: 'SCTP' }])).toEqual([
      { kind: 'http', port: 80 },
      { kind: 'udp-echo', port: 80 },
    ]);
  });
});
