/** The plugins, called as a container runtime calls them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { IpamOwner } from '../../src/cni/ipam/host-local-store.ts';
import { CniError } from '../../src/cni/plugins/cni-error.ts';
import { parseConflist } from '../../src/cni/plugins/configuration.ts';
import { CniHost, type PortMapping, type RuntimeConfig, type Sandbox } from '../../src/cni/plugins/plugin.ts';
import { resultJson } from '../../src/cni/plugins/result.ts';
import { type Attachment, CniRuntime } from '../../src/cni/plugins/runtime.ts';
import { closedHost } from '../../src/netstack/answer.ts';
import { Segment } from '../../src/netstack/link/segment.ts';
import { Namespace } from '../../src/netstack/namespace.ts';
import { mergeRuleSets } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { printRuleSet } from '../../src/ruletext/print-rules.ts';
import { Random } from '../../src/sim/random.ts';
import { Scheduler } from '../../src/sim/scheduler.ts';
import { formatIpAddress, type IpFamily, parseIpAddress } from '../../src/wire/ip-address.ts';
import { formatIpPrefix, parseInterfaceAddress } from '../../src/wire/ip-prefix.ts';
import { parseMac } from '../../src/wire/mac.ts';
import { NO_BYTES, type Packet } from '../../src/wire/packet.ts';

const DUMP = join(import.meta.dirname, '../../rules/foreign/cni-portmap/iptables.save');

class Machine {
  readonly scheduler = new Scheduler();
  readonly namespace = new Namespace({ name: 'machine', scheduler: this.scheduler, seed: 1 });
  readonly host = new CniHost(this.namespace);
  readonly segment = new Segment({ name: 'lan', scheduler: this.scheduler, random: new Random(1) });
  readonly #sandboxes = new Map<string, Sandbox>();

  constructor() {
    const eth0 = this.segment.plug(this.namespace, { name: 'eth0', up: true });
    this.namespace.addAddress(eth0, parseInterfaceAddress('172.18.0.2/16'));
  }

  sandbox(containerId: string): Sandbox {
    const known = this.#sandboxes.get(containerId);
    if (known !== undefined) return known;
    const namespace = new Namespace({ name: containerId, scheduler: this.scheduler, seed: 1 });
    const sandbox = { path: `/var/run/netns/${containerId}`, namespace };
    this.#sandboxes.set(containerId, sandbox);
    return sandbox;
  }

  attachment(containerId: string, runtimeConfig: RuntimeConfig = {}): Attachment {
    return { containerId, ifName: 'eth0', sandbox: this.sandbox(containerId), runtimeConfig };
  }

  /** Puts the plugins' rules into force. */
  loadRules(): void {
    this.namespace.setRules(() =>
      (['ipv4', 'ipv6'] as const).flatMap((family) => {
        const text = this.host.rules.text(family);
        return text === '' ? [] : [mergeRuleSets([parseRules(text, { family })])];
      }),
    );
  }

  natLines(family: IpFamily = 'ipv4'): string[] {
    const rules = mergeRuleSets([parseRules(this.host.rules.text(family), { family })]);
    return printRuleSet(rules)
      .split('\n')
      .filter((line) => /^(-A|:CNI)/.test(line))
      .map((line) => line.replace(/ \[\d+:\d+\]$/, ''));
  }
}

const conflist = (plugins: readonly object[], more: object = {}) =>
  JSON.stringify({ cniVersion: '1.0.0', name: 'podnet', plugins, ...more });

function runtimeOn(machine: Machine, plugins: readonly object[], more: object = {}): CniRuntime {
  return new CniRuntime(machine.host, parseConflist(conflist(plugins, more), 'net.conflist'));
}

const hostLocal = (subnet: string, more: object = {}) => ({
  type: 'host-local',
  ranges: [[{ subnet }]],
  ...more,
});
const PORTMAP = { type: 'portmap', capabilities: { portMappings: true } };

function failure(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof CniError) return `${error.kind}: ${error.message}`;
    throw error;
  }
  return 'worked';
}

const addressesOf = (namespace: Namespace, name: string) => {
  const device = namespace.interface(name);
  const own = device === undefined ? [] : namespace.addresses(device);
  return own.map(formatIpPrefix).filter((text) => !text.startsWith('fe80'));
};

