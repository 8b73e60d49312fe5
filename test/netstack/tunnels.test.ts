/** VXLAN and IPIP devices: what their packets look like between nodes, and what does not get through. */
import { describe, expect, it } from 'vitest';
import type { Interface } from '../../src/netstack/link/interface.ts';
import { createVethPair } from '../../src/netstack/link/veth.ts';
import { Namespace } from '../../src/netstack/namespace.ts';
import { flowPort, outerTos } from '../../src/netstack/tunnel/encapsulation.ts';
import { createIpip, type IpipSpec } from '../../src/netstack/tunnel/ipip.ts';
import { createVxlan } from '../../src/netstack/tunnel/vxlan.ts';
import { Scheduler } from '../../src/sim/scheduler.ts';
import { ipFrame } from '../../src/wire/frame.ts';
import { ipLength } from '../../src/wire/headers.ts';
import { type Ipv4Address, parseIpAddress } from '../../src/wire/ip-address.ts';
import { parseInterfaceAddress, parseIpPrefix } from '../../src/wire/ip-prefix.ts';
import { parseMac } from '../../src/wire/mac.ts';
import type { Packet } from '../../src/wire/packet.ts';

const v4 = (text: string) => parseIpAddress(text) as Ipv4Address;

function ping(src: string, dst: string, size = 8, more: Partial<Packet> = {}): Packet {
  return {
    src: v4(src),
    dst: v4(dst),
    ttl: 64,
    tos: 0,
    id: 7,
    dontFragment: false,
    transport: { kind: 'icmp', type: 8, code: 0, id: 1, sequence: 1, data: new Uint8Array(size) },
    ...more,
  };
}

interface Node {
  readonly namespace: Namespace;
  readonly uplink: Interface;
}

/** Two nodes, 192.168.0.1 and 192.168.0.2, and every IP packet that leaves the first by its uplink. */
function twoNodes(mtu = 1500) {
  const scheduler = new Scheduler();
  const [left, right] = ['left', 'right'].map((name) => new Namespace({ name, scheduler }));
  if (left === undefined || right === undefined) throw new RangeError('no nodes');
  const end = (namespace: Namespace) => ({ namespace, name: 'eth0', up: true, mtu });
  const { near, far } = createVethPair(end(left), end(right));
  left.addAddress(near, parseInterfaceAddress('192.168.0.1/24'));
  right.addAddress(far(), parseInterfaceAddress('192.168.0.2/24'));
  const onTheWire: Packet[] = [];
  near.addTap(({ direction, frame }) => {
    if (direction === 'out' && frame?.payload.kind === 'ip') onTheWire.push(frame.payload.packet);
  });
  const nodes: readonly [Node, Node] = [
    { namespace: left, uplink: near },
    { namespace: right, uplink: far() },
  ];
  return { scheduler, nodes, onTheWire };
}

/** The ICMP messages (type and code) that are delivered to `namespace`. */
function heardBy(namespace: Namespace): string[] {
  const heard: string[] = [];
  const { answerer } = namespace;
  namespace.answerer = (packet, delivery) => {
    const { transport } = packet;
    if (transport.kind === 'icmp') heard.push(`${transport.type}/${transport.code} ${transport.sequence}`);
    return answerer(packet, delivery);
  };
  return heard;
}

/** tunl0 on both nodes, as Calico has it: 10.1.N.0/32, and the other's 10.1.M.0/24 through it. */
function ipip(spec: Partial<IpipSpec> = {}, mtu = 1500) {
  const network = twoNodes(mtu);
  for (const [index, { namespace }] of network.nodes.entries()) {
    const [self, other] = index === 0 ? [1, 2] : [2, 1];
    const device = createIpip(namespace, { name: 'tunl0', up: true, ...spec });
    namespace.addAddress(device, parseInterfaceAddress(`10.1.${self}.0/32`));
    namespace.addRoute({
      type: 'unicast',
      prefix: parseIpPrefix(`10.1.${other}.0/24`),
      device: 'tunl0',
      gateway: v4(`192.168.0.${other}`),
      metric: 0,
    });
  }
  return network;
}

