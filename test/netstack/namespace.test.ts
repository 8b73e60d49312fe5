/** Live namespaces: what going down costs, what ICMP may say how often, what is learned about paths. */
import { describe, expect, it } from 'vitest';
import { IcmpLimiter, type LimitedMessage } from '../../src/netstack/icmp-limit.ts';
import type { Interface } from '../../src/netstack/link/interface.ts';
import { createVethPair } from '../../src/netstack/link/veth.ts';
import { Namespace } from '../../src/netstack/namespace.ts';
import type { Route } from '../../src/netstack/route-table.ts';
import { SysctlTable } from '../../src/netstack/sysctls/sysctl-table.ts';
import { Random } from '../../src/sim/random.ts';
import { Scheduler } from '../../src/sim/scheduler.ts';
import { ipLength } from '../../src/wire/headers.ts';
import { formatIpAddress, parseIpAddress } from '../../src/wire/ip-address.ts';
import { formatIpPrefix, parseInterfaceAddress, parseIpPrefix } from '../../src/wire/ip-prefix.ts';
import type { Packet } from '../../src/wire/packet.ts';

function udp(src: string, dst: string, { size = 8, df = false, ttl = 64 } = {}): Packet {
  const transport = { kind: 'udp', sport: 1000, dport: 2000, data: new Uint8Array(size) } as const;
  return {
    src: parseIpAddress(src),
    dst: parseIpAddress(dst),
    ttl,
    tos: 0,
    id: 1,
    dontFragment: df,
    transport,
  };
}

function via(to: string, gateway: string, device: string): Route {
  return { type: 'unicast', prefix: parseIpPrefix(to), gateway: parseIpAddress(gateway), device, metric: 0 };
}

function setAddresses(device: Interface, ...addresses: readonly string[]): void {
  for (const address of addresses) device.namespace.addAddress(device, parseInterfaceAddress(address));
}

/** a (10.0.0.1) - r (10.0.0.2, 10.0.1.2) - b (10.0.1.1), IPv6 alike; the second wire is narrow. */
function routed(sysctls: Readonly<Record<string, string | number>> = {}) {
  const scheduler = new Scheduler();
  const [a, b] = ['a', 'b'].map((name) => new Namespace({ name, scheduler, sysctls })) as [
    Namespace,
    Namespace,
  ];
  const forwards = { 'net.ipv4.ip_forward': 1, 'net.ipv6.conf.all.forwarding': 1 };
  const r = new Namespace({ name: 'r', scheduler, sysctls: forwards });
  const left = createVethPair(
    { namespace: a, name: 'eth0', up: true },
    { namespace: r, name: 'r0', up: true },
  );
  const right = createVethPair(
    { namespace: b, name: 'eth0', up: true, mtu: 1400 },
    { namespace: r, name: 'r1', up: true, mtu: 1400 },
  );
  setAddresses(left.near, '10.0.0.1/24', 'fd00::1/64');
  setAddresses(left.far(), '10.0.0.2/24', 'fd00::2/64');
  setAddresses(right.near, '10.0.1.1/24', 'fd01::1/64');
  setAddresses(right.far(), '10.0.1.2/24', 'fd01::2/64');
  a.addRoute(via('0.0.0.0/0', '10.0.0.2', 'eth0'));
  a.addRoute(via('::/0', 'fd00::2', 'eth0'));
  b.addRoute(via('0.0.0.0/0', '10.0.1.2', 'eth0'));
  b.addRoute(via('::/0', 'fd01::2', 'eth0'));
  const errors: string[] = [];
  a.answerer = (packet) => {
    const { transport } = packet;
    if (transport.kind === 'icmp' && transport.quoted) errors.push(`${transport.type}/${transport.code}`);
    return undefined;
  };
  return { scheduler, a, b, r, errors };
}

