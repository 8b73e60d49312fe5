/**
 * ping, traceroute, curl, dig, nc, ss and conntrack inside the emulator against the real ones: the same three
 * namespaces, rules and servers, the same commands, the same text but for times, ports and numbers drawn.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Resolver } from '../../src/cluster/apps/dns/resolver.ts';
import { ToolExit } from '../../src/cluster/tools/tool.ts';
import { TOOLS } from '../../src/cluster/tools/tools.ts';
import { createVethPair } from '../../src/netstack/link/veth.ts';
import { Namespace } from '../../src/netstack/namespace.ts';
import { toRuleSet } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { Scheduler } from '../../src/sim/scheduler.ts';
import { parseIpAddress } from '../../src/wire/ip-address.ts';
import { parseInterfaceAddress, parseIpPrefix } from '../../src/wire/ip-prefix.ts';
import { startEmulated } from './servers/emulated.ts';
import { NETWORK_COMMANDS } from './tools-commands.ts';

const RULES = `*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -p tcp -m tcp --dport 98 -j REJECT --reject-with icmp-port-unreachable
-A INPUT -p tcp -m tcp --dport 97 -j REJECT --reject-with tcp-reset
-A INPUT -p tcp -m tcp --dport 96 -j REJECT --reject-with icmp-admin-prohibited
-A INPUT -p tcp -m tcp --dport 99 -j DROP
-A INPUT -d 10.77.2.9/32 -p icmp -j REJECT --reject-with icmp-admin-prohibited
-A INPUT -d 10.77.2.8/32 -j DROP
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 1234 -j REDIRECT --to-ports 8080
COMMIT
`;

const B_ADDRESSES = ['10.77.2.2/24', '10.77.2.8/24', '10.77.2.9/24', 'fd77:2::2/64'];

const SETUP = `
for n in kwnA kwnR kwnB; do
  ip netns add $n
  ip netns exec $n sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.dad_transmits=0
  ip netns exec $n sysctl -qw net.ipv4.icmp_ratemask=0 net.ipv6.icmp.ratelimit=0
  ip -n $n link set lo up
done
ip link add eth0 netns kwnA type veth peer name left netns kwnR
ip link add eth0 netns kwnB type veth peer name right netns kwnR
for d in kwnA:eth0 kwnR:left kwnB:eth0 kwnR:right; do ip -n \${d%%:*} link set \${d##*:} up; done
ip netns exec kwnR sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip -n kwnA addr add 10.77.1.2/24 dev eth0
ip -n kwnA addr add fd77:1::2/64 dev eth0
ip -n kwnR addr add 10.77.1.1/24 dev left
ip -n kwnR addr add fd77:1::1/64 dev left
ip -n kwnR addr add 10.77.2.1/24 dev right
ip -n kwnR addr add fd77:2::1/64 dev right
${B_ADDRESSES.map((address) => `ip -n kwnB addr add ${address} dev eth0`).join('\n')}
ip -n kwnA route add default via 10.77.1.1
ip -n kwnA -6 route add default via fd77:1::1
ip -n kwnB route add default via 10.77.2.1
ip -n kwnB -6 route add default via fd77:2::1
ip -n kwnA route add unreachable 172.16.0.0/12
ip -n kwnA route add blackhole 172.32.0.0/16
ip -n kwnR route add prohibit 10.88.0.0/16
ip -n kwnR route add unreachable 10.89.0.0/16
ip -n kwnR link add narrow type veth peer name dead mtu 1400
ip -n kwnR link set narrow mtu 1400 up
ip -n kwnR link set dead up
ip -n kwnR addr add 10.77.3.1/24 dev narrow
ip netns exec kwnA conntrack -F 2>/dev/null
`;

function emulatedNetwork(): { readonly a: Namespace; readonly b: Namespace } {
  const scheduler = new Scheduler();
  const quiet = { 'net.ipv4.icmp_ratemask': 0, 'net.ipv6.icmp.ratelimit': 0 };
  const rules = () => [toRuleSet(parseRules(RULES, { family: 'ipv4', file: 'rules' }))];
  const make = (name: string, more = {}) =>
    new Namespace({ name, scheduler, seed: 7, sysctls: quiet, ...more });
  const [a, r, b] = [make('kwnA'), make('kwnR'), make('kwnB', { rules })];
  const address = (texts: readonly string[]) => (device: Parameters<Namespace['addAddress']>[0]) => {
    for (const text of texts) device.namespace.addAddress(device, parseInterfaceAddress(text));
  };
  createVethPair(
    { namespace: a, name: 'eth0', up: true, made: address(['10.77.1.2/24', 'fd77:1::2/64']) },
    { namespace: r, name: 'left', up: true, made: address(['10.77.1.1/24', 'fd77:1::1/64']) },
  );
  createVethPair(
    { namespace: b, name: 'eth0', up: true, made: address(B_ADDRESSES) },
    { namespace: r, name: 'right', up: true, made: address(['10.77.2.1/24', 'fd77:2::1/64']) },
  );
  createVethPair(
    { namespace: r, name: 'narrow', mtu: 1400, up: true, made: address(['10.77.3.1/24']) },
    { namespace: r, name: 'dead', mtu: 1400, up: true },
  );
  r.setSysctl('net.ipv4.ip_forward', 1);
  r.setSysctl('net.ipv6.conf.all.forwarding', 1);
  const route = (namespace: Namespace, prefix: string, gateway: string) =>
    namespace.addRoute({
      type: 'unicast',
      prefix: parseIpPrefix(prefix),
      device: 'eth0',
      gateway: parseIpAddress(gateway),
      metric: 0,
    });
  route(a, '0.0.0.0/0', '10.77.1.1');
  route(a, '::/0', 'fd77:1::1');
  route(b, '0.0.0.0/0', '10.77.2.1');
  route(b, '::/0', 'fd77:2::1');
  const refuse = (namespace: Namespace, type: 'unreachable' | 'blackhole' | 'prohibit', prefix: string) =>
    namespace.addRoute({ type, prefix: parseIpPrefix(prefix), device: '', metric: 0 });
  refuse(a, 'unreachable', '172.16.0.0/12');
  refuse(a, 'blackhole', '172.32.0.0/16');
  refuse(r, 'prohibit', '10.88.0.0/16');
  refuse(r, 'unreachable', '10.89.0.0/16');
  startEmulated(b.sockets);
  return { a, b };
}

interface Printed {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

/** What cannot be the same: times, drawn numbers, and in whose hands the wait was. */
function normal({ code, out, error }: Printed): Printed {
  const text = (raw: string) =>
    raw
      .replace(/time=[\d.]+ ms/g, 'time=T ms')
      .replace(/\btime \d+ms/g, 'time Tms')
      .replace(/mdev = [\d./]+ ms/g, 'mdev = T ms')
      .replace(/ {2}[\d.]+ ms/g, '  T ms')
      .replace(/after \d+ (ms|milliseconds)/g, 'after T $1')
      .replace(/timeout after \d+ms/g, 'timeout after Tms')
      .replace(/, id: \d+/g, ', id: N')
      .replace(/Query time: \d+ msec/g, 'Query time: T msec')
      .replace(/;; WHEN: .*/g, ';; WHEN: T')
      .replace(/sport=\d{5}/g, 'sport=N')
      .replace(/dport=\d{5}/g, 'dport=N')
      .replace(/(tcp {6}6) \d+/g, '$1 T')
      // Off a terminal curl tells how many bytes it reads and writes, and dies with a last line about that.
      .replace(/^[{}] \[\d+ bytes data\]\n/gm, '');
  // Sockets come in the order of the kernel's hash table.
  const lines = text(out).split('\n');
  if (lines.some((line) => /^(State|LISTEN|Netid) /.test(line))) lines.sort();
  return { code, out: lines.join('\n'), error: text(error) };
}

