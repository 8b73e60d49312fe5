/** Bridges: what they learn, flood, keep apart and take for themselves. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Bridge, type BridgePortOptions } from '../../src/netstack/bridge/bridge.ts';
import type { Interface } from '../../src/netstack/link/interface.ts';
import { createVethPair } from '../../src/netstack/link/veth.ts';
import { Namespace } from '../../src/netstack/namespace.ts';
import { Scheduler } from '../../src/sim/scheduler.ts';
import type { Frame } from '../../src/wire/frame.ts';
import { BROADCAST_MAC, type MacAddress } from '../../src/wire/mac.ts';

const GROUP = 0x01005e000001;
const host = (index: number): MacAddress => 0x020000000010 + index;
const port = (index: number): MacAddress => 0x020000000100 + index;

/** A bridge with ports 0, 1, 2, on each a host of its own. */
class Rig {
  readonly scheduler = new Scheduler();
  readonly node = new Namespace({ name: 'node', scheduler: this.scheduler });
  readonly device: Interface;
  readonly bridge: Bridge;
  readonly ports: Interface[] = [];
  readonly hosts: Interface[] = [];
  /** `0` to `2`: the host a frame reached; `bridge`: the bridge's own device. */
  reached: string[] = [];
  reasons: string[] = [];

  constructor(bridgeMac?: MacAddress) {
    this.device = this.node.addBridge({
      name: 'br0',
      up: true,
      ...(bridgeMac === undefined ? {} : { mac: bridgeMac }),
    });
    if (!(this.device.driver instanceof Bridge)) throw new Error('no bridge');
    this.bridge = this.device.driver;
    // No hooks: this is about the bridge alone.
    this.node.bridgeHooks = undefined;
    for (const index of [0, 1, 2]) {
      const namespace = new Namespace({ name: `h${index}`, scheduler: this.scheduler });
      const { near, far } = createVethPair(
        { namespace: this.node, name: `v${index}`, mac: port(index), up: true },
        { namespace, name: 'eth0', mac: host(index), up: true },
      );
      this.node.setMaster(near, this.device);
      this.ports.push(near);
      this.hosts.push(far());
      far().addTap(({ direction }) => direction === 'in' && this.reached.push(String(index)));
    }
    this.device.addTap(({ direction }) => direction === 'in' && this.reached.push('bridge'));
    this.node.trace = (event) => {
      if (event.kind === 'frame-dropped') this.reasons.push(event.reason);
    };
  }

  port(index: number): Interface {
    const found = this.ports[index];
    if (found === undefined) throw new Error(`no port ${index}`);
    return found;
  }

  /** Host `from` (or the bridge) sends a frame; where it came out. */
  send(from: number | 'bridge', destination: MacAddress, source?: MacAddress, length = 10): string {
    const device = from === 'bridge' ? this.device : this.hosts[from];
    const payload = { kind: 'other', etherType: 0x88b5, data: new Uint8Array(length) } as const;
    const frame: Frame = { source: source ?? device?.mac ?? 0, destination, payload };
    this.reached = [];
    this.reasons = [];
    device?.transmit(frame);
    this.scheduler.runUntilIdle();
    return this.reached.sort().join(' ');
  }
}

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});

describe('a frame', () => {
  it.each([
    ['to everybody reaches all others and the bridge', 0, BROADCAST_MAC, '1 2 bridge'],
    ['to a group, too', 0, GROUP, '1 2 bridge'],
    ['to nobody known reaches all others', 0, host(9), '1 2'],
    ['to the bridge', 0, port(0), 'bridge'],
    ['to another port’s address is the bridge’s as well', 0, port(2), 'bridge'],
    ['of the bridge itself to everybody', 'bridge' as const, BROADCAST_MAC, '0 1 2'],
    ['of the bridge itself to nobody known', 'bridge' as const, host(9), '0 1 2'],
    ['for this link only goes no further', 0, 0x0180c200000e, ''],
    ['of spanning tree, which is off, is passed on', 0, 0x0180c2000000, '1 2 bridge'],
    ['to pause is nobody’s', 0, 0x0180c2000001, ''],
  ])('%s', (_, from, to, reached) => {
    expect(rig.send(from, to)).toBe(reached);
  });

  it('to somebody who was heard goes there alone', () => {
    rig.send(1, BROADCAST_MAC);
    expect(rig.send(0, host(1))).toBe('1');
    expect(rig.send('bridge', host(1))).toBe('1');
  });

  it('that comes from a group, or from the bridge’s own address, teaches nothing', () => {
    expect(rig.send(0, host(1), GROUP)).toBe('');
    rig.send(0, host(1), port(1));
    expect(rig.bridge.listFdb().filter(({ kind }) => kind === 'learned')).toEqual([]);
  });
});

describe('what was learned', () => {
  it('moves with the host', () => {
    rig.send(1, BROADCAST_MAC);
    rig.send(2, BROADCAST_MAC, host(1));
    expect(rig.send(0, host(1))).toBe('2');
  });

  it('is forgotten after 300 seconds of silence', () => {
    rig.send(1, BROADCAST_MAC);
    rig.scheduler.runUntil(200);
    rig.send(1, host(0));
    rig.scheduler.runUntil(499);
    expect(rig.send(0, host(1))).toBe('1');
    rig.scheduler.runUntil(500);
    expect(rig.send(0, host(1))).toBe('1 2');
  });

  it('goes with the port that goes down, or leaves', () => {
    for (const from of [1, 2]) rig.send(from, BROADCAST_MAC);
    rig.node.setUp(rig.port(1), false);
    expect(rig.send(0, host(1))).toBe('2');
    rig.node.setMaster(rig.port(2), undefined);
    expect(rig.send(0, host(2))).toBe('');
  });

  it('was told: it does not age, but follows its host', () => {
    rig.node.addFdb(host(7), rig.port(2));
    rig.scheduler.runUntil(1000);
    expect(rig.send(0, host(7))).toBe('2');
    rig.send(1, BROADCAST_MAC, host(7));
    rig.scheduler.runUntil(2000);
    expect(rig.send(0, host(7))).toBe('1');
  });
});