describe('path MTU discovery', () => {
  /** A tunnel of a sends to port 2000: errors about its packets count. */
  function withTunnel(sysctls?: Readonly<Record<string, string | number>>) {
    const network = routed(sysctls);
    network.a.receiveUdp(2000, () => false);
    return network;
  }
  const send = ({ a, scheduler }: ReturnType<typeof routed>, packet: Packet) => {
    const { fate } = a.send(packet, { whole: false });
    scheduler.runUntilIdle();
    return fate.kind;
  };

  it.each([
    ['IPv4', '10.0.0.1', '10.0.1.1'],
    ['IPv6', 'fd00::1', 'fd01::1'],
  ])('%s: a router says what fits, for ten minutes', (_, src, dst) => {
    const network = withTunnel();
    const to = parseIpAddress(dst);
    expect(network.a.pathMtu(to)).toBe(1500);
    send(network, udp(src, dst, { size: 1440, df: dst.includes('.') }));
    expect(network.a.pathMtu(to)).toBe(1400);
    network.scheduler.runUntil(599);
    expect(network.a.pathMtu(to)).toBe(1400);
    network.scheduler.runUntil(601);
    expect(network.a.pathMtu(to)).toBe(1500);
  });

  it('then packets are cut to it before they leave', () => {
    const network = withTunnel();
    send(network, udp('10.0.0.1', '10.0.1.1', { size: 1440, df: true }));
    const lengths: number[] = [];
    network.a.interface('eth0')?.addTap(({ direction, frame }) => {
      if (direction === 'out' && frame?.payload.kind === 'ip') lengths.push(ipLength(frame.payload.packet));
    });
    send(network, udp('10.0.0.1', '10.0.1.1', { size: 1440 }));
    // 1400 less a header is 1380, and pieces are multiples of eight.
    expect(lengths).toEqual([1396, 92]);
  });

  it.each([
    ['believed down to min_pmtu', {}, 500, 552],
    ['believed as far as min_pmtu allows', { 'net.ipv4.route.min_pmtu': 400 }, 500, 500],
    ['taken for the least', { 'net.ipv4.ip_no_pmtu_disc': 1 }, 1400, 552],
    ['ignored', { 'net.ipv4.ip_no_pmtu_disc': 2 }, 1400, 1500],
    ['no reason to send longer ones', {}, 1600, 1500],
  ])('what a router says is %s', (_, sysctls, said, mtu) => {
    const network = withTunnel(sysctls);
    const quoted = udp('10.0.0.1', '10.0.1.1', { size: 1440, df: true });
    const transport = {
      kind: 'icmp',
      type: 3,
      code: 4,
      id: 0,
      sequence: said,
      data: new Uint8Array(0),
      quoted,
    } as const;
    network.r.send({ ...udp('10.0.0.2', '10.0.0.1'), transport });
    network.scheduler.runUntilIdle();
    expect(network.a.pathMtu(parseIpAddress('10.0.1.1'))).toBe(mtu);
  });

  it('what nobody here has sent is not believed', () => {
    const network = routed();
    network.a.send(udp('10.0.0.1', '10.0.1.1', { size: 1440, df: true }));
    network.scheduler.runUntilIdle();
    expect([network.errors, network.a.pathMtu(parseIpAddress('10.0.1.1'))]).toEqual([['3/4'], 1500]);
  });
});

describe('limits on ICMP', () => {
  const message = (part: Partial<LimitedMessage> = {}): LimitedMessage => ({
    family: 'ipv4',
    type: 11,
    code: 0,
    target: 1,
    toSelf: false,
    ...part,
  });
  /** How many of `count` are said, `gap` seconds apart. */
  const said = (part: Partial<LimitedMessage>, count: number, gap = 0, sysctls = {}) => {
    const limiter = new IcmpLimiter(new SysctlTable(sysctls), new Random(1));
    return Array.from({ length: count }, (_, index) => limiter.allows(message(part), index * gap)).filter(
      Boolean,
    ).length;
  };

  it.each<[string, Partial<LimitedMessage>, number, number, Readonly<Record<string, number>>, number]>([
    ['six at once to one target', {}, 20, 0, {}, 6],
    ['then one a second', {}, 21, 0.5, {}, 16],
    ['ten a second in IPv6', { family: 'ipv6', type: 3 }, 21, 0.05, {}, 16],
    ['no limit on echo replies', { type: 0 }, 20, 0, {}, 20],
    ['no limit on "fragmentation needed"', { type: 3, code: 4 }, 20, 0, {}, 20],
    ['no limit on "packet too big"', { family: 'ipv6', type: 2 }, 20, 0, {}, 20],
    ['no limit with a mask of 0', {}, 20, 0, { 'net.ipv4.icmp_ratemask': 0 }, 20],
    ['no limit a target with a ratelimit of 0', {}, 20, 0, { 'net.ipv4.icmp_ratelimit': 0 }, 20],
    ['no limit a target towards oneself', { toSelf: true }, 20, 0, {}, 20],
    ['more with a smaller ratelimit', {}, 21, 0.1, { 'net.ipv4.icmp_ratelimit': 100 }, 21],
  ])('%s', (_, part, count, gap, sysctls, expected) => {
    expect(said(part, count, gap, sysctls)).toBe(expected);
  });

  it('all targets together have fifty at once, in the middle', () => {
    const limiter = new IcmpLimiter(new SysctlTable(), new Random(2));
    const allowed = Array.from({ length: 300 }, (_, index) => limiter.allows(message({ target: index }), 0));
    const count = allowed.filter(Boolean).length;
    // Each takes 0, 1 or 2 of the fifty tokens.
    expect(count).toBeGreaterThan(30);
    expect(count).toBeLessThan(80);
    expect(limiter.allows(message({ target: 999 }), 0.01)).toBe(false);
    expect(limiter.allows(message({ target: 999 }), 0.03)).toBe(true);
  });

  it('a router answers what has no route twice at once, and five times when errors are not limited', () => {
    const burst = (sysctls: Readonly<Record<string, number>>) => {
      const { a, r, scheduler, errors } = routed();
      for (const [name, value] of Object.entries(sysctls)) r.setSysctl(name, value);
      for (let count = 0; count < 12; count++) a.send(udp('10.0.0.1', '10.98.0.1'));
      scheduler.runUntilIdle();
      return errors;
    };
    expect(burst({})).toEqual(['3/0', '3/0']);
    expect(burst({ 'net.ipv4.icmp_ratelimit': 0 })).toEqual(Array(5).fill('3/0'));
    expect(burst({ 'net.ipv4.icmp_ratemask': 0 })).toEqual(Array(5).fill('3/0'));
  });
});

