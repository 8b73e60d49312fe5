/**
 * Two hosts with the same rules and the same seed: one passes packets through the reference engine, the other
 * through the flat path. After every batch everything that can be seen of them must be equal.
 */
import { expect } from 'vitest';
import { SeededChoices } from '../../../../src/netfilter/choices.ts';
import { DEFAULT_CONNTRACK } from '../../../../src/netfilter/conntrack/timeouts.ts';
import type { FlatPath } from '../../../../src/netfilter/flat/path/flat-path.ts';
import { FATE, PathBatch } from '../../../../src/netfilter/flat/path/path-batch.ts';
import { TapedChoices } from '../../../../src/netfilter/flat/path/taped-choices.ts';
import type { Backend } from '../../../../src/netfilter/hooks.ts';
import { Netfilter } from '../../../../src/netfilter/netfilter.ts';
import type { RuleSet } from '../../../../src/netfilter/rule-set.ts';
import { AddressBook } from '../../../../src/netstack/addressing.ts';
import { DEFAULT_DEVICE_SYSCTLS, type Device } from '../../../../src/netstack/device.ts';
import { flatPathOf } from '../../../../src/netstack/flat-host.ts';
import { Host, type Passage } from '../../../../src/netstack/host.ts';
import type { Route } from '../../../../src/netstack/route-table.ts';
import { Clock } from '../../../../src/sim/clock.ts';
import { Random } from '../../../../src/sim/random.ts';
import { parsePacket } from '../../../../src/wire/headers.ts';
import { parseInterfaceAddress, parseIpPrefix } from '../../../../src/wire/ip-prefix.ts';

const device = (name: string, addresses: string[], more: Partial<Device> = {}): Device => ({
  ...DEFAULT_DEVICE_SYSCTLS,
  name,
  addresses: addresses.map(parseInterfaceAddress),
  ...more,
});

/** What differs from host to host besides the rules. */
export interface HostShape {
  readonly backend: Backend;
  readonly conntrackMax: number;
  readonly rpFilter: 0 | 1 | 2;
  readonly mtu: number;
}

/** A node as kind makes it: pods behind veth7 and veth8, other nodes and the world behind eth0. */
function addressBook({ rpFilter, mtu }: HostShape): AddressBook {
  const unicast = (dst: string, via: Partial<Route> & { device: string }): Route => ({
    type: 'unicast',
    prefix: parseIpPrefix(dst),
    metric: 0,
    ...via,
  });
  return new AddressBook(
    [
      device('eth0', ['172.18.0.2/16', '172.18.0.9/32'], { rpFilter, mtu }),
      device('veth7', ['10.244.1.1/32'], { rpFilter }),
      device('veth8', ['10.244.1.1/32']),
      device('cni0', ['10.244.9.1/24']),
    ],
    [
      unicast('0.0.0.0/0', { device: 'eth0', gateway: 0xac120001 }),
      unicast('10.244.1.0/25', { device: 'veth7' }),
      unicast('10.244.1.128/25', { device: 'veth8' }),
      unicast('10.244.2.0/24', { device: 'eth0', gateway: 0xac120003 }),
      unicast('10.244.3.0/24', { device: 'eth0', gateway: 0xac120004 }),
      { ...unicast('192.0.2.0/24', { device: 'eth0' }), type: 'blackhole' },
    ],
  );
}

export const DEVICES = ['lo', 'eth0', 'veth7', 'veth8', 'cni0'] as const;

/** A packet that comes in. */
export interface Arrival {
  readonly bytes: Uint8Array;
  readonly device: (typeof DEVICES)[number];
}

/** What a packet led to, comparable by value. */
type Seen = Passage | 'unreadable';

export class Twins {
  readonly reference: Host;
  readonly flat: Host;
  readonly path: FlatPath<Passage>;
  readonly #clock = new Clock();
  /** How packets fared on the flat path. */
  readonly fates = new Map<number, number>();

  constructor(ruleSet: RuleSet, seed: number, shape: HostShape) {
    const sysctls = { ...DEFAULT_CONNTRACK, max: shape.conntrackMax };
    const clock = this.#clock;
    const hostWith = (choices: TapedChoices | SeededChoices) => {
      const addresses = addressBook(shape);
      const netfilter = new Netfilter({ clock, choices, host: addresses, sysctls, backend: shape.backend });
      netfilter.load(ruleSet);
      return new Host({ addresses, netfilter });
    };
    this.reference = hostWith(new SeededChoices(new Random(seed)));
    const taped = new TapedChoices(new SeededChoices(new Random(seed)));
    this.flat = hostWith(taped);
    this.path = flatPathOf(this.flat, taped);
  }

