/** Cluster networks: VXLAN as flannel makes it, routed pods as Calico does. The kernel beside the emulator. */
import { describe } from 'vitest';
import { differential } from './network/differential.ts';
import { ping, send, sendPieces, tcp, udp, wait } from './network/packets.ts';
import { overlay, routedPods } from './network/topologies.ts';

const [P1, P2] = ['10.244.1.2', '10.244.2.2'] as const;

/** Marks what comes from pods, and masquerades what is marked: the mark stays on the outer packet too. */
const MARKED = `*mangle
:PREROUTING ACCEPT [0:0]
-A PREROUTING -s 10.244.0.0/16 -p udp -m udp --dport 7 -j MARK --set-mark 0x4000
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d 10.96.0.1/32 -p udp -j DNAT --to-destination 10.244.2.2
-A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A OUTPUT -p udp -m udp --dport 8472
-A OUTPUT -m mark --mark 0x4000/0x4000
-A INPUT -p udp -m udp --dport 8472
-A FORWARD -i flannel.1 -o cni0
-A FORWARD -i cni0 -o flannel.1
COMMIT
`;

describe('VXLAN between two nodes', () => {
  differential([
    {
      title: 'pod to pod, node to pod, node to node',
      network: overlay(),
      steps: [
        send('p1', ping(P1, P2)),
        send('p2', udp(P2, P1)),
        send('n1', ping('10.244.1.0', P2)),
        send('n1', ping('192.168.0.1', '192.168.0.2')),
        send('p1', tcp(P1, P2)),
        send('p1', udp(P1, P2, { sport: 4445 })),
        send('p1', udp(P1, P2)),
      ],
    },
    {
      title: 'TTL and TOS: the outer header has its own',
      network: overlay(),
      steps: [
        send('p1', udp(P1, P2, { ttl: 1 })),
        send('p1', udp(P1, P2, { ttl: 2 })),
        send('p1', udp(P1, P2, { ttl: 3, tos: 0xb8 })),
        send('p1', udp(P1, P2, { tos: 1 })),
        send('p1', udp(P1, P2, { tos: 3 })),
      ],
    },
    {
      title: 'TTL, TOS and DF are inherited',
      network: overlay({ vxlan: { ttl: 'inherit', tos: 'inherit', df: 'inherit' } }),
      steps: [
        send('p1', udp(P1, P2, { ttl: 9, tos: 0xb8, df: true })),
        send('p1', udp(P1, P2, { ttl: 3, tos: 0xbb })),
        send('p1', ping(P1, P2, { df: true })),
      ],
    },
    {
      title: 'a TTL and TOS of its own, DF',
      network: overlay({ vxlan: { ttl: 5, tos: 0x20, df: 'set' } }),
      steps: [send('p1', udp(P1, P2, { tos: 0xb8 })), send('p1', ping(P1, P2))],
    },
    {
      title: 'packets just long enough, and too long',
      network: overlay(),
      steps: [
        send('p1', ping(P1, P2, { size: 1422, df: true })),
        send('p1', ping(P1, P2, { size: 1423 })),
        send('p1', udp(P1, P2, { size: 1422 })),
        ...sendPieces('p1', udp(P1, P2, { size: 2800 }), [1424]),
      ],
    },
    {
      title: 'pods with too large an MTU: DF is refused by the node',
      network: overlay({ podMtu: 1500 }),
      steps: [
        send('p1', ping(P1, P2, { size: 1472, df: true })),
        send('p1', ping(P1, P2, { size: 1472 })),
        send('p1', tcp(P1, P2)),
      ],
    },
    {
      title: 'a VXLAN device with too large an MTU: the outer packet is cut up',
      network: overlay({ podMtu: 1500, bound: false, vxlan: { mtu: 1500 } }),
      steps: [send('p1', udp(P1, P2, { size: 1472, df: true })), send('p1', udp(P1, P2, { size: 1472 }))],
    },
    {
      title: 'a VXLAN device with too large an MTU that sets DF',
      network: overlay({ podMtu: 1500, bound: false, vxlan: { mtu: 1500, df: 'set' } }),
      steps: [
        send('p1', ping(P1, P2, { size: 1472, df: true })),
        send('p1', ping(P1, P2, { size: 1472, df: true })),
        send('p1', udp(P1, P2, { size: 1472 })),
      ],
    },
    {
      title: 'rules see the inner and the outer packet, and the mark stays',
      network: overlay({ iptables: MARKED }),
      steps: [
        send('p1', udp(P1, P2, { dport: 7 })),
        send('p1', udp(P1, P2, { dport: 9 })),
        send('p1', udp(P1, '10.96.0.1', { sport: 4446, dport: 7 })),
        send('n1', udp('192.168.0.1', '10.96.0.1', { dport: 9 })),
      ],
    },
    {
      title: 'nobody knows the pod at the other end',
      network: overlay(),
      steps: [send('p1', ping(P1, '10.244.2.9')), wait(3.5)],
    },
    {
      title: 'no endpoint for the address',
      network: (() => {
        const network = overlay();
        const { n1, ...others } = network.namespaces;
        const { fdb: _, ...withoutFdb } = n1 ?? {};
        return { ...network, namespaces: { n1: withoutFdb, ...others } };
      })(),
      steps: [send('p1', ping(P1, P2))],
    },
    {
      title: 'the other end has no such device: its port is closed',
      network: (() => {
        const network = overlay();
        const { n2, ...others } = network.namespaces;
        const { 'flannel.1': device, ...devices } = n2?.devices ?? {};
        const down = device === undefined ? {} : { 'flannel.1': { ...device, down: true } };
        const { routes: _, ...rest } = n2 ?? {};
        return { ...network, namespaces: { ...others, n2: { ...rest, devices: { ...devices, ...down } } } };
      })(),
      steps: [send('p1', ping(P1, P2))],
    },
  ]);
});