function splitPlace(command: string): { readonly place: 'A' | 'B'; readonly words: readonly string[] } {
  const place = command.startsWith('B:') ? 'B' : 'A';
  return { place, words: command.replace(/^B:/, '').split(' ') };
}

function real(command: string): Printed {
  const { place, words } = splitPlace(command);
  const { stdout, stderr, status } = spawnSync('ip', ['netns', 'exec', `kwn${place}`, ...words], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  return normal({ code: status, out: stdout, error: stderr });
}

describe('tools print what the real ones print', () => {
  let server: ChildProcess | undefined;
  let a: Namespace;
  let b: Namespace;

  beforeAll(async () => {
    const { status, stderr } = spawnSync('sh', ['-ec', SETUP], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const restored = spawnSync('ip', ['netns', 'exec', 'kwnB', 'iptables-restore'], {
      input: RULES,
      encoding: 'utf8',
    });
    expect(restored.stderr).toBe('');
    mkdirSync('/etc/netns/kwnA', { recursive: true });
    writeFileSync(
      '/etc/netns/kwnA/resolv.conf',
      'search test\nnameserver 10.77.2.2\noptions timeout:1 attempts:1\n',
    );
    ({ a, b } = emulatedNetwork());
    const program = join(import.meta.dirname, 'servers/main.mjs');
    server = spawn('ip', ['netns', 'exec', 'kwnB', process.execPath, program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => server?.stdout?.once('data', resolve));
  });
  afterAll(() => {
    server?.kill();
    rmSync('/etc/netns/kwnA', { recursive: true, force: true });
    spawnSync('sh', ['-c', 'for n in kwnA kwnR kwnB; do ip netns del $n; done']);
  });

  function emulated(command: string): Printed {
    const { place, words } = splitPlace(command);
    const namespace = place === 'A' ? a : b;
    const [tool = '', ...args] = words;
    let out = '';
    let error = '';
    const conf = {
      nameservers: [parseIpAddress('10.77.2.2')],
      searches: ['test'],
      options: ['timeout:1', 'attempts:1'],
    };
    const context = {
      namespace,
      scheduler: namespace.scheduler,
      resolver: new Resolver({ sockets: namespace.sockets, conf }),
      print: (text: string) => {
        out += text;
      },
      complain: (text: string) => {
        error += text;
      },
      atEnd: () => {},
    };
    let code: number | null = null;
    try {
      code = TOOLS[tool]?.(args, context) ?? 127;
    } catch (thrown) {
      if (!(thrown instanceof ToolExit)) throw thrown;
      code = thrown.code;
      if (thrown.message !== '') error += `${thrown.message}\n`;
    }
    namespace.scheduler.runUntil(namespace.scheduler.now() + 1);
    return normal({ code, out, error });
  }

  it.each(NETWORK_COMMANDS)('%s', (command) => {
    expect(emulated(command)).toEqual(real(command));
  });
});
