/** ARP and neighbour discovery between two hosts: states, timers, questions and answers. */
import { describe, expect, it } from 'vitest';
import type { Interface } from '../../src/netstack/link/interface.ts';
import { createVethPair } from '../../src/netstack/link/veth.ts';
import { Namespace } from '../../src/netstack/namespace.ts';
import type { NamespaceEvent } from '../../src/netstack/namespace-events.ts';
import { Scheduler } from '../../src/sim/scheduler.ts';
import { ARP_OPERATION } from '../../src/wire/arp.ts';
import { formatIpAddress, parseIpAddress } from '../../src/wire/ip-address.ts';
import { parseInterfaceAddress } from '../../src/wire/ip-prefix.ts';
import { BROADCAST_MAC, isMulticastMac } from '../../src/wire/mac.ts';
import { parseNdp } from '../../src/wire/ndp.ts';
import { NO_BYTES, type Packet } from '../../src/wire/packet.ts';

type Sysctls = Readonly<Record<string, string | number>>;

const MAC = { a: 0x02000000000a, b: 0x02000000000b } as const;

/** What a host saw go out or come in, in words: `1.5 ask all 10.0.0.2`, `answer a 10.0.0.2`, `ip`. */
class Pair {
  readonly scheduler = new Scheduler();
  readonly a: Namespace;
  readonly b: Namespace;
  readonly near: Interface;
  readonly far: Interface;
  /** Frames as they leave either host. */
  readonly frames: string[] = [];
  readonly delivered: Packet[] = [];
  readonly dropped: string[] = [];

  constructor(sysctls: { readonly a?: Sysctls; readonly b?: Sysctls } = {}) {
    const { scheduler } = this;
    this.a = new Namespace({ name: 'a', scheduler, ...(sysctls.a && { sysctls: sysctls.a }) });
    this.b = new Namespace({ name: 'b', scheduler, ...(sysctls.b && { sysctls: sysctls.b }) });
    const pair = createVethPair(
      { namespace: this.a, name: 'eth0', mac: MAC.a, up: true },
      { namespace: this.b, name: 'eth0', mac: MAC.b, up: true },
    );
    this.near = pair.near;
    this.far = pair.far();
    for (const address of ['10.0.0.1/24', 'fd00::1/64'])
      this.a.addAddress(this.near, parseInterfaceAddress(address));
    for (const address of ['10.0.0.2/24', 'fd00::2/64'])
      this.b.addAddress(this.far, parseInterfaceAddress(address));
    this.a.trace = (event) => this.#note('a', event);
    this.b.trace = (event) => this.#note('b', event);
    const { answerer } = this.a;
    this.a.answerer = (packet, delivery) => {
      this.delivered.push(packet);
      return answerer(packet, delivery);
    };
  }

  #note(host: string, event: NamespaceEvent): void {
    if (event.kind === 'packet-dropped') this.dropped.push(event.reason);
    if (event.kind !== 'frame-sent') return;
    const { payload, destination } = event.frame;
    const to = destination === BROADCAST_MAC ? 'all' : isMulticastMac(destination) ? 'group' : 'one';
    const time = Math.round(this.scheduler.now() * 100) / 100;
    const say = (what: string) => this.frames.push(`${time} ${host} ${what}`);
    if (payload.kind === 'arp') {
      const { operation, targetIp, senderIp } = payload.message;
      if (operation === ARP_OPERATION.request) say(`asks ${to} for ${formatIpAddress(targetIp)}`);
      else say(`answers ${formatIpAddress(senderIp)}`);
    } else if (payload.kind === 'ip') {
      const message = parseNdp(payload.packet);
      if (message?.kind === 'solicitation') say(`asks ${to} for ${formatIpAddress(message.target)}`);
      else if (message?.kind === 'advertisement') say(`answers ${formatIpAddress(message.target)}`);
      else say('ip');
    }
  }

  ping(dst: string, src = dst.includes(':') ? 'fd00::1' : '10.0.0.1'): void {
    const type = dst.includes(':') ? 128 : 8;
    const transport = { kind: 'icmp', type, code: 0, id: 1, sequence: 1, data: NO_BYTES } as const;
    const base = { ttl: 64, tos: 0, id: 7, dontFragment: false, transport };
    this.a.send({ ...base, src: parseIpAddress(src), dst: parseIpAddress(dst) });
  }

  state(namespace: Namespace, address: string): string | undefined {
    const wanted = parseIpAddress(address);
    return namespace.neighbours
      .list()
      .find((entry) => formatIpAddress(entry.address) === formatIpAddress(wanted))?.state;
  }
}

