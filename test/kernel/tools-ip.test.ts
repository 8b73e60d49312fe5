/** `ip` inside the emulator against the real one: the same small network, the same questions, the same text. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EMPTY_RESOLV_CONF } from '../../src/cluster/apps/dns/resolv-conf.ts';
import { Resolver } from '../../src/cluster/apps/dns/resolver.ts';
import { ip } from '../../src/cluster/tools/ip/ip.ts';
import { ToolExit } from '../../src/cluster/tools/tool.ts';
import { createVethPair } from '../../src/netstack/link/veth.ts';
import { Namespace } from '../../src/netstack/namespace.ts';
import type { RouteType } from '../../src/netstack/route-table.ts';
import { Scheduler } from '../../src/sim/scheduler.ts';
import { parseIpAddress } from '../../src/wire/ip-address.ts';
import { parseInterfaceAddress, parseIpPrefix } from '../../src/wire/ip-prefix.ts';
import { parseMac } from '../../src/wire/mac.ts';

const SETUP = `
ip netns add kwtA
ip netns add kwtB
for n in kwtA kwtB; do
  ip netns exec $n sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
  ip netns exec $n sysctl -qw net.ipv6.conf.default.dad_transmits=0
  ip -n $n link set lo up
done
ip link add eth0 netns kwtA address 02:00:00:00:00:0a type veth peer name vethb netns kwtB address 02:00:00:00:00:0b
ip -n kwtA link set eth0 up
ip -n kwtB link set vethb up
ip -n kwtA link add br0 address 02:00:00:00:00:0c type bridge
ip -n kwtA link set br0 up
ip -n kwtA link add vp address 02:00:00:00:00:0d type veth peer name vpp address 02:00:00:00:00:0e
ip -n kwtA link set vp master br0
ip -n kwtA link set vp up
ip -n kwtA link set br0 mtu 1450
ip -n kwtA link set vpp up
ip netns exec kwtA sysctl -qw net.ipv6.conf.default.disable_ipv6=1
ip link add down0 netns kwtA address 02:00:00:00:00:0f type veth peer name downb netns kwtB
ip -n kwtA link add off0 address 02:00:00:00:00:10 type bridge
ip -n kwtA addr add 10.0.0.1/24 brd + dev eth0
ip -n kwtA addr add 10.0.0.3/24 brd + dev eth0
ip -n kwtA addr add 10.0.1.1/32 dev eth0
ip -n kwtA addr add 10.9.0.1/31 dev eth0
ip -n kwtA addr add fd00::1/64 dev eth0
ip -n kwtA addr add 10.244.1.1/24 brd + dev br0
ip -n kwtA addr add fd00:10:244:1::1/64 dev br0
ip -n kwtB addr add 10.0.0.2/24 dev vethb
ip -n kwtA link set down0 up
ip -n kwtA route add default via 10.0.0.2
ip -n kwtA route add 10.244.2.0/24 via 10.0.0.2 dev eth0 metric 100
ip -n kwtA route add 10.244.0.0/16 via 10.0.0.2 dev eth0
ip -n kwtA route add 192.168.0.0/16 dev eth0 scope link src 10.0.1.1
ip -n kwtA route add 10.244.3.5 dev br0
ip -n kwtA route add unreachable 172.16.0.0/12
ip -n kwtA route add prohibit 172.17.0.0/16
ip -n kwtA route add blackhole 10.244.1.0/26
ip -n kwtA -6 route add default via fd00::2
ip -n kwtA -6 route add fd00:2::/64 via fd00::2 dev eth0
ip -n kwtA -6 route add fd00:2:0:0:8000::/68 via fd00::3 dev eth0 metric 7
ip -n kwtA -6 route add fd00:5::/64 dev br0
ip -n kwtA neigh add 10.0.0.77 lladdr 02:00:00:00:00:77 dev eth0 nud permanent
ip -n kwtA neigh add fd00::77 lladdr 02:00:00:00:00:77 dev eth0 nud permanent
`;

const COMMANDS: readonly string[] = [
  'addr',
  'a show dev eth0',
  'addr show br0',
  '-4 addr',
  '-6 addr',
  '-br addr',
  '-br -4 a',
  '-o addr',
  '-o -6 addr show eth0',
  'link',
  'link show vp',
  '-br link',
  '-o link',
  'link show master br0',
  'link show type bridge',
  'link show up',
  'route',
  'r list dev eth0',
  'route show default',
  'route show 10.244.2.0/24',
  'route list match 10.244.2.9',
  'route list root 10.244.0.0/16',
  'route list exact 10.244.0.0/16',
  'route show via 10.0.0.2',
  'route show type unreachable',
  'route show table local',
  'route show table all',
  '-6 route',
  '-6 route show dev eth0',
  '-6 route show table local',
  '-4 route show table all',
  'route get 10.0.0.2',
  'route get 10.0.0.1',
  'route get 127.0.0.1',
  'route get 10.244.2.5',
  'route get 10.244.9.9',
  'route get 10.244.3.5',
  'route get 192.168.3.4',
  'route get 8.8.8.8',
  'route get 8.8.8.8 from 10.0.1.1',
  'route get 8.8.8.8 mark 4',
  'route get 8.8.8.8 oif eth0',
  'route get 10.0.0.255',
  'route get 172.16.3.3',
  'route get 172.17.3.3',
  'route get 10.244.1.3',
  'route get fd00::2',
  'route get fd00::1',
  'route get fd00:2::1',
  'route get 2001:db8::1',
  'route get 2001:db8::1 from fd00::1',
  'neigh',
  '-6 neigh',
  'neigh show dev eth0',
  'neigh show 10.0.0.77',
  'neigh show nud permanent',
  'rule',
  '-6 rule',
  'addr show nosuch',
  'route show dev nosuch',
  'route get 999',
  'foo',
];

/**
 * What cannot be the same: namespaces have names here, numbers in containers; routes that every device has
 * stand in the order in which links came up.
 */