describe('IPIP', () => {
  it('carries a packet inside another to the next hop, and the answer back', () => {
    const { scheduler, nodes, onTheWire } = ipip();
    const heard = heardBy(nodes[0].namespace);
    nodes[0].namespace.send(ping('10.1.1.0', '10.1.2.0'));
    scheduler.runUntilIdle();
    expect(heard).toEqual(['0/0 1']);
    expect(onTheWire).toMatchObject([
      { src: v4('192.168.0.1'), dst: v4('192.168.0.2'), transport: { kind: 'opaque', protocol: 4 } },
    ]);
    expect(onTheWire.map(ipLength)).toEqual([20 + 36]);
  });

  it.each([
    [
      'takes over TTL, TOS with its congestion bits, and DF',
      {},
      { ttl: 9, tos: 2, dontFragment: true },
      { ttl: 9, tos: 2, dontFragment: true },
    ],
    ['does not tell of congestion before there is any', {}, { tos: 0xbb }, { tos: 2 }],
    ['has a TTL of its own', { ttl: 3 }, { ttl: 9 }, { ttl: 3 }],
    ['takes over the whole TOS', { tos: 'inherit' as const }, { tos: 0xb8 }, { tos: 0xb8 }],
    ['sets DF for path MTU discovery', { pmtudisc: true }, {}, { dontFragment: true }],
  ])('the outer header %s', (_, spec, inner, outer) => {
    const { scheduler, nodes, onTheWire } = ipip(spec);
    nodes[0].namespace.send(ping('10.1.1.0', '10.1.2.0', 8, inner));
    scheduler.runUntilIdle();
    expect(onTheWire).toMatchObject([outer]);
  });

  it('says how much it takes about packets that must not be cut up', () => {
    const { scheduler, nodes, onTheWire } = ipip({ mtu: 1500 });
    const heard = heardBy(nodes[0].namespace);
    nodes[0].namespace.send(ping('10.1.1.0', '10.1.2.0', 1472, { dontFragment: true }));
    scheduler.runUntilIdle();
    expect(heard).toEqual(['3/4 1480']);
    expect(onTheWire).toEqual([]);
  });

  it('is cut up outside when the inner packet may be', () => {
    const { scheduler, nodes, onTheWire } = ipip({ mtu: 1500 });
    const heard = heardBy(nodes[0].namespace);
    nodes[0].namespace.send(ping('10.1.1.0', '10.1.2.0', 1472));
    scheduler.runUntilIdle();
    expect(heard).toEqual(['0/0 1']);
    expect(onTheWire.map(({ fragment }) => fragment)).toEqual([
      { offset: 0, more: true },
      { offset: 1480, more: false },
    ]);
  });

  it('a node without such a device does not know the protocol', () => {
    const { scheduler, nodes } = ipip();
    const [{ namespace }, { namespace: other }] = nodes;
    const heard = heardBy(namespace);
    const device = other.interface('tunl0');
    if (device !== undefined) other.setUp(device, false);
    namespace.send(ping('10.1.1.0', '10.1.2.0'));
    scheduler.runUntilIdle();
    expect(heard).toEqual(['3/2 0']);
  });

  it('does not lead into itself', () => {
    const { scheduler, nodes, onTheWire } = ipip();
    const { namespace } = nodes[0];
    const reasons: string[] = [];
    namespace.trace = (event) => {
      if (event.kind === 'packet-dropped') reasons.push(event.reason);
    };
    namespace.addRoute({
      type: 'unicast',
      prefix: parseIpPrefix('192.168.0.2/32'),
      device: 'tunl0',
      metric: 0,
    });
    namespace.send(ping('10.1.1.0', '10.1.2.0'));
    scheduler.runUntilIdle();
    expect(reasons).toEqual(['tunnel-loop']);
    expect(onTheWire).toEqual([]);
  });
});

const VTEPS = ['02:00:00:00:ee:01', '02:00:00:00:ee:02'] as const;