describe.each([
  ['ARP', '10.0.0.1', '10.0.0.2', '10.0.0.9', 'all'],
  ['neighbour discovery', 'fd00::1', 'fd00::2', 'fd00::9', 'group'],
])('%s', (name, a, b, nobody, everybody) => {
  const family = name === 'ARP' ? 'ipv4' : 'ipv6';

  it('asks, sends, and asks no more', () => {
    const pair = new Pair();
    pair.ping(b);
    pair.scheduler.runUntilIdle();
    expect(pair.frames).toEqual([`0 a asks ${everybody} for ${b}`, `0 b answers ${b}`, '0 a ip', '0 b ip']);
    expect([pair.state(pair.a, b), pair.state(pair.b, a)]).toEqual(['REACHABLE', 'DELAY']);
    pair.ping(b);
    pair.scheduler.runUntilIdle();
    expect(pair.frames.slice(4)).toEqual(['0 a ip', '0 b ip']);
  });

  it('the answerer, who was not asked, makes sure after five seconds', () => {
    const pair = new Pair();
    pair.ping(b);
    pair.scheduler.runUntil(6);
    expect(pair.frames.slice(4)).toEqual([`5 b asks one for ${a}`, `5 a answers ${a}`]);
    expect(pair.state(pair.b, a)).toBe('REACHABLE');
  });

  it('doubts after the reachable time, and asks again when there is something to send', () => {
    const pair = new Pair();
    pair.ping(b);
    pair.scheduler.runUntil(60);
    expect(pair.state(pair.a, b)).toBe('STALE');
    pair.frames.length = 0;
    pair.ping(b);
    pair.scheduler.runUntil(64);
    expect([pair.state(pair.a, b), pair.frames]).toEqual(['DELAY', ['60 a ip', '60 b ip']]);
    pair.scheduler.runUntil(66);
    expect(pair.state(pair.a, b)).toBe('REACHABLE');
    expect(pair.frames).toContain(`65 a asks one for ${b}`);
  });

  it('a transport that makes progress spares the question', () => {
    const pair = new Pair();
    pair.ping(b);
    pair.scheduler.runUntil(60);
    pair.frames.length = 0;
    pair.ping(b);
    pair.scheduler.runUntil(62);
    pair.a.neighbours.confirm(parseIpAddress(b), pair.near);
    pair.scheduler.runUntil(66);
    expect(pair.frames.filter((frame) => frame.includes('a asks'))).toEqual([]);
    expect(pair.state(pair.a, b)).toBe('REACHABLE');
  });

  it('gives up after three questions and tells every packet’s sender', () => {
    const pair = new Pair();
    pair.ping(nobody);
    pair.ping(nobody);
    pair.scheduler.runUntilIdle();
    expect(pair.frames).toEqual([0, 1, 2].map((time) => `${time} a asks ${everybody} for ${nobody}`));
    expect(pair.scheduler.now()).toBe(3);
    expect(pair.state(pair.a, nobody)).toBe('FAILED');
    expect(pair.dropped).toEqual(['no-neighbour', 'no-neighbour']);
    const types = pair.delivered.map(({ transport }) =>
      transport.kind === 'icmp' ? [transport.type, transport.code] : [],
    );
    const unreachable = family === 'ipv4' ? [3, 1] : [1, 3];
    expect(types).toEqual([unreachable, unreachable]);
  });

  it('fails where it probes in vain, and begins anew with the next packet', () => {
    const pair = new Pair();
    pair.ping(b);
    pair.scheduler.runUntil(60);
    pair.b.removeAddress(pair.far, parseIpAddress(b));
    pair.frames.length = 0;
    pair.ping(b);
    pair.scheduler.runUntil(69);
    // b may say that the address is nobody's; that is no answer.
    const said = pair.frames.filter((frame) => frame.includes(' a '));
    expect(said).toEqual(['60 a ip', ...[65, 66, 67].map((time) => `${time} a asks one for ${b}`)]);
    expect(pair.state(pair.a, b)).toBe('FAILED');
    pair.ping(b);
    pair.scheduler.runUntil(69.5);
    expect(pair.frames).toContain(`69 a asks ${everybody} for ${b}`);
  });

  it('takes its patience from sysctls', () => {
    const prefix = `net.${family}.neigh.eth0`;
    const pair = new Pair({ a: { [`${prefix}.mcast_solicit`]: 2, [`${prefix}.retrans_time_ms`]: 500 } });
    pair.ping(nobody);
    pair.scheduler.runUntilIdle();
    expect(pair.frames.map((frame) => frame.split(' ')[0])).toEqual(['0', '0.5']);
    expect(pair.scheduler.now()).toBe(1);
  });

  it('lets as many packets wait as fit, and drops the oldest', () => {
    const pair = new Pair({ a: { [`net.${family}.neigh.eth0.unres_qlen_bytes`]: 3000 } });
    for (let count = 0; count < 5; count++) pair.ping(nobody);
    expect(pair.dropped).toEqual(['neighbour-queue-full', 'neighbour-queue-full']);
    expect(new Set(pair.dropped).size).toBe(1);
  });

  it('at least 101 long packets wait by default', () => {
    const pair = new Pair();
    for (let count = 0; count < 101; count++) pair.ping(nobody);
    expect(pair.dropped).toEqual([]);
  });

  it('permanent entries need no question, and are not overruled', () => {
    const pair = new Pair();
    pair.a.addNeighbour(pair.near, parseIpAddress(b), MAC.b);
    pair.ping(b);
    pair.scheduler.runUntilIdle();
    expect(pair.frames[0]).toBe('0 a ip');
    expect(pair.state(pair.a, b)).toBe('PERMANENT');
    pair.b.neighbours.announce(parseIpAddress(b), pair.far);
    pair.scheduler.runUntilIdle();
    expect(pair.state(pair.a, b)).toBe('PERMANENT');
  });

  it('an announcement changes what is known, and tells strangers nothing', () => {
    const pair = new Pair();
    pair.b.neighbours.announce(parseIpAddress(b), pair.far);
    pair.scheduler.runUntilIdle();
    expect(pair.state(pair.a, b)).toBe(undefined);
    pair.ping(b);
    pair.scheduler.runUntilIdle();
    pair.b.setMac(pair.far, 0x02000000000c);
    pair.scheduler.runUntil(5);
    pair.b.neighbours.announce(parseIpAddress(b), pair.far);
    pair.scheduler.runUntil(6);
    const [entry] = pair.a.neighbours.list().filter(({ address }) => formatIpAddress(address) === b);
    expect([entry?.mac, entry?.state]).toEqual([0x02000000000c, 'STALE']);
  });

  it('a device that goes down forgets, and its packets are gone', () => {
    const pair = new Pair();
    pair.ping(b);
    pair.scheduler.runUntilIdle();
    pair.a.setUp(pair.near, false);
    expect(pair.a.neighbours.list()).toEqual([]);
    expect(pair.b.neighbours.list()).toEqual([]);
  });
});