const routesOf = (namespace: Namespace) =>
  namespace.book.routes
    .routes()
    .filter(
      ({ type, device, prefix }) =>
        type === 'unicast' && device !== 'lo' && !formatIpPrefix(prefix).startsWith('fe80'),
    )
    .map(({ prefix, device, gateway, src }) =>
      [
        formatIpPrefix(prefix),
        ...(gateway === undefined ? [] : [`via ${formatIpAddress(gateway)}`]),
        `dev ${device}`,
        ...(src === undefined ? [] : [`src ${formatIpAddress(src)}`]),
      ].join(' '),
    )
    .sort();

describe('bridge', () => {
  const plugin = (more: object = {}) => ({
    type: 'bridge',
    bridge: 'cni0',
    isGateway: true,
    ipMasq: true,
    ipam: hostLocal('10.88.0.0/16', { routes: [{ dst: '0.0.0.0/0' }] }),
    ...more,
  });

  it('answers as the real plugin does', () => {
    const machine = new Machine();
    const runtime = runtimeOn(machine, [
      plugin({ dns: { nameservers: ['10.1.0.1'], search: ['a.example'] } }),
    ]);
    const result = runtime.add(machine.attachment('one'));
    const mac = expect.stringMatching(/^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/);
    expect(resultJson(result, '1.0.0')).toEqual({
      cniVersion: '1.0.0',
      interfaces: [
        { name: 'cni0', mac },
        { name: expect.stringMatching(/^veth[0-9a-f]{8}$/), mac },
        { name: 'eth0', mac, sandbox: '/var/run/netns/one' },
      ],
      ips: [{ interface: 2, address: '10.88.0.2/16', gateway: '10.88.0.1' }],
      routes: [{ dst: '0.0.0.0/0' }],
      dns: { nameservers: ['10.1.0.1'], search: ['a.example'] },
    });
  });

  it('makes bridge, ports, addresses, routes and switches forwarding on', () => {
    const machine = new Machine();
    const runtime = runtimeOn(machine, [plugin({ mtu: 1400, hairpinMode: true })]);
    const { interfaces } = runtime.add(machine.attachment('one'));
    const { namespace } = machine.sandbox('one');
    expect(addressesOf(machine.namespace, 'cni0')).toEqual(['10.88.0.1/16']);
    expect(addressesOf(namespace, 'eth0')).toEqual(['10.88.0.2/16']);
    expect(routesOf(namespace)).toEqual([
      '0.0.0.0/0 via 10.88.0.1 dev eth0',
      '10.88.0.0/16 dev eth0 src 10.88.0.2',
    ]);
    expect(machine.namespace.sysctl('net.ipv4.ip_forward')).toBe('1');
    const port = machine.namespace.interface(interfaces[1]?.name ?? '');
    expect([port?.mtu, port?.master?.name, port?.up]).toEqual([1400, 'cni0', true]);
    expect(namespace.interface('eth0')?.mtu).toBe(1400);
  });

  it('is a default gateway when asked, in every family', () => {
    const machine = new Machine();
    const ipam = { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd00:1::/64' }]] };
    const runtime = runtimeOn(machine, [plugin({ isGateway: false, isDefaultGateway: true, ipam })]);
    const { routes, ips } = runtime.add(machine.attachment('one'));
    expect(
      routes.map(({ dst, gw }) => `${formatIpPrefix(dst)} ${gw === undefined ? '' : formatIpAddress(gw)}`),
    ).toEqual(['0.0.0.0/0 10.1.0.1', '::/0 fd00:1::1']);
    expect(ips.map(({ address }) => formatIpPrefix(address))).toEqual(['10.1.0.2/24', 'fd00:1::2/64']);
    expect(addressesOf(machine.namespace, 'cni0')).toEqual(['10.1.0.1/24', 'fd00:1::1/64']);
  });

  it('without IPAM gives a link alone', () => {
    const machine = new Machine();
    const { ipam: _, ...bare } = plugin();
    const { ips } = runtimeOn(machine, [bare]).add(machine.attachment('one'));
    expect(ips).toEqual([]);
    expect(machine.sandbox('one').namespace.interface('eth0')?.up).toBe(true);
  });

  it('refuses a bridge with another address, unless told to replace it', () => {
    const machine = new Machine();
    runtimeOn(machine, [plugin()]).add(machine.attachment('one'));
    const other = { ipam: hostLocal('10.99.0.0/16') };
    const second = runtimeOn(machine, [plugin(other)], { name: 'other' });
    expect(failure(() => second.add(machine.attachment('two')))).toBe(
      'failed: bridge: cni0 has the address 10.88.0.1/16, not 10.99.0.1/16',
    );
    // Nothing is left of the attempt.
    expect(machine.sandbox('two').namespace.interface('eth0')).toBeUndefined();
    expect(machine.host.store('/var/lib/cni/networks', 'other').isReserved(parseIpAddress('10.99.0.2'))).toBe(
      false,
    );
    const forced = runtimeOn(machine, [plugin({ ...other, forceAddress: true })], { name: 'other' });
    forced.add(machine.attachment('two'));
    expect(addressesOf(machine.namespace, 'cni0')).toEqual(['10.99.0.1/16']);
  });

  it('takes the MAC address that is asked for', () => {
    const machine = new Machine();
    const runtime = runtimeOn(machine, [plugin({ capabilities: { mac: true } })]);
    const mac = parseMac('02:00:00:00:00:99');
    expect(runtime.add(machine.attachment('one', { mac })).interfaces[2]?.mac).toBe(mac);
  });

  it('will not have something else for its bridge, or two containers in one', () => {
    const machine = new Machine();
    expect(
      failure(() => runtimeOn(machine, [plugin({ bridge: 'eth0' })]).add(machine.attachment('one'))),
    ).toBe('failed: bridge: eth0 exists already and is not a bridge');
    const runtime = runtimeOn(machine, [plugin()]);
    runtime.add(machine.attachment('one'));
    expect(failure(() => runtime.add(machine.attachment('one')))).toContain('one eth0 is attached already');
    const again = { ...machine.attachment('one'), containerId: 'two' };
    expect(failure(() => runtime.add(again))).toBe('failed: bridge: eth0 is there already in the container');
    expect(machine.sandbox('one').namespace.interface('eth0')).toBeDefined();
  });

  it('programs what the real plugins programmed', () => {
    const machine = new Machine();
    const runtime = runtimeOn(machine, [plugin(), PORTMAP]);
    const mapping = (hostPort: number, containerPort: number, protocol: PortMapping['protocol'] = 'tcp') => ({
      hostPort,
      containerPort,
      protocol,
    });
    runtime.add(
      machine.attachment('c0ffee000000000000000000000000000000000000000000000000000000beef', {
        portMappings: [mapping(8080, 80), mapping(5353, 53, 'udp')],
      }),
    );
    runtime.add(
      machine.attachment('deadbeef00000000000000000000000000000000000000000000000000001234', {
        portMappings: [{ ...mapping(9443, 443), hostIP: parseIpAddress('172.18.0.2') }],
      }),
    );
    const dump = readFileSync(DUMP, 'utf8');
    const nat = dump
      .slice(dump.indexOf('*nat'))
      .split('\n')
      .filter((line) => /^(-A|:CNI)/.test(line))
      .map((line) => line.replace(/ \[\d+:\d+\]$/, ''));
    expect(machine.natLines()).toEqual(nat);
  });
});

describe('ptp', () => {
  const plugin = {
    type: 'ptp',
    ipMasq: false,
    ipam: hostLocal('10.244.1.0/24', { routes: [{ dst: '0.0.0.0/0' }] }),
  };

  it('routes everything through the gateway, on the end of the host', () => {
    const machine = new Machine();
    const { interfaces, ips } = runtimeOn(machine, [plugin]).add(machine.attachment('one'));
    const { namespace } = machine.sandbox('one');
    const veth = interfaces[0]?.name ?? '';
    expect(interfaces.map(({ sandbox }) => sandbox)).toEqual([undefined, '/var/run/netns/one']);
    expect(ips).toMatchObject([{ interface: 1 }]);
    expect(addressesOf(machine.namespace, veth)).toEqual(['10.244.1.1/32']);
    expect(routesOf(machine.namespace)).toContain(`10.244.1.2/32 dev ${veth}`);
    expect(routesOf(namespace)).toEqual([
      '0.0.0.0/0 via 10.244.1.1 dev eth0',
      '10.244.1.0/24 via 10.244.1.1 dev eth0 src 10.244.1.2',
      '10.244.1.1/32 dev eth0 src 10.244.1.2',
    ]);
  });

  it('carries packets between containers', () => {
    const machine = new Machine();
    const runtime = runtimeOn(machine, [plugin]);
    for (const id of ['one', 'two']) runtime.add(machine.attachment(id));
    expect(exchange(machine, machine.sandbox('one').namespace, '10.244.1.3', 80)).toBe(
      'reset from 10.244.1.3:80',
    );
  });
});

/** Sends a SYN from `from`, and says who answers how. */
function exchange(machine: Machine, from: Namespace, to: string, port: number): string {
  let answer = 'nothing';
  from.answerer = (packet, delivery) => {
    const { transport } = packet;
    if (transport.kind === 'tcp' && transport.sport === port) {
      answer = `reset from ${formatIpAddress(packet.src)}:${transport.sport}`;
      return undefined;
    }
    return closedHost(packet, delivery);
  };
  const dst = parseIpAddress(to);
  const src = from.routeTo(dst)?.source;
  if (src === undefined) return 'no route';
  const packet: Packet = {
    src,
    dst,
    ttl: 64,
    tos: 0,
    id: 1,
    dontFragment: true,
    transport: {
      kind: 'tcp',
      sport: 40_000,
      dport: port,
      seq: 1,
      ack: 0,
      flags: 2,
      window: 1000,
      options: NO_BYTES,
      data: NO_BYTES,
    },
  };
  from.send(packet);
  machine.scheduler.runUntil(machine.scheduler.now() + 2);
  from.answerer = undefined;
  return answer;
}

describe('portmap', () => {
  const bridge = {
    type: 'bridge',
    bridge: 'cni0',
    isGateway: true,
    hairpinMode: true,
    ipMasq: true,
    ipam: hostLocal('10.88.0.0/16', { routes: [{ dst: '0.0.0.0/0' }] }),
  };
  const mapping: PortMapping = { hostPort: 8080, containerPort: 80, protocol: 'tcp' };

  function machineWithWeb(more: object = {}, portMappings: readonly PortMapping[] = [mapping]): Machine {
    const machine = new Machine();
    const runtime = runtimeOn(machine, [bridge, { ...PORTMAP, ...more }]);
    runtime.add(machine.attachment('web', { portMappings }));
    runtime.add(machine.attachment('other'));
    machine.loadRules();
    return machine;
  }

  function neighbour(machine: Machine): Namespace {
    const namespace = new Namespace({ name: 'neighbour', scheduler: machine.scheduler, seed: 2 });
    const device = machine.segment.plug(namespace, { name: 'eth0', up: true });
    namespace.addAddress(device, parseInterfaceAddress('172.18.0.9/16'));
    return namespace;
  }

  it('leads the port of the host to the container', () => {
    const machine = machineWithWeb();
    expect(exchange(machine, neighbour(machine), '172.18.0.2', 8080)).toBe('reset from 172.18.0.2:8080');
    expect(exchange(machine, machine.sandbox('other').namespace, '172.18.0.2', 8080)).toBe(
      'reset from 172.18.0.2:8080',
    );
  });

  it('leads the container back to itself, masqueraded', () => {
    const machine = machineWithWeb();
    expect(exchange(machine, machine.sandbox('web').namespace, '172.18.0.2', 8080)).toBe(
      'reset from 172.18.0.2:8080',
    );
  });

  it('is a port of the host that nobody serves without it', () => {
    const machine = machineWithWeb();
    const seen: string[] = [];
    machine
      .sandbox('web')
      .namespace.interface('eth0')
      ?.addTap(({ direction }) => seen.push(direction));
    expect(exchange(machine, neighbour(machine), '172.18.0.2', 8081)).toBe('reset from 172.18.0.2:8081');
    expect(seen).toEqual([]);
  });

  it('only on the address that is asked for', () => {
    const machine = machineWithWeb({}, [{ ...mapping, hostIP: parseIpAddress('172.18.0.77') }]);
    const seen: string[] = [];
    machine
      .sandbox('web')
      .namespace.interface('eth0')
      ?.addTap(({ direction }) => seen.push(direction));
    exchange(machine, neighbour(machine), '172.18.0.2', 8080);
    expect(seen).toEqual([]);
  });

  it.each<[string, object, readonly PortMapping[], RegExp | string]>([
    ['snat: false writes no marks', { snat: false }, [mapping], /^(?!.*SETMARK)/s],
    [
      'masqAll marks whatever comes',
      { masqAll: true },
      [mapping],
      'CNI-DN-e5a0c1: -p tcp -m tcp --dport 8080 -j CNI-HOSTPORT-SETMARK',
    ],
    ['another mark', { markMasqBit: 15 }, [mapping], '--set-xmark 0x8000/0x8000'],
    ['the highest mark', { markMasqBit: 31 }, [mapping], '--set-xmark 0x80000000/0x80000000'],
    ['a chain of somebody else', { externalSetMarkChain: 'KUBE-MARK-MASQ' }, [mapping], '-j KUBE-MARK-MASQ'],
    [
      'conditions',
      { conditionsV4: ['!', '-d', '192.0.2.0/24'] },
      [mapping],
      '--dports 8080 ! -d 192.0.2.0/24 -j CNI-DN-',
    ],
    [
      'an unspecified hostIP is any',
      {},
      [{ ...mapping, hostIP: 0 }],
      /--dport 8080 -j DNAT --to-destination 10\.88\.0\.2:80\n/,
    ],
    [
      'a hostIP of the other family is left out',
      {},
      [{ ...mapping, hostIP: parseIpAddress('fd00::1') }],
      /^(?!.*-j DNAT --to)/s,
    ],
    [
      'sixteen ports take two rules',
      {},
      Array.from({ length: 16 }, (_, index) => ({ ...mapping, hostPort: 8000 + index })),
      /--dports 8000,[\d,]*8014 -j .*\n.*--dports 8015 -j/,
    ],
  ])('%s', (_, more, portMappings, expected) => {
    const machine = new Machine();
    runtimeOn(machine, [bridge, { ...PORTMAP, ...more }]).add(machine.attachment('web', { portMappings }));
    const text = machine.host.rules.text('ipv4').replaceAll(/-A CNI-DN-\w+ /g, 'CNI-DN-e5a0c1: ');
    if (typeof expected === 'string') expect(text).toContain(expected);
    else expect(text).toMatch(expected);
  });

  it('forgets UDP connections that began before it', () => {
    const machine = new Machine();
    const outside = neighbour(machine);
    const send = () =>
      outside.send({
        src: parseIpAddress('172.18.0.9'),
        dst: parseIpAddress('172.18.0.2'),
        ttl: 64,
        tos: 0,
        id: 1,
        dontFragment: false,
        transport: { kind: 'udp', sport: 5000, dport: 5353, data: NO_BYTES },
      });
    const arrived = () => {
      let count = 0;
      const remove = machine
        .sandbox('web')
        .namespace.interface('eth0')
        ?.addTap(({ direction, frame }) => {
          if (direction === 'in' && frame?.payload.kind === 'ip') count++;
        });
      send();
      machine.scheduler.runUntil(machine.scheduler.now() + 1);
      remove?.();
      return count;
    };
    const runtime = runtimeOn(machine, [bridge, PORTMAP]);
    // Connections are tracked as soon as somebody has a rule about them.
    runtime.add(machine.attachment('other', { portMappings: [mapping] }));
    machine.loadRules();
    send();
    machine.scheduler.runUntil(machine.scheduler.now() + 1);
    const udp: PortMapping = { hostPort: 5353, containerPort: 53, protocol: 'udp' };
    runtime.add(machine.attachment('web', { portMappings: [udp] }));
    machine.loadRules();
    expect(arrived()).toBe(1);
  });

  it('maps IPv6 too', () => {
    const machine = new Machine();
    const ipam = { type: 'host-local', ranges: [[{ subnet: 'fd00:1::/64' }]] };
    runtimeOn(machine, [{ ...bridge, ipam }, PORTMAP]).add(
      machine.attachment('web', { portMappings: [mapping] }),
    );
    expect(machine.natLines('ipv6').join('\n')).toContain('-j DNAT --to-destination [fd00:1::2]:80');
    expect(machine.host.rules.text('ipv4')).toBe('');
  });

  it('is given nothing that it does not ask for', () => {
    const machine = new Machine();
    const runtime = runtimeOn(machine, [bridge, { type: 'portmap' }]);
    runtime.add(machine.attachment('web', { portMappings: [mapping] }));
    expect(machine.host.rules.text('ipv4')).not.toContain('HOSTPORT');
  });

  it('needs a plugin before it', () => {
    const machine = new Machine();
    expect(failure(() => runtimeOn(machine, [PORTMAP]).add(machine.attachment('web')))).toContain(
      'prevResult is missing',
    );
  });
});

describe('loopback', () => {
  it('switches lo on, and off again', () => {
    const machine = new Machine();
    const runtime = runtimeOn(machine, [{ type: 'loopback' }]);
    const { namespace } = machine.sandbox('one');
    const lo = namespace.interface('lo');
    if (lo !== undefined) namespace.setUp(lo, false);
    const result = runtime.add(machine.attachment('one'));
    expect(resultJson(result, '1.0.0')).toMatchObject({
      interfaces: [{ name: 'lo', mac: '00:00:00:00:00:00' }],
    });
    expect(lo?.up).toBe(true);
    runtime.check(machine.attachment('one'));
    if (lo !== undefined) namespace.setUp(lo, false);
    expect(failure(() => runtime.check(machine.attachment('one')))).toBe(
      'check-failed: loopback: lo is down',
    );
    runtime.del(machine.attachment('one'));
    expect(lo?.up).toBe(false);
  });
});

describe('DEL, CHECK, GC, STATUS', () => {
  const bridge = {
    type: 'bridge',
    bridge: 'cni0',
    isGateway: true,
    ipMasq: true,
    ipam: hostLocal('10.88.0.0/29', { routes: [{ dst: '0.0.0.0/0' }] }),
  };
  const ptp = {
    type: 'ptp',
    ipMasq: true,
    ipam: hostLocal('10.88.0.0/29', { routes: [{ dst: '0.0.0.0/0' }] }),
  };
  const portMappings: readonly PortMapping[] = [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }];

  describe.each([
    ['bridge', bridge],
    ['ptp', ptp],
  ] as const)('%s', (_, plugin) => {
    const started = () => {
      const machine = new Machine();
      const runtime = runtimeOn(machine, [plugin, PORTMAP]);
      const attachment = machine.attachment('one', { portMappings });
      const result = runtime.add(attachment);
      return {
        machine,
        runtime,
        attachment,
        result,
        store: machine.host.store('/var/lib/cni/networks', 'podnet'),
      };
    };

    it('DEL leaves nothing of the container, once and again', () => {
      const { machine, runtime, attachment, store } = started();
      const before = machine.namespace.interfaces().length;
      runtime.del(attachment);
      expect(machine.namespace.interfaces()).toHaveLength(before - 1);
      expect(attachment.sandbox.namespace.interface('eth0')).toBeUndefined();
      expect(store.addressesOf(attachment)).toEqual([]);
      expect(machine.host.rules.text('ipv4')).not.toMatch(/CNI-(?!HOSTPORT)/);
      runtime.del(attachment);
      expect(failure(() => runtime.check(attachment))).toContain(
        'unknown-container: one eth0 is not attached',
      );
    });

    it('CHECK agrees with what ADD left', () => {
      const { runtime, attachment } = started();
      expect(failure(() => runtime.check(attachment))).toBe('worked');
    });

    it.each<[string, (all: ReturnType<typeof started>) => void, string]>([
      [
        'an address is gone',
        ({
          attachment: {
            sandbox: { namespace },
          },
        }) => {
          const device = namespace.interface('eth0');
          if (device !== undefined) namespace.removeAddress(device, parseIpAddress('10.88.0.2'));
        },
        '10.88.0.2/29 is not on eth0',
      ],
      [
        'a route is gone',
        ({
          attachment: {
            sandbox: { namespace },
          },
        }) => {
          namespace.removeRoutes(({ prefix }) => prefix.length === 0);
        },
        'there is no route to 0.0.0.0/0',
      ],
      [
        'the device is gone',
        ({
          attachment: {
            sandbox: { namespace },
          },
        }) => {
          const device = namespace.interface('eth0');
          if (device !== undefined) namespace.removeInterface(device);
        },
        'interface eth0 is not there',
      ],
      [
        'it has another MAC',
        ({
          attachment: {
            sandbox: { namespace },
          },
        }) => {
          const device = namespace.interface('eth0');
          if (device !== undefined) device.mac = parseMac('02:00:00:00:00:01');
        },
        'interface eth0 has MAC 02:00:00:00:00:01',
      ],
      [
        'the address was given back',
        ({ store }) => store.release(() => true),
        'host-local: one eth0 has no address',
      ],
      [
        'a rule is gone',
        ({ machine }) => {
          machine.host.rules.deleteRules('ipv4', 'CNI-HOSTPORT-DNAT', () => true);
        },
        'portmap: the rule -A CNI-HOSTPORT-DNAT',
      ],
    ])('CHECK tells when %s', (_name, damage, message) => {
      const all = started();
      damage(all);
      expect(failure(() => all.runtime.check(all.attachment))).toContain(message);
    });

    it('GC frees what is not valid', () => {
      const { machine, runtime, attachment, store } = started();
      const kept = machine.attachment('two', {
        portMappings: [{ hostPort: 8081, containerPort: 80, protocol: 'tcp' }],
      });
      runtime.add(kept);
      // Something that a crash left behind.
      const stale: IpamOwner = { containerId: 'crashed', ifName: 'eth0' };
      store.reserve(parseIpAddress('10.88.0.6'), stale, 0);
      runtime.gc([kept]);
      expect(store.addressesOf(stale)).toEqual([]);
      expect(store.addressesOf(attachment)).toEqual([]);
      expect(store.addressesOf(kept)).toEqual([parseIpAddress('10.88.0.3')]);
      expect(failure(() => runtime.check(kept))).toBe('worked');
      expect(machine.host.rules.text('ipv4')).not.toContain('id: \\"one\\"');
    });

    it('GC removes chains that nobody remembers', () => {
      const { machine, attachment } = started();
      // Another run of the runtime, which knows no attachment.
      const other = runtimeOn(machine, [plugin, PORTMAP]);
      other.gc([{ containerId: 'nobody', ifName: 'eth0' }]);
      expect(machine.host.rules.text('ipv4')).not.toMatch(/CNI-(?!HOSTPORT)/);
      expect(attachment.sandbox.namespace.interface('eth0')).toBeDefined();
    });

    it('STATUS says when no address is left', () => {
      const { machine, runtime } = started();
      expect(failure(() => runtime.status())).toBe('worked');
      for (const id of ['two', 'three', 'four', 'five']) runtime.add(machine.attachment(id));
      expect(failure(() => runtime.status())).toBe(
        'not-available: host-local: no address is free in 10.88.0.1-10.88.0.6',
      );
      expect(failure(() => runtime.add(machine.attachment('six')))).toContain(
        'no address is free in range set',
      );
      // The attempt took nothing and left nothing.
      expect(machine.sandbox('six').namespace.interface('eth0')).toBeUndefined();
      runtime.del(machine.attachment('three'));
      expect(failure(() => runtime.status())).toBe('worked');
    });
  });

  it('errors have the codes of the specification', () => {
    const machine = new Machine();
    const runtime = runtimeOn(machine, [bridge]);
    const bad = { ...machine.attachment('one'), containerId: '-x' };
    expect(failure(() => runtime.add(bad))).toBe('invalid-parameter: "-x" is no container ID');
    expect(new CniError('not-available', 'full', 'host-local').toJson('1.1.0')).toEqual({
      cniVersion: '1.1.0',
      code: 50,
      msg: 'host-local: full',
    });
  });
});
