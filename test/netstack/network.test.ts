/** Small networks of live namespaces: what gets through, and what every frame looked like. */
import { describe, expect, it } from 'vitest';
import { Segment } from '../../src/netstack/link/segment.ts';
import { createVethPair } from '../../src/netstack/link/veth.ts';
import { Namespace } from '../../src/netstack/namespace.ts';
import { Random } from '../../src/sim/random.ts';
import { Scheduler } from '../../src/sim/scheduler.ts';
import { parseIpAddress } from '../../src/wire/ip-address.ts';
import { parseInterfaceAddress } from '../../src/wire/ip-prefix.ts';
import { NO_BYTES, type Packet } from '../../src/wire/packet.ts';

function ping(src: string, dst: string): Packet {
  return {
    src: parseIpAddress(src),
    dst: parseIpAddress(dst),
    ttl: 64,
    tos: 0,
    id: 7,
    dontFragment: false,
    transport: { kind: 'icmp', type: 8, code: 0, id: 1, sequence: 1, data: NO_BYTES },
  };
}

/** The ICMP types that `namespace` gets delivered. */
function deliveredTypes(namespace: Namespace): number[] {
  const types: number[] = [];
  const { answerer } = namespace;
  namespace.answerer = (packet, delivery) => {
    if (packet.transport.kind === 'icmp') types.push(packet.transport.type);
    return answerer(packet, delivery);
  };
  return types;
}

describe('a veth pair', () => {
  function pair() {
    const scheduler = new Scheduler();
    const a = new Namespace({ name: 'a', scheduler });
    const b = new Namespace({ name: 'b', scheduler });
    const { near, far } = createVethPair(
      { namespace: a, name: 'eth0', up: true },
      { namespace: b, name: 'eth0', up: true },
    );
    a.addAddress(near, parseInterfaceAddress('10.0.0.1/24'));
    b.addAddress(far(), parseInterfaceAddress('10.0.0.2/24'));
    return { scheduler, a, b };
  }

  it('carries an echo request and its reply, after ARP', () => {
    const { scheduler, a } = pair();
    const types = deliveredTypes(a);
    expect(a.send(ping('10.0.0.1', '10.0.0.2')).fate.kind).toBe('sent');
    scheduler.runUntilIdle();
    expect(types).toEqual([0]);
    expect(a.neighbours.list()).toMatchObject([{ device: 'eth0', state: 'REACHABLE' }]);
  });

  it('tells the sender after three seconds that nobody has the address', () => {
    const { scheduler, a } = pair();
    const types = deliveredTypes(a);
    a.send(ping('10.0.0.1', '10.0.0.9'));
    scheduler.runUntilIdle();
    expect(types).toEqual([3]);
    expect(scheduler.now()).toBeGreaterThanOrEqual(3);
  });

  it('a host pings itself through lo', () => {
    const { scheduler, a } = pair();
    const types = deliveredTypes(a);
    a.send(ping('10.0.0.1', '10.0.0.1'));
    scheduler.runUntilIdle();
    expect(types).toEqual([8, 0]);
  });
});

describe('a segment', () => {
  it('joins three hosts', () => {
    const scheduler = new Scheduler();
    const segment = new Segment({ name: 'nodes', scheduler, random: new Random(1) });
    const hosts = [1, 2, 3].map((number) => {
      const host = new Namespace({ name: `h${number}`, scheduler });
      const device = segment.plug(host, { name: 'eth0', up: true });
      host.addAddress(device, parseInterfaceAddress(`10.0.0.${number}/24`));
      return { host, types: deliveredTypes(host) };
    });
    hosts[0]?.host.send(ping('10.0.0.1', '10.0.0.3'));
    scheduler.runUntilIdle();
    expect(hosts.map(({ types }) => types)).toEqual([[0], [], [8]]);
  });
});

describe('a bridge', () => {
  it('joins two pods and the node', () => {
    const scheduler = new Scheduler();
    const node = new Namespace({ name: 'node', scheduler });
    const bridge = node.addBridge({ name: 'cni0', up: true });
    node.addAddress(bridge, parseInterfaceAddress('10.0.0.254/24'));
    const pods = [1, 2].map((number) => {
      const pod = new Namespace({ name: `p${number}`, scheduler });
      const { near, far } = createVethPair(
        { namespace: node, name: `veth${number}`, up: true },
        { namespace: pod, name: 'eth0', up: true },
      );
      node.setMaster(near, bridge);
      pod.addAddress(far(), parseInterfaceAddress(`10.0.0.${number}/24`));
      return { pod, types: deliveredTypes(pod) };
    });
    pods[0]?.pod.send(ping('10.0.0.1', '10.0.0.2'));
    scheduler.runUntilIdle();
    node.send(ping('10.0.0.254', '10.0.0.2'));
    scheduler.runUntilIdle();
    pods[0]?.pod.send(ping('10.0.0.1', '10.0.0.254'));
    scheduler.runUntilIdle();
    expect(pods.map(({ types }) => types)).toEqual([
      [0, 0],
      [8, 8],
    ]);
  });
});