/** Two hosts on a stretched link: VXLAN devices that ask with ARP and learn from what comes in. */
const stretched = (learning: boolean) => {
  const host = (self: number, other: number) => ({
    devices: {
      eth0: { addresses: [`192.168.0.${self}/24`] },
      vx: {
        kind: 'vxlan' as const,
        id: 77,
        port: 4789,
        local: `192.168.0.${self}`,
        learning,
        addresses: [`10.0.0.${self}/24`],
      },
    },
    fdb: [{ mac: '00:00:00:00:00:00', dev: 'vx', dst: `192.168.0.${other}` }],
  });
  return {
    namespaces: { a: host(1, 2), b: host(2, 1) },
    wires: [['a/eth0', 'b/eth0']] as const,
  };
};

describe('VXLAN that asks and learns', () => {
  differential([
    {
      title: 'learning',
      network: stretched(true),
      steps: [send('a', ping('10.0.0.1', '10.0.0.2')), send('b', ping('10.0.0.2', '10.0.0.1'))],
    },
    { title: 'not learning', network: stretched(false), steps: [send('a', ping('10.0.0.1', '10.0.0.2'))] },
  ]);
});

describe('routed pods behind proxy ARP', () => {
  const [A, B, OUT] = ['10.1.0.1', '10.1.0.2', '192.168.0.2'] as const;
  const talk = [
    send('p1', ping(A, B)),
    send('p1', ping(A, OUT)),
    send('out', udp(OUT, B)),
    send('p2', udp(B, '192.168.0.1')),
    send('node', ping('192.168.0.1', B)),
  ];
  differential([
    { title: 'pods talk', network: routedPods(), steps: talk },
    {
      title: 'a pod lies about its address: rp_filter',
      network: routedPods(),
      steps: [send('p1', ping(A, B)), send('p1', ping(B, OUT)), send('p1', udp('10.1.0.9', OUT))],
    },
    {
      title: 'the answer takes its time',
      network: routedPods({ 'net.ipv4.neigh.cali1.proxy_delay': 80 }),
      steps: [send('p1', ping(A, B)), wait(1.5)],
    },
    {
      title: 'no proxy ARP, no default route, no forwarding',
      network: routedPods({ 'net.ipv4.conf.cali1.proxy_arp': 0 }),
      steps: [send('p1', ping(A, B)), wait(3.5)],
    },
    {
      title: 'a node that does not forward does not answer',
      network: routedPods({ 'net.ipv4.ip_forward': 0 }),
      steps: [send('p1', ping(A, B)), wait(3.5)],
    },
  ]);
});
