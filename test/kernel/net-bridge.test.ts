/** Bridges, with and without the IP hooks: the kernel beside the emulator. */
import { describe } from 'vitest';
import { differential } from './network/differential.ts';
import { ping, send, sendPieces, tcp, udp, wait } from './network/packets.ts';
import { nodeWithPods } from './network/topologies.ts';

const NF = 'net.bridge.bridge-nf-call-iptables';

/** A service on 10.96.0.1: UDP 53 is pod 2, 54 pod 1, 55 the outside host, 56 the node itself. */
function service(more = ''): string {
  return `*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d 10.96.0.1/32 -p udp -m udp --dport 53 -j DNAT --to-destination 10.0.0.2:5353
-A PREROUTING -d 10.96.0.1/32 -p udp -m udp --dport 54 -j DNAT --to-destination 10.0.0.1:5353
-A PREROUTING -d 10.96.0.1/32 -p udp -m udp --dport 55 -j DNAT --to-destination 192.168.0.2:5353
-A PREROUTING -d 10.96.0.1/32 -p udp -m udp --dport 56 -j DNAT --to-destination 192.168.0.1:5353
-A PREROUTING -d 10.96.0.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.2:8080
${more}COMMIT
`;
}
const toService = (dport: number) => send('p1', udp('10.0.0.1', '10.96.0.1', { dport }));

describe('a bridge', () => {
  differential([
    {
      title: 'learns, floods what it does not know',
      network: nodeWithPods({ pods: 3 }),
      steps: [send('p1', ping('10.0.0.1', '10.0.0.2')), send('p2', ping('10.0.0.2', '10.0.0.1'))],
    },
    {
      title: 'hairpin: a broadcast comes back',
      network: nodeWithPods({ port: { hairpin: true } }),
      steps: [send('p1', ping('10.0.0.1', '10.0.0.2')), send('p1', ping('10.0.0.1', '10.0.0.254'))],
    },
    {
      title: 'isolated ports',
      network: nodeWithPods({ port: { isolated: true } }),
      steps: [
        send('p1', ping('10.0.0.1', '10.0.0.254')),
        send('p1', ping('10.0.0.1', '10.0.0.2')),
        wait(3.5),
      ],
    },
    {
      title: 'to the outside and back',
      network: nodeWithPods(),
      steps: [send('p1', ping('10.0.0.1', '192.168.0.2')), send('out', ping('192.168.0.2', '10.0.0.2'))],
    },
  ]);
});

for (const nf of [0, 1]) {
  const sysctls = { [NF]: nf };
  describe(`bridge-nf-call-iptables=${nf}`, () => {
    differential([
      {
        title: 'DNAT to a pod on the same bridge',
        network: nodeWithPods({ sysctls, iptables: service() }),
        steps: [toService(53), toService(53), send('p1', tcp('10.0.0.1', '10.96.0.1'))],
      },
      {
        title: 'DNAT to a pod on the same bridge, which is known',
        network: nodeWithPods({ sysctls, iptables: service() }),
        steps: [
          send('node', ping('10.0.0.254', '10.0.0.2')),
          send('p1', ping('10.0.0.1', '10.0.0.2')),
          toService(53),
          send('p1', tcp('10.0.0.1', '10.96.0.1')),
        ],
      },
      {
        title: 'a pod that calls itself, hairpin off',
        network: nodeWithPods({ sysctls, iptables: service() }),
        steps: [toService(54)],
      },
      {
        title: 'a pod that calls itself, hairpin on',
        network: nodeWithPods({ sysctls, iptables: service(), port: { hairpin: true } }),
        steps: [toService(54)],
      },
      {
        title: 'a pod that calls itself, masqueraded, hairpin on',
        network: nodeWithPods({
          sysctls,
          iptables: service('-A POSTROUTING -s 10.0.0.1/32 -d 10.0.0.1/32 -j MASQUERADE\n'),
          port: { hairpin: true },
        }),
        steps: [toService(54), toService(54)],
      },
      {
        title: 'DNAT away from the bridge, and to the node',
        network: nodeWithPods({ sysctls, iptables: service() }),
        steps: [toService(55), toService(56)],
      },
      {
        title: 'DNAT with forwarding off',
        network: nodeWithPods({ sysctls: { ...sysctls, 'net.ipv4.ip_forward': 0 }, iptables: service() }),
        steps: [toService(53), toService(55), toService(56)],
      },
      {
        title: 'DNAT to nobody',
        network: nodeWithPods({
          sysctls,
          iptables: service('-A PREROUTING -d 10.96.0.2/32 -p udp -j DNAT --to-destination 10.0.0.77\n'),
        }),
        steps: [send('p1', udp('10.0.0.1', '10.96.0.2')), wait(3.5)],
      },
    ]);
  });
}