describe('who answers ARP', () => {
  const extra = (pair: Pair) => {
    const dummy = pair.b.addInterface({ name: 'd0', kind: 'dummy', driver: { transmit() {} }, up: true });
    pair.b.addAddress(dummy, parseInterfaceAddress('10.9.0.1/24'));
    pair.a.addRoute({
      type: 'unicast',
      prefix: { address: parseIpAddress('10.9.0.0'), length: 24 },
      device: 'eth0',
      metric: 0,
    });
  };
  const key = 'net.ipv4.conf.eth0';
  it.each<[string, Sysctls, string, boolean]>([
    ['an address of another device', {}, '10.9.0.1', true],
    ['arp_ignore=1: not for another device', { [`${key}.arp_ignore`]: 1 }, '10.9.0.1', false],
    ['arp_ignore=1: for this one', { [`${key}.arp_ignore`]: 1 }, '10.0.0.2', true],
    ['arp_ignore=8: never', { [`${key}.arp_ignore`]: 8 }, '10.0.0.2', false],
    ['arp_ignore of all counts', { 'net.ipv4.conf.all.arp_ignore': 8 }, '10.0.0.2', false],
    ['arp_filter: the way back is this device', { [`${key}.arp_filter`]: 1 }, '10.0.0.2', true],
    ['somebody else’s', {}, '10.0.0.77', false],
    ['proxy_arp without forwarding', { [`${key}.proxy_arp`]: 1 }, '10.9.0.77', false],
    ['proxy_arp', { [`${key}.proxy_arp`]: 1, 'net.ipv4.ip_forward': 1 }, '10.9.0.77', true],
    [
      'proxy_arp, but the route leads back',
      { [`${key}.proxy_arp`]: 1, 'net.ipv4.ip_forward': 1 },
      '10.0.0.77',
      false,
    ],
  ])('%s', (_, b, target, answered) => {
    const pair = new Pair({ b });
    extra(pair);
    pair.ping(target);
    // Answers for others wait a random part of proxy_delay.
    pair.scheduler.runUntil(0.9);
    expect(pair.frames.some((frame) => frame.endsWith(`b answers ${target}`))).toBe(answered);
  });

  it.each([
    ['0: the packet’s own source', 0, '10.5.5.5', '10.5.5.5'],
    ['1: not one of another subnet', 1, '10.5.5.5', '10.0.0.1'],
    ['2: the best of the device', 2, '10.5.5.5', '10.0.0.1'],
    ['1: one of the subnet', 1, '10.0.0.200', '10.0.0.200'],
    ['2: not even one of the subnet', 2, '10.0.0.200', '10.0.0.1'],
  ])('arp_announce=%s', (_, announce, source, asked) => {
    const pair = new Pair({ a: { 'net.ipv4.conf.eth0.arp_announce': announce } });
    pair.a.addAddress(pair.near, parseInterfaceAddress('10.0.0.200/24'));
    pair.a.addAddress(pair.near, parseInterfaceAddress('10.5.5.5/32'));
    const senders: string[] = [];
    pair.far.addTap(({ frame }) => {
      if (frame?.payload.kind === 'arp') senders.push(formatIpAddress(frame.payload.message.senderIp));
    });
    pair.ping('10.0.0.2', source);
    pair.scheduler.runUntil(0.5);
    expect(senders[0]).toBe(asked);
  });
});

describe('a large table', () => {
  it('makes room for new neighbours, and is full at its last threshold', () => {
    const neigh = 'net.ipv4.neigh.default';
    const pair = new Pair({
      a: { [`${neigh}.gc_thresh1`]: 100, [`${neigh}.gc_thresh2`]: 110, [`${neigh}.gc_thresh3`]: 120 },
    });
    const probe = (low: number) => pair.ping(`10.0.0.${low}`);
    for (let low = 3; low < 130; low++) probe(low);
    expect(pair.a.neighbours.list().length).toBe(120);
    expect(pair.dropped).toEqual(Array(7).fill('neighbour-table-full'));
    // Failed entries make room.
    pair.scheduler.runUntil(10);
    probe(200);
    expect(pair.state(pair.a, '10.0.0.200')).toBe('INCOMPLETE');
    pair.scheduler.runUntil(60);
    expect(pair.a.neighbours.list().length).toBeLessThan(120);
  });
});