function normal(text: string): string {
  const all = text.replaceAll(/link-netns \S+/g, 'link-netnsid 0').split('\n');
  // The emulator gives a device that is up its group route before it has a link.
  const lines = all.filter((line) => !line.startsWith('multicast ff00::/8 dev down0 '));
  const everywhere = /^(fe80::\/64|multicast ff00::\/8) /;
  const sorted = lines.filter((line) => everywhere.test(line)).sort();
  return lines
    .map((line) => (everywhere.test(line) ? `${everywhere.exec(line)?.[1]} …` : line))
    .concat(sorted)
    .join('\n');
}

function real(command: string) {
  const { stdout, stderr, status } = spawnSync('ip', ['netns', 'exec', 'kwtA', 'ip', ...command.split(' ')], {
    encoding: 'utf8',
  });
  return { code: status, out: normal(stdout), error: stderr };
}

function build(): Namespace {
  const scheduler = new Scheduler();
  const a = new Namespace({ name: 'a', scheduler });
  const b = new Namespace({ name: 'b', scheduler });
  const { near: eth0 } = createVethPair(
    { namespace: a, name: 'eth0', mac: parseMac('02:00:00:00:00:0a'), up: true },
    { namespace: b, name: 'vethb', mac: parseMac('02:00:00:00:00:0b'), up: true },
  );
  const br0 = a.addBridge({ name: 'br0', mac: parseMac('02:00:00:00:00:0c'), mtu: 1450, up: true });
  // The kernel numbers the peer of a pair first.
  const { far } = createVethPair(
    { namespace: a, name: 'vpp', mac: parseMac('02:00:00:00:00:0e'), up: true },
    { namespace: a, name: 'vp', mac: parseMac('02:00:00:00:00:0d'), up: true },
  );
  a.setMaster(far(), br0);
  createVethPair(
    { namespace: a, name: 'down0', mac: parseMac('02:00:00:00:00:0f'), up: true },
    { namespace: b, name: 'downb' },
  );
  // Without a link it has no link-local address yet.
  a.setSysctl('net.ipv6.conf.down0.disable_ipv6', 1);
  a.addBridge({ name: 'off0', mac: parseMac('02:00:00:00:00:10') });
  for (const text of ['10.0.0.1/24', '10.0.0.3/24', '10.0.1.1/32', '10.9.0.1/31', 'fd00::1/64']) {
    a.addAddress(eth0, parseInterfaceAddress(text));
  }
  for (const text of ['10.244.1.1/24', 'fd00:10:244:1::1/64']) a.addAddress(br0, parseInterfaceAddress(text));
  const route = (prefix: string, device: string, rest: object = {}) =>
    a.addRoute({ type: 'unicast', prefix: parseIpPrefix(prefix), device, metric: 0, ...rest });
  const refuse = (type: RouteType, prefix: string) =>
    a.addRoute({ type, prefix: parseIpPrefix(prefix), device: '', metric: 0 });
  const via = (text: string) => ({ gateway: parseIpAddress(text) });
  route('0.0.0.0/0', 'eth0', via('10.0.0.2'));
  route('10.244.2.0/24', 'eth0', { ...via('10.0.0.2'), metric: 100 });
  route('10.244.0.0/16', 'eth0', via('10.0.0.2'));
  route('192.168.0.0/16', 'eth0', { src: parseIpAddress('10.0.1.1') });
  route('10.244.3.5/32', 'br0');
  refuse('unreachable', '172.16.0.0/12');
  refuse('prohibit', '172.17.0.0/16');
  refuse('blackhole', '10.244.1.0/26');
  route('::/0', 'eth0', via('fd00::2'));
  route('fd00:2::/64', 'eth0', via('fd00::2'));
  route('fd00:2:0:0:8000::/68', 'eth0', { ...via('fd00::3'), metric: 7 });
  route('fd00:5::/64', 'br0');
  for (const address of ['10.0.0.77', 'fd00::77']) {
    a.addNeighbour(eth0, parseIpAddress(address), parseMac('02:00:00:00:00:77'));
  }
  return a;
}

function emulated(namespace: Namespace, command: string) {
  let out = '';
  let error = '';
  const context = {
    namespace,
    scheduler: namespace.scheduler,
    resolver: new Resolver({ sockets: namespace.sockets, conf: EMPTY_RESOLV_CONF }),
    atEnd: () => {},
    print: (text: string) => {
      out += text;
    },
    complain: (text: string) => {
      error += text;
    },
  };
  try {
    const code = ip(command.split(' '), context);
    return { code, out: normal(out), error };
  } catch (thrown) {
    if (!(thrown instanceof ToolExit)) throw thrown;
    return { code: thrown.code, out: normal(out), error: `${thrown.message}\n` };
  }
}

describe('ip prints what the real one prints', () => {
  let namespace: Namespace;
  beforeAll(() => {
    const { status, stderr } = spawnSync('sh', ['-ec', SETUP], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    namespace = build();
  });
  afterAll(() => {
    spawnSync('sh', ['-c', 'ip netns del kwtA; ip netns del kwtB']);
  });

  it.each(COMMANDS)('ip %s', (command) => {
    expect(emulated(namespace, command)).toEqual(real(command));
  });
});