/** Counts what it sees by port, in every chain that knows ports; REJECTs TCP 81 with a reset, UDP 81 with ICMP. */
const physdev = `*mangle
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -m physdev --physdev-in veth1
-A PREROUTING -m physdev ! --physdev-in veth1
-A PREROUTING -m physdev --physdev-is-in
-A PREROUTING -i br0
-A INPUT -m physdev --physdev-in veth+
-A INPUT -m physdev ! --physdev-in veth2
-A FORWARD -m physdev --physdev-in veth1 --physdev-out veth2
-A FORWARD -m physdev --physdev-is-bridged
-A FORWARD -m physdev ! --physdev-is-bridged
-A FORWARD -m physdev ! --physdev-out veth2
-A FORWARD -m physdev --physdev-is-out
-A FORWARD -m physdev ! --physdev-is-out
-A FORWARD -i br0 -o br0
-A FORWARD -i br0 -o eth0
-A POSTROUTING -m physdev --physdev-out veth2
-A POSTROUTING -m physdev --physdev-is-bridged
-A POSTROUTING -m physdev ! --physdev-is-in
-A POSTROUTING -o br0
-A POSTROUTING -o eth0
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -p tcp -m tcp --dport 81 -j REJECT --reject-with tcp-reset
-A FORWARD -p tcp -m tcp --dport 81 -j REJECT --reject-with tcp-reset
-A FORWARD -p udp -m udp --dport 81 -j REJECT --reject-with icmp-port-unreachable
-A FORWARD -p udp -m udp --dport 82 -j DROP
COMMIT
`;

describe('rules see the ports', () => {
  const everywhere = (from: string, src: string) => [
    send(from, udp(src, '10.0.0.2')),
    send(from, udp(src, '10.0.0.254')),
    send(from, udp(src, '192.168.0.2')),
    send(from, udp(src, '10.0.0.2', { dport: 81 })),
    send(from, udp(src, '10.0.0.2', { dport: 82 })),
    send(from, udp(src, '192.168.0.2', { dport: 81 })),
    send(from, tcp(src, '10.0.0.2', { dport: 81 })),
    send(from, tcp(src, '10.0.0.254', { dport: 81 })),
    send(from, tcp(src, '192.168.0.2', { dport: 81 })),
  ];
  differential([
    {
      title: 'bridged, delivered, routed, sent',
      network: nodeWithPods({ iptables: physdev, sysctls: { 'net.ipv4.icmp_ratemask': 0 } }),
      steps: [
        ...everywhere('p1', '10.0.0.1'),
        send('out', udp('192.168.0.2', '10.0.0.2')),
        send('out', udp('192.168.0.2', '10.0.0.2', { dport: 81 })),
        send('out', tcp('192.168.0.2', '10.0.0.2', { dport: 81 })),
        send('node', udp('10.0.0.254', '10.0.0.1')),
      ],
    },
    {
      title: 'nothing is seen with bridge-nf-call-iptables=0',
      network: nodeWithPods({
        iptables: physdev,
        sysctls: { [NF]: 0, 'net.ipv4.icmp_ratemask': 0 },
      }),
      steps: everywhere('p1', '10.0.0.1'),
    },
  ]);
});