describe('a port', () => {
  it.each<[string, Readonly<Record<number, Partial<BridgePortOptions>>>, number, MacAddress, string]>([
    ['does not send back', {}, 0, host(0), ''],
    ['sends back in hairpin mode', { 0: { hairpin: true } }, 0, host(0), '0'],
    ['in hairpin mode gets its own broadcasts', { 0: { hairpin: true } }, 0, BROADCAST_MAC, '0 1 2 bridge'],
    [
      'that is isolated does not reach another',
      { 0: { isolated: true }, 1: { isolated: true } },
      0,
      host(1),
      '',
    ],
    [
      'that is isolated reaches those that are not',
      { 0: { isolated: true }, 1: { isolated: true } },
      0,
      host(2),
      '2',
    ],
    [
      'that is isolated still floods to the rest',
      { 0: { isolated: true }, 1: { isolated: true } },
      0,
      BROADCAST_MAC,
      '2 bridge',
    ],
    ['without flooding misses unknown hosts', { 1: { flood: false } }, 0, host(9), '2'],
    ['without flooding of groups misses them', { 1: { mcastFlood: false } }, 0, GROUP, '2 bridge'],
    [
      'without flooding of broadcasts misses them',
      { 1: { bcastFlood: false } },
      0,
      BROADCAST_MAC,
      '2 bridge',
    ],
  ])('%s', (_, options, from, to, reached) => {
    for (const index of [0, 1, 2]) rig.send(index, BROADCAST_MAC);
    for (const [index, set] of Object.entries(options)) rig.node.setBridgePort(rig.port(Number(index)), set);
    expect(rig.send(from, to)).toBe(reached);
  });

  it('that does not learn floods for ever', () => {
    rig.node.setBridgePort(rig.port(1), { learning: false });
    rig.send(1, BROADCAST_MAC);
    expect(rig.send(0, host(1))).toBe('1 2');
  });

  it('says why not', () => {
    rig.send(0, BROADCAST_MAC);
    rig.send(0, host(0));
    expect(rig.reasons).toEqual(['bridge-same-port']);
  });

  it('with a smaller MTU drops what is too long for it', () => {
    rig.node.setMtu(rig.port(1), 1000);
    expect(rig.send(0, BROADCAST_MAC, undefined, 1004)).toBe('1 2 bridge');
    expect(rig.send(0, BROADCAST_MAC, undefined, 1005)).toBe('2 bridge');
    expect(rig.reasons).toContain('frame-too-long');
  });
});

describe('the bridge’s device', () => {
  it('has the lowest address and the smallest MTU of its ports', () => {
    expect(rig.device.mac).toBe(port(0));
    rig.node.setMtu(rig.port(2), 1400);
    expect(rig.device.mtu).toBe(1400);
    rig.node.setMaster(rig.port(0), undefined);
    rig.node.setMaster(rig.port(2), undefined);
    expect([rig.device.mac, rig.device.mtu]).toEqual([port(1), 1500]);
    rig.node.setMtu(rig.port(1), 1400);
    rig.node.setMaster(rig.port(1), undefined);
    expect([rig.device.mac, rig.device.mtu]).toEqual([0, 1500]);
  });

  it('keeps what it was given', () => {
    const given = new Rig(0x020000aaaaaa);
    expect(given.device.mac).toBe(0x020000aaaaaa);
    rig.node.setMtu(rig.device, 1300);
    rig.node.setMtu(rig.port(1), 1200);
    rig.node.setMac(rig.device, 0x020000bbbbbb);
    rig.node.setMaster(rig.port(0), undefined);
    expect([rig.device.mtu, rig.device.mac]).toEqual([1300, 0x020000bbbbbb]);
  });

  it('that is down passes nothing', () => {
    rig.node.setUp(rig.device, false);
    expect(rig.send(0, BROADCAST_MAC)).toBe('');
    expect(rig.reasons).toEqual(['bridge-port-state']);
  });

  it('that is removed leaves its ports alone', () => {
    rig.node.removeInterface(rig.device);
    expect(rig.send(0, BROADCAST_MAC)).toBe('');
    expect(rig.ports.map(({ master }) => master)).toEqual([undefined, undefined, undefined]);
  });

  it('has a link while a port has', () => {
    expect(rig.device.carrier).toBe(true);
    for (const device of rig.hosts) device.up = false;
    expect(rig.device.carrier).toBe(false);
  });
});

it('what is no port, and what is no bridge, is refused', () => {
  const [far] = rig.hosts;
  if (far === undefined) throw new Error('no host');
  expect(() => rig.node.setBridgePort(far, { hairpin: true })).toThrow('eth0 is no bridge');
  expect(() => rig.node.setMaster(rig.port(0), rig.port(1))).toThrow('v1 is no bridge');
});
