/** The compiled engine beside the reference: same rules, same packets, and not a trace event's difference. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SeededChoices } from '../../src/netfilter/choices.ts';
import { CompiledFinder } from '../../src/netfilter/compiled/compiled-finder.ts';
import { Netfilter, snapshotEntry } from '../../src/netfilter/netfilter.ts';
import { LINEAR, type RuleFinder } from '../../src/netfilter/rule-finder.ts';
import type { RuleSet } from '../../src/netfilter/rule-set.ts';
import { AddressBook } from '../../src/netstack/addressing.ts';
import { DEFAULT_DEVICE_SYSCTLS } from '../../src/netstack/device.ts';
import type { HostEvent } from '../../src/netstack/events.ts';
import { Host, type Passage } from '../../src/netstack/host.ts';
import { toRuleSet } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { Clock } from '../../src/sim/clock.ts';
import { Random } from '../../src/sim/random.ts';
import { parseIpAddress } from '../../src/wire/ip-address.ts';
import { parseInterfaceAddress, parseIpPrefix } from '../../src/wire/ip-prefix.ts';
import { NO_BYTES, type Packet, type Transport } from '../../src/wire/packet.ts';
import { TCP_FLAG } from '../../src/wire/protocol.ts';
import { Dice } from '../kernel/rig/dice.ts';
import { fuzzCase } from '../kernel/rig/fuzz-case.ts';

const SEED = Number(process.env.KUBEWIRE_SEED ?? 20_240_601);
const CASES = Number(process.env.KUBEWIRE_CASES ?? 60);
const STEPS = 80;

const SYN = {
  kind: 'tcp',
  seq: 1,
  ack: 0,
  flags: TCP_FLAG.SYN,
  window: 1000,
  options: NO_BYTES,
  data: NO_BYTES,
} as const;

interface Side {
  readonly host: Host;
  readonly clock: Clock;
  readonly events: HostEvent[];
}

function side(addresses: AddressBook, rules: RuleSet, finder: RuleFinder): Side {
  const clock = new Clock();
  const choices = new SeededChoices(new Random(7));
  const netfilter = new Netfilter({ clock, choices, host: addresses, finder });
  netfilter.load(rules);
  const host = new Host({ addresses, netfilter });
  const events: HostEvent[] = [];
  host.trace = (event) => events.push(event);
  return { host, clock, events };
}

function play({ host, events }: Side, ifname: string | undefined, packet: Packet): Passage {
  events.length = 0;
  const device = ifname === undefined ? undefined : host.addresses.devices.get(ifname);
  return device === undefined ? host.send(packet) : host.receive(packet, device);
}

function entries({ host, clock }: Side) {
  return [...host.netfilter.conntrack.entries(clock.now())].map(snapshotEntry);
}

function expectSame(linear: Side, compiled: Side, ifname: string | undefined, packet: Packet): Passage {
  const wanted = play(linear, ifname, packet);
  const found = play(compiled, ifname, packet);
  expect(found).toEqual(wanted);
  expect(compiled.events).toEqual(linear.events);
  return wanted;
}

describe('the compiled engine', () => {
  it.each([...Array(CASES).keys()].map((index) => SEED + index))(
    'agrees with the reference on random rules and traffic, seed %i',
    (seed) => {
      const { subject, source } = fuzzCase(seed, STEPS);
      const { family, plan } = subject;
      const rules = toRuleSet(parseRules(subject.rules, { file: 'fuzz', family }));
      const addresses = new AddressBook(plan.devices, plan.routes);
      const linear = side(addresses, rules, LINEAR);
      const compiled = side(addresses, rules, new CompiledFinder(1));
      for (let step = source.next(); step !== undefined; step = source.next()) {
        if (step.kind === 'wait') {
          for (const { clock } of [linear, compiled]) clock.advance(step.seconds);
          continue;
        }
        const { device, packet } = step.injection;
        const { fate, transmissions } = expectSame(linear, compiled, device, packet);
        const own = fate.kind === 'forwarded' || fate.kind === 'sent' ? fate.packet : undefined;
        const sent = transmissions.map((each) => ({ ...each, original: each.packet === own }));
        source.saw?.({ sent } as unknown as Parameters<NonNullable<typeof source.saw>>[0]);
      }
      expect(entries(compiled)).toEqual(entries(linear));
    },
  );

  const root = join(import.meta.dirname, '../conformance/kube-proxy/iptables');
  const addresses = new AddressBook(
    [
      { ...DEFAULT_DEVICE_SYSCTLS, name: 'eth0', addresses: [parseInterfaceAddress('172.18.0.2/16')] },
      { ...DEFAULT_DEVICE_SYSCTLS, name: 'veth1', addresses: [parseInterfaceAddress('10.244.1.1/32')] },
    ],
    [
      {
        type: 'unicast',
        prefix: parseIpPrefix('0.0.0.0/0'),
        device: 'eth0',
        gateway: parseIpAddress('172.18.0.1'),
        metric: 0,
      },
      { type: 'unicast', prefix: parseIpPrefix('10.244.1.0/24'), device: 'veth1', metric: 0 },
    ],
  );

  it.each(readdirSync(root))('agrees on kube-proxy case %s', (name) => {
    const text = readFileSync(join(root, name, 'iptables.save'), 'utf8');
    const rules = toRuleSet(parseRules(text, { file: name, family: 'ipv4' }));
    // Every address and port that the rules speak of, and some that they do not.
    const addressTexts = [...new Set(text.match(/\d+\.\d+\.\d+\.\d+(?=\/32|:)/g) ?? [])];
    const ports = [...new Set((text.match(/--dport \d+/g) ?? []).map((each) => Number(each.slice(8)))), 81];
    const dice = new Dice(SEED);
    const linear = side(addresses, rules, LINEAR);
    const compiled = side(addresses, rules, new CompiledFinder(1));
    for (let index = 0; index < 300; index++) {
      const sport = dice.between(1024, 1400);
      const dport = dice.pick(ports);
      const transport = dice.pick<Transport>([
        { kind: 'udp', sport, dport, data: NO_BYTES },
        { ...SYN, sport, dport },
      ]);
      const [ifname, src] = dice.pick([
        ['eth0', '203.0.113.9'],
        ['veth1', '10.244.1.5'],
        [undefined, '172.18.0.2'],
      ] as const);
      const packet: Packet = {
        src: parseIpAddress(src),
        dst: parseIpAddress(dice.pick(addressTexts)),
        ttl: 64,
        tos: 0,
        id: 1,
        dontFragment: false,
        transport,
      };
      expectSame(linear, compiled, ifname, packet);
    }
    expect(entries(compiled)).toEqual(entries(linear));
  });

  it('would notice an engine that leaves out a rule', () => {
    const text = readFileSync(join(root, 'clusterip', 'iptables.save'), 'utf8');
    const rules = toRuleSet(parseRules(text, { file: 'clusterip', family: 'ipv4' }));
    const forgetful: RuleFinder = {
      next: (chain, from) => (chain.name === 'KUBE-SERVICES' ? from + 1 : from),
    };
    const packet: Packet = {
      src: parseIpAddress('10.244.1.5'),
      dst: parseIpAddress('10.96.0.10'),
      ttl: 64,
      tos: 0,
      id: 1,
      dontFragment: false,
      transport: { ...SYN, sport: 40_000, dport: 80 },
    };
    const linear = side(addresses, rules, LINEAR);
    expect(() => expectSame(linear, side(addresses, rules, forgetful), 'veth1', packet)).toThrow();
  });
});