describe('lengths on a bridge', () => {
  const long = (df: boolean) => send('p1', ping('10.0.0.1', '10.0.0.2', { size: 1400, df }));
  const narrow = (nf: number, iptables?: string) => {
    const network = nodeWithPods({ sysctls: { [NF]: nf }, ...(iptables === undefined ? {} : { iptables }) });
    const { node, ...others } = network.namespaces;
    const devices = { ...node?.devices, veth2: { master: 'br0', mtu: 1300 } };
    return { ...network, namespaces: { ...others, node: { ...node, devices } } };
  };
  const tracking = '*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m conntrack --ctstate NEW\nCOMMIT\n';
  differential([
    { title: 'a port too narrow, hooks off', network: narrow(0), steps: [long(true), long(false)] },
    { title: 'a port too narrow, hooks on', network: narrow(1), steps: [long(true), long(false)] },
    {
      title: 'a port too narrow, connections tracked',
      network: narrow(1, tracking),
      steps: [long(true), long(false)],
    },
    {
      title: 'pieces are put together and cut again',
      network: nodeWithPods({ iptables: tracking }),
      steps: sendPieces('p1', udp('10.0.0.1', '10.0.0.2', { size: 2000 }), [800, 1400]),
    },
    {
      title: 'pieces pass as they are without connection tracking',
      network: nodeWithPods(),
      steps: sendPieces('p1', udp('10.0.0.1', '10.0.0.2', { size: 2000 }), [800, 1400]),
    },
  ]);
});

describe('IPv6 over a bridge', () => {
  const NF6 = 'net.bridge.bridge-nf-call-ip6tables';
  const rules = `*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d fd96::1/128 -p udp -m udp --dport 53 -j DNAT --to-destination [fd00::2]:5353
-A PREROUTING -d fd96::1/128 -p udp -m udp --dport 54 -j DNAT --to-destination [fd00::1]:5353
-A PREROUTING -d fd96::1/128 -p udp -m udp --dport 55 -j DNAT --to-destination [fd01::2]:5353
-A PREROUTING -d fd96::1/128 -p udp -m udp --dport 56 -j DNAT --to-destination [fd01::1]:5353
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -p tcp -m tcp --dport 81 -j REJECT --reject-with tcp-reset
-A FORWARD -p udp -m udp --dport 81 -j REJECT --reject-with icmp6-port-unreachable
COMMIT
`;
  const to = (dport: number) => send('p1', udp('fd00::1', 'fd96::1', { dport }));
  differential(
    [0, 1].flatMap((nf) => [
      {
        title: `DNAT within the bridge and away from it, bridge-nf-call-ip6tables=${nf}`,
        network: nodeWithPods({ sysctls: { [NF6]: nf }, ip6tables: rules }),
        steps: [to(53), to(53), to(54), to(55), to(56)],
      },
      {
        title: `DNAT with forwarding off, bridge-nf-call-ip6tables=${nf}`,
        network: nodeWithPods({
          sysctls: { [NF6]: nf, 'net.ipv6.conf.all.forwarding': 0 },
          ip6tables: rules,
        }),
        steps: [to(53), to(54), to(55), to(56)],
      },
      {
        title: `REJECT, bridge-nf-call-ip6tables=${nf}`,
        network: nodeWithPods({ sysctls: { [NF6]: nf }, ip6tables: rules, port: { hairpin: true } }),
        steps: [
          send('p1', udp('fd00::1', 'fd00::2', { dport: 81 })),
          send('p1', tcp('fd00::1', 'fd00::2', { dport: 81 })),
          send('p1', tcp('fd00::1', 'fd01::2', { dport: 81 })),
          send('out', tcp('fd01::2', 'fd00::2', { dport: 81 })),
        ],
      },
    ]),
  );
});