/** A VXLAN device on both nodes, 10.0.0.N/24, which floods to the other node what it does not know. */
function vxlan(learning: boolean) {
  const network = twoNodes();
  for (const [index, { namespace, uplink }] of network.nodes.entries()) {
    const device = createVxlan(namespace, {
      name: 'vx',
      id: 77,
      local: v4(`192.168.0.${index + 1}`),
      link: uplink,
      learning,
      mac: parseMac(VTEPS[index] ?? ''),
      up: true,
    });
    namespace.addAddress(device, parseInterfaceAddress(`10.0.0.${index + 1}/24`));
    namespace.addFdb(0, device, v4(`192.168.0.${2 - index}`));
  }
  return network;
}

describe('VXLAN', () => {
  it('leaves room for its headers', () => {
    const { nodes } = vxlan(true);
    expect(nodes[0].namespace.interface('vx')?.mtu).toBe(1450);
  });

  it('asks with ARP through the tunnel, and learns who answers from where', () => {
    const { scheduler, nodes, onTheWire } = vxlan(true);
    const heard = heardBy(nodes[0].namespace);
    nodes[0].namespace.send(ping('10.0.0.1', '10.0.0.2'));
    scheduler.runUntilIdle();
    expect(heard).toEqual(['0/0 1']);
    expect(onTheWire).toMatchObject([{ transport: { dport: 8472 } }, { transport: { dport: 8472 } }]);
    const driver = nodes[0].namespace.interface('vx')?.driver;
    expect(driver).toMatchObject({ id: 77 });
    expect(nodes[0].namespace.neighbours.list()).toContainEqual(
      expect.objectContaining({ device: 'vx', mac: parseMac(VTEPS[1]) }),
    );
  });

  it('drops what no endpoint is known for', () => {
    const { scheduler, nodes, onTheWire } = twoNodes();
    const { namespace } = nodes[0];
    const device = createVxlan(namespace, { name: 'vx', id: 1, local: v4('192.168.0.1'), up: true });
    const reasons: string[] = [];
    namespace.trace = (event) => {
      if (event.kind === 'frame-dropped') reasons.push(event.reason);
    };
    namespace.addAddress(device, parseInterfaceAddress('10.0.0.1/24'));
    namespace.send(ping('10.0.0.1', '10.0.0.2'));
    scheduler.runUntil(0.5);
    expect(reasons).toEqual(['no-tunnel-endpoint']);
    expect(onTheWire).toEqual([]);
  });

  it('refuses an identifier that is in use', () => {
    const { nodes } = vxlan(true);
    const again = { name: 'vy', id: 77, local: v4('192.168.0.1') };
    expect(() => createVxlan(nodes[0].namespace, again)).toThrow(RangeError);
  });
});

describe('the outer header', () => {
  it.each([
    [0, 0xb8, 0],
    [0, 1, 1],
    [0, 2, 2],
    [0, 3, 2],
    [0x20, 0xbb, 0x22],
    ['inherit' as const, 0xbb, 0xba],
  ])('TOS %s around an inner %i is %i', (configured, inner, outer) => {
    expect(outerTos(configured, inner)).toBe(outer);
  });

  it('has one source port for both directions of a flow, others for others', () => {
    const flow = (src: string, dst: string, sport: number, dport: number) =>
      flowPort(
        ipFrame(1, 2, {
          ...ping(src, dst),
          transport: { kind: 'udp', sport, dport, data: new Uint8Array(4) },
        }),
        32_768,
        60_999,
      );
    const there = flow('10.0.0.1', '10.0.0.2', 1000, 53);
    expect(flow('10.0.0.2', '10.0.0.1', 53, 1000)).toBe(there);
    const ports = new Set(Array.from({ length: 100 }, (_, index) => flow('10.0.0.1', '10.0.0.2', index, 53)));
    expect(ports.size).toBeGreaterThan(90);
    for (const port of ports) expect(port).toBeGreaterThanOrEqual(32_768);
  });
});