describe('a device', () => {
  function rig() {
    const scheduler = new Scheduler();
    const a = new Namespace({ name: 'a', scheduler });
    const b = new Namespace({ name: 'b', scheduler });
    const { near, far } = createVethPair(
      { namespace: a, name: 'eth0', mac: 0x0200deadbeef, up: true },
      { namespace: b, name: 'eth0', up: true },
    );
    setAddresses(near, '10.0.0.1/24', 'fd00::1/64');
    a.addRoute(via('10.9.0.0/16', '10.0.0.9', 'eth0'));
    const routes = () =>
      a.book.routes
        .routes()
        .filter(({ device }) => device === 'eth0')
        .map(({ type, prefix }) => `${type} ${formatIpPrefix(prefix)}`);
    const addresses = () => a.addresses(near).map(({ address }) => formatIpAddress(address));
    return { scheduler, a, near, far: far(), routes, addresses };
  }

  it('that is up has a link-local address of its own making', () => {
    expect(rig().addresses()).toEqual(
      ['10.0.0.1', 'fd00::1', 'fe80::dead:beff:fe00:0'].with(2, 'fe80::deff:fead:beef'),
    );
  });

  it('that goes down loses its routes and IPv6 addresses, and gets back what follows from the IPv4 ones', () => {
    const { a, near, routes, addresses } = rig();
    a.setUp(near, false);
    expect([addresses(), routes()]).toEqual([['10.0.0.1'], ['local 10.0.0.1/32']]);
    a.setUp(near, true);
    expect(addresses().length).toBe(2);
    expect(routes()).toContain('unicast 10.0.0.0/24');
    expect(routes()).not.toContain('unicast 10.9.0.0/16');
  });

  it('whose peer goes down keeps its routes, but has no link', () => {
    const { near, far, routes } = rig();
    far.up = false;
    expect([near.carrier, routes().includes('unicast 10.9.0.0/16')]).toEqual([false, true]);
  });

  it('that is removed takes its peer along', () => {
    const { a, near, far } = rig();
    a.removeInterface(near);
    expect([a.interface('eth0'), far.namespace.interface('eth0'), a.book.routes.lookup(0x0a000001)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(() => a.addInterface({ name: 'lo', kind: 'dummy', driver: { transmit() {} } })).toThrow(
      'has a device lo already',
    );
  });

  it('with disable_ipv6 has no address of IPv6 and takes no packets of it', () => {
    const { a, near, far, scheduler, addresses } = rig();
    a.setSysctl('net.ipv6.conf.eth0.disable_ipv6', 1);
    expect(addresses().some((address) => address.startsWith('fe80'))).toBe(false);
    const reasons: string[] = [];
    a.trace = (event) => {
      if (event.kind === 'frame-dropped') reasons.push(event.reason);
    };
    far.transmit({
      source: 2,
      destination: near.mac,
      payload: { kind: 'ip', packet: udp('fd00::9', 'fd00::1') },
    });
    scheduler.runUntilIdle();
    expect(reasons).toEqual(['ipv6-disabled']);
  });

  it('counts what passes and what does not', () => {
    const { near, far, scheduler } = rig();
    const frame = {
      source: 2,
      destination: near.mac,
      payload: { kind: 'other', etherType: 0x88b5, data: new Uint8Array(46) },
    } as const;
    far.transmit(frame);
    scheduler.runUntilIdle();
    far.transmit(frame);
    near.up = false;
    scheduler.runUntilIdle();
    expect(far.counters).toMatchObject({ txPackets: 2, txBytes: 120 });
    expect(near.counters).toMatchObject({ rxPackets: 1, rxBytes: 60, rxDropped: 2 });
  });
});

it('a namespace sends through its own rules and lo in the background: no answer before send returns', () => {
  const scheduler = new Scheduler();
  const namespace = new Namespace({ name: 'a', scheduler });
  const seen: string[] = [];
  namespace.answerer = (packet) => {
    seen.push(packet.transport.kind);
    return undefined;
  };
  namespace.send(udp('127.0.0.1', '127.0.0.1'));
  expect(seen).toEqual([]);
  scheduler.runUntilIdle();
  expect(seen).toEqual(['udp']);
});