  get now(): number {
    return this.#clock.now();
  }

  wait(seconds: number): void {
    this.#clock.advance(seconds);
  }

  load(rules: RuleSet): void {
    this.reference.netfilter.load(rules);
    this.flat.netfilter.load(rules);
  }

  /** Lets `arrivals` come in on both; fails on the first difference. Returns what left. */
  play(arrivals: readonly Arrival[], label: string): readonly Passage[] {
    const batch = new PathBatch(arrivals.length, 4096 * arrivals.length);
    for (const { bytes, device: name } of arrivals) batch.add(bytes, DEVICES.indexOf(name));
    this.path.run(batch);
    const passages: Passage[] = [];
    for (const [row, arrival] of arrivals.entries()) {
      const expected = this.#expected(arrival);
      const actual = this.#actual(batch, row);
      expect(actual, `${label}, packet ${row} of its batch`).toEqual(expected);
      if (expected !== 'unreadable') passages.push(expected);
    }
    this.#compareState(label);
    return passages;
  }

  #expected({ bytes, device: name }: Arrival): Seen {
    const came = this.reference.addresses.devices.get(name);
    if (came === undefined) throw new Error(`no device ${name}`);
    try {
      return visible(this.reference.receive(parsePacket(bytes), came));
    } catch (error) {
      if (error instanceof Error && error.name === 'WireError') return 'unreadable';
      throw error;
    }
  }

  #actual(batch: PathBatch, row: number): Seen | undefined {
    const fate = batch.fate[row] ?? 0;
    this.fates.set(fate, (this.fates.get(fate) ?? 0) + 1);
    switch (fate) {
      case FATE.forwarded: {
        const packet = parsePacket(batch.packet(row));
        const name = DEVICES[batch.outDevice[row] ?? 0] ?? '';
        const nextHop = batch.nextHop[row] ?? 0;
        return {
          fate: { kind: 'forwarded', device: name, packet },
          transmissions: [{ device: name, nextHop, packet }],
        };
      }
      case FATE.droppedByRule:
        return { fate: { kind: 'dropped', reason: 'rule' }, transmissions: [] };
      case FATE.droppedByPolicy:
        return { fate: { kind: 'dropped', reason: 'policy' }, transmissions: [] };
      case FATE.passage:
        return this.#passage(row);
      default:
        return 'unreadable';
    }
  }

  #passage(row: number): Passage | undefined {
    const passage = this.path.passages.get(row);
    return passage && visible(passage);
  }

  /** Conntrack entries with their trackers' states, and the counters of every rule and policy. */
  #compareState(label: string): void {
    // A copy's entries: looking at the path's own would make entries of all its records.
    const clones = this.flat.netfilter.conntrack.clone();
    const actual = [...clones.entries(this.now)];
    const expected = [...this.reference.netfilter.conntrack.clone().entries(this.now)];
    expect(actual, `${label}, conntrack`).toEqual(expected);
    expect(this.flat.netfilter.conntrack.size, `${label}, size`).toBe(
      this.reference.netfilter.conntrack.size,
    );
    expect(countersOf(this.flat), `${label}, counters`).toEqual(countersOf(this.reference));
  }
}

/** What can be seen from outside: not what a host keeps beside its packets. */
function visible({ fate, transmissions }: Passage): Passage {
  return {
    fate,
    transmissions: transmissions.map(({ device: name, nextHop, packet }) => ({
      device: name,
      nextHop,
      packet,
    })),
  };
}

function countersOf({ netfilter }: Host): Record<string, string> {
  const counters: Record<string, string> = {};
  for (const table of netfilter.rules('ipv4').tables.values()) {
    for (const chain of table.values()) {
      for (const of of [chain, ...chain.rules]) {
        const { packets, bytes } = netfilter.counters.of(of);
        const name = `${chain.table} ${chain.name} ${'number' in of ? of.number : 'policy'}`;
        if (packets > 0) counters[name] = `${packets} packets, ${bytes} bytes`;
      }
    }
  }
  return counters;
}
