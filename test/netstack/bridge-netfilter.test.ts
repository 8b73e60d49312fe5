/** What rules see of packets that only cross a bridge, and what DNAT does to them there. */
import { describe, expect, it } from 'vitest';
import { createVethPair } from '../../src/netstack/link/veth.ts';
import { Namespace } from '../../src/netstack/namespace.ts';
import { toRuleSet } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { Scheduler } from '../../src/sim/scheduler.ts';
import { parseIpAddress } from '../../src/wire/ip-address.ts';
import { parseInterfaceAddress, parseIpPrefix } from '../../src/wire/ip-prefix.ts';
import { formatMac, parseMac } from '../../src/wire/mac.ts';
import { NO_BYTES, type Packet } from '../../src/wire/packet.ts';

const mac = (last: number) => parseMac(`02:00:00:00:00:0${last}`);
const BRIDGE = 9;

interface Options {
  readonly rules: string;
  readonly nf?: number;
  readonly hairpin?: boolean;
}

/** A node with br0 (10.0.0.254) and the pods 10.0.0.1 and 10.0.0.2 on the ports veth1 and veth2. */
function node({ rules, nf = 1, hairpin = false }: Options) {
  const scheduler = new Scheduler();
  const host = new Namespace({
    name: 'node',
    scheduler,
    rules: () => [toRuleSet(parseRules(rules, { family: 'ipv4', file: 'rules' }))],
  });
  const br0 = host.addBridge({ name: 'br0', mac: mac(BRIDGE), up: true });
  host.addAddress(br0, parseInterfaceAddress('10.0.0.254/24'));
  host.setSysctl('net.ipv4.ip_forward', 1);
  host.setSysctl('net.bridge.bridge-nf-call-iptables', nf);
  const seen: string[] = [];
  const pods = [1, 2].map((number) => {
    const pod = new Namespace({ name: `p${number}`, scheduler });
    const { near, far } = createVethPair(
      { namespace: host, name: `veth${number}`, up: true },
      { namespace: pod, name: 'eth0', mac: mac(number), up: true },
    );
    host.setMaster(near, br0);
    host.setBridgePort(near, { hairpin });
    pod.addAddress(far(), parseInterfaceAddress(`10.0.0.${number}/24`));
    const gateway = parseIpAddress('10.0.0.254');
    pod.addRoute({ type: 'unicast', prefix: parseIpPrefix('0.0.0.0/0'), device: 'eth0', gateway, metric: 0 });
    far().addTap(({ direction, frame }) => {
      if (direction !== 'in' || frame?.payload.kind !== 'ip') return;
      const { packet } = frame.payload;
      seen.push(
        `p${number} from ${formatMac(frame.source).slice(-1)} ${packet.transport.kind} ttl ${packet.ttl}`,
      );
    });
    return pod;
  });
  const send = (dst: string, dport = 80) => {
    const packet: Packet = {
      src: parseIpAddress('10.0.0.1'),
      dst: parseIpAddress(dst),
      ttl: 64,
      tos: 0,
      id: 1,
      dontFragment: false,
      transport: {
        kind: 'tcp',
        sport: 4000,
        dport,
        seq: 1,
        ack: 0,
        flags: 2,
        window: 9,
        options: NO_BYTES,
        data: NO_BYTES,
      },
    };
    pods[0]?.send(packet);
    scheduler.runUntilIdle();
  };
  return { host, send, seen };
}

const service = (target: string) => `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d 10.96.0.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination ${target}
COMMIT
`;

describe('DNAT on a bridge', () => {
  it.each([
    {
      what: "to a pod on the same bridge never leaves it: the TTL stays, the frame is the client's",
      options: { rules: service('10.0.0.2') },
      // The reply is translated back in the bridge.
      seen: ['p2 from 1 tcp ttl 64', 'p1 from 2 tcp ttl 64'],
    },
    {
      what: 'is routed without the hooks, and the reply comes from the wrong address',
      options: { rules: service('10.0.0.2'), nf: 0 },
      seen: [`p2 from ${BRIDGE} tcp ttl 63`, 'p1 from 2 tcp ttl 64'],
    },
    {
      what: 'to the pod itself is dropped at the port it came from',
      options: { rules: service('10.0.0.1') },
      seen: [],
    },
    {
      what: 'to the pod itself comes back with hairpin_mode',
      options: { rules: service('10.0.0.1'), hairpin: true },
      seen: ['p1 from 1 tcp ttl 64'],
    },
    {
      what: "to the node goes up, and the answer is the service's",
      options: { rules: service('10.0.0.254') },
      seen: [`p1 from ${BRIDGE} tcp ttl 64`],
    },
  ])('$what', ({ options, seen: expected }) => {
    const { send, seen } = node(options);
    send('10.96.0.1');
    expect(seen).toEqual(expected);
  });

  it('hooks off: failure 7, the client is answered by a stranger', () => {
    for (const [nf, src] of [
      [1, '10.96.0.1'],
      [0, '10.0.0.2'],
    ] as const) {
      const sources: string[] = [];
      const { host, send } = node({ rules: service('10.0.0.2'), nf });
      host.interface('veth1')?.addTap(({ direction, frame }) => {
        if (direction === 'out' && frame?.payload.kind === 'ip')
          sources.push(frame.payload.packet.src === parseIpAddress(src) ? src : 'another');
      });
      send('10.96.0.1');
      expect(sources).toEqual([src]);
    }
  });
});

describe('-m physdev', () => {
  const FORWARD = [
    ['--physdev-in veth1', 1],
    ['--physdev-in veth2', 0],
    ['! --physdev-in veth2', 1],
    ['--physdev-in veth+', 1],
    ['--physdev-out veth2', 1],
    ['! --physdev-out veth2', 0],
    ['--physdev-is-bridged', 1],
    ['! --physdev-is-bridged', 0],
    ['--physdev-is-in', 1],
    ['! --physdev-is-out', 0],
    ['--physdev-in veth1 --physdev-out veth2 --physdev-is-bridged', 1],
  ] as const;

  it.each(FORWARD)('%s holds %i times for a packet from veth1 to veth2', (test, times) => {
    const rules = `*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -i br0 -o br0 -p tcp --syn -m physdev ${test}\nCOMMIT\n`;
    const { host, send } = node({ rules });
    send('10.0.0.2', 81);
    const chain = host.host.netfilter.rules('ipv4').tables.get('filter')?.get('FORWARD');
    const [rule] = chain?.rules ?? [];
    const packets = rule === undefined ? Number.NaN : host.host.netfilter.counters.of(rule).packets;
    expect(packets).toBe(times);
  });

  it('REJECT with a reset answers by the port, past all hooks, from the address that was asked', () => {
    const rules =
      '*filter\n:FORWARD ACCEPT [0:0]\n:OUTPUT DROP [0:0]\n-A FORWARD -p tcp -j REJECT --reject-with tcp-reset\nCOMMIT\n';
    const { send, seen } = node({ rules });
    send('10.0.0.2', 81);
    expect(seen).toEqual(['p1 from 2 tcp ttl 64']);
  });
});
