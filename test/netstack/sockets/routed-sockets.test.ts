/** Sockets across a router: what it says about packets that are too long, or forbidden, reaches the program. */
import { describe, expect, it } from 'vitest';
import { createVethPair } from '../../../src/netstack/link/veth.ts';
import { Namespace } from '../../../src/netstack/namespace.ts';
import { toRuleSet } from '../../../src/ruletext/load-rules.ts';
import { parseRules } from '../../../src/ruletext/parse-rules.ts';
import { Scheduler } from '../../../src/sim/scheduler.ts';
import { type IpAddress, parseIpAddress } from '../../../src/wire/ip-address.ts';
import { bytesOf, joined } from './pair.ts';

const V4 = { a: '10.1.0.1', left: '10.1.0.254', right: '10.2.0.254', b: '10.2.0.2' } as const;
const V6 = { a: 'fd01::1', left: 'fd01::254', right: 'fd02::254', b: 'fd02::2' } as const;
const LINK_MTU = 1400;

/** a — r — b, where the link between r and b takes packets of 1400 bytes. */
function routed(rulesOfRouter?: string) {
  const scheduler = new Scheduler();
  const make = (name: string) => new Namespace({ name, scheduler, seed: 1 });
  const [a, r, b] = [make('a'), make('r'), make('b')];
  r.setSysctl('net.ipv4.ip_forward', 1);
  r.setSysctl('net.ipv6.conf.all.forwarding', 1);
  if (rulesOfRouter !== undefined)
    r.setRules(() => [toRuleSet(parseRules(rulesOfRouter, { family: 'ipv4' }))]);
  const impairments = { latency: 0.001 };
  const left = createVethPair(
    { namespace: a, name: 'eth0', up: true, impairments },
    { namespace: r, name: 'left', up: true, impairments },
  );
  const right = createVethPair(
    { namespace: b, name: 'eth0', up: true, impairments, mtu: LINK_MTU },
    { namespace: r, name: 'right', up: true, impairments, mtu: LINK_MTU },
  );
  for (const names of [V4, V6]) {
    const length = names === V4 ? 24 : 64;
    const at = (text: string) => ({ address: parseIpAddress(text), length });
    a.addAddress(left.near, at(names.a));
    r.addAddress(left.far(), at(names.left));
    r.addAddress(right.far(), at(names.right));
    b.addAddress(right.near, at(names.b));
    const everything = { address: parseIpAddress(names === V4 ? '0.0.0.0' : '::'), length: 0 };
    a.addRoute({
      type: 'unicast',
      prefix: everything,
      device: 'eth0',
      gateway: parseIpAddress(names.left),
      metric: 0,
    });
    b.addRoute({
      type: 'unicast',
      prefix: everything,
      device: 'eth0',
      gateway: parseIpAddress(names.right),
      metric: 0,
    });
  }
  return { a, r, b, scheduler };
}

function upload({ a, b, scheduler }: ReturnType<typeof routed>, dst: IpAddress, body: Uint8Array) {
  const got: Uint8Array[] = [];
  const endings: string[] = [];
  b.sockets.listen({
    port: 80,
    onConnection: (connection) => {
      connection.callbacks = { onData: (data) => got.push(data), onEnd: () => connection.close() };
    },
  });
  a.sockets.connect({
    dst,
    port: 80,
    onConnect: (connection) => {
      // The other end knows its own link; without that, this end would never send what is too long.
      connection.block.peerMss = 9000;
      connection.send(body);
      connection.close();
    },
    onClose: (error) => endings.push(error ?? 'ok'),
  });
  scheduler.runUntilIdle({ until: 3000 });
  return { endings, arrived: Buffer.compare(joined(got), body) === 0, seconds: scheduler.now() };
}

describe('a smaller link behind a router', () => {
  it.each([
    ['IPv4', V4],
    ['IPv6', V6],
  ])('is learned from its ICMP errors (%s)', (_, names) => {
    const world = routed();
    const result = upload(world, parseIpAddress(names.b), bytesOf(100_000, 1));
    expect(result).toMatchObject({ endings: ['ok'], arrived: true });
    expect(result.seconds).toBeLessThan(1);
    expect(world.a.pathMtu(parseIpAddress(names.b))).toBe(LINK_MTU);
  });

  it('is a black hole when the errors are dropped', () => {
    const world = routed(
      '*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p icmp --icmp-type 3/4 -j DROP\nCOMMIT\n',
    );
    const result = upload(world, parseIpAddress(V4.b), bytesOf(100_000, 1));
    expect(result).toMatchObject({ endings: ['ETIMEDOUT'], arrived: false });
  });
});

describe('a router that refuses', () => {
  it.each([
    ['icmp-port-unreachable', 'ECONNREFUSED'],
    ['icmp-admin-prohibited', 'EHOSTUNREACH'],
    ['tcp-reset', 'ECONNREFUSED'],
  ])('with %s is %s to the program', (rejectWith, error) => {
    const world = routed(
      `*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -p tcp -j REJECT --reject-with ${rejectWith}\nCOMMIT\n`,
    );
    expect(upload(world, parseIpAddress(V4.b), bytesOf(10, 1))).toMatchObject({ endings: [error] });
  });

  it('is not heard of when it drops: the SYN times out after two minutes', () => {
    const world = routed('*filter\n:FORWARD DROP [0:0]\nCOMMIT\n');
    expect(upload(world, parseIpAddress(V4.b), bytesOf(10, 1))).toMatchObject({
      endings: ['ETIMEDOUT'],
      seconds: 127,
    });
  });
});
