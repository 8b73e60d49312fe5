/**
 * The rig against a witness that shares nothing with it: tcpdump on every device, read by pcap-parser. What
 * the rig says was sent is what tcpdump saw, byte for byte, and what the engine says is the same.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { EngineModel } from '../../src/cli/kernel/engine-model.ts';
import { KernelHost } from '../../src/cli/kernel/kernel-host.ts';
import { Observer, type SentPacket } from '../../src/cli/kernel/observe.ts';
import { toRuleSet } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { emitPacket, parsePacket } from '../../src/wire/headers.ts';
import { Dice } from './rig/dice.ts';
import { randomHost } from './rig/fuzz-host.ts';
import { FuzzTraffic } from './rig/fuzz-traffic.ts';
import { capture } from './rig/tcpdump.ts';

const RULES = `*mangle
-A PREROUTING -p udp --dport 53 -j MARK --set-mark 1
COMMIT
*nat
-A PREROUTING -d 10.9.9.9 -p tcp -j DNAT --to-destination 10.0.2.9:8080
-A PREROUTING -d 10.9.9.9 -p udp -j DNAT --to-destination 10.0.1.9:5353
-A POSTROUTING -j MASQUERADE
COMMIT
*filter
-A FORWARD -m mark --mark 1 -j REJECT
-A FORWARD -p tcp --dport 22 -j REJECT --reject-with tcp-reset
-A INPUT -p tcp --dport 80 -j DROP
COMMIT
`;
const ETHERNET = 14;
const PACKETS = 400;

let host: KernelHost | undefined;
afterEach(() => {
  host?.close();
  host = undefined;
});

it('tcpdump saw what the rig reports, frame by frame', async () => {
  const seed = Number(process.env.KUBEWIRE_SEED ?? Math.floor(Math.random() * 1e9));
  console.info(`witness: seed ${seed}`);
  const dice = new Dice(seed);
  const random = randomHost(dice, { family: 'ipv4', impatient: false });
  host = KernelHost.build({
    host: random.plan,
    rules: [{ family: 'ipv4', text: RULES, file: 'rules' }],
    backend: 'nft',
  });
  const names = [...host.devices.keys()];
  const built = host;
  const outgoing = await Promise.all(names.map((name) => capture(built, name, 'out')));
  const incoming = await Promise.all(names.map((name) => capture(built, name, 'in')));

  const observer = new Observer(host);
  const traffic = new FuzzTraffic(dice, random);
  const reported: SentPacket[] = [];
  const injected = new Map<string, Uint8Array[]>(names.map((name) => [name, []]));
  for (let count = 0; count < PACKETS; count++) {
    const step = traffic.next();
    if (step.kind === 'wait') continue;
    const { injection } = step;
    const bytes = injection.bytes ?? emitPacket(injection.packet);
    if (injection.device !== undefined) injected.get(injection.device)?.push(bytes);
    const observation = observer.observe(injection);
    traffic.saw(observation);
    reported.push(...observation.sent);
  }
  // tcpdump reads the kernel's ring a moment later.
  await pause(500);

  for (const [index, name] of names.entries()) {
    const seen = (await outgoing[index]?.stop()) ?? [];
    const ours = reported.filter(({ device }) => device === name).map(({ packet }) => packet);
    expect(ipv4Of(seen).map(parsePacket)).toEqual(ours);
    const entered = (await incoming[index]?.stop()) ?? [];
    expect(ipv4Of(entered)).toEqual(injected.get(name));
  }
  expect(reported.length).toBeGreaterThan(PACKETS / 4);
});

it('the engine says the same of plain traffic as tcpdump', async () => {
  const random = randomHost(new Dice(2), { family: 'ipv4', impatient: false });
  const plan = {
    ...random.plan,
    devices: random.plan.devices.map((device) => ({ ...device, rpFilter: 0 as const, forwarding: true })),
  };
  host = KernelHost.build({
    host: plan,
    rules: [{ family: 'ipv4', text: RULES, file: 'rules' }],
    backend: 'nft',
  });
  const model = new EngineModel({
    plan,
    rules: [toRuleSet(parseRules(RULES, { family: 'ipv4', file: 'rules' }))],
    backend: 'nft',
  });
  const [first, second] = [...host.devices.keys()];
  if (first === undefined || second === undefined) throw new Error('the host has fewer than two devices');
  const built = host;
  const captures = await Promise.all([...host.devices.keys()].map((name) => capture(built, name, 'out')));
  const observer = new Observer(host);
  const expected = new Map<string, string[]>();
  const segment = random.segments[0];
  for (let index = 0; index < 60; index++) {
    const peers = segment?.peers ?? [];
    const src = peers[index % peers.length] ?? 0;
    const packet = {
      src,
      dst: [0x0a090909, 0x0a000209, 0x0a000101][index % 3] ?? 0,
      ttl: 64,
      tos: 0,
      id: index + 1,
      dontFragment: false,
      transport: {
        kind: 'udp' as const,
        sport: 1000 + index,
        dport: [53, 80, 5353, 22][index % 4] ?? 0,
        data: Uint8Array.of(index),
      },
    };
    const injection = { packet, device: first };
    const predicted = model.predict(injection);
    for (const { device, packet: sent } of predicted?.transmissions ?? []) {
      const lines = expected.get(device) ?? [];
      lines.push(outline(emitPacket(sent)));
      expected.set(device, lines);
    }
    model.follow(injection, observer.observe(injection));
  }
  await pause(500);
  for (const [index, name] of [...host.devices.keys()].entries()) {
    const seen = (await captures[index]?.stop()) ?? [];
    expect(ipv4Of(seen).map(outline)).toEqual(expected.get(name) ?? []);
  }
  expect([...expected.values()].flat().length).toBeGreaterThan(20);
});

/** The IPv4 packets in `frames`: group reports of the kernel's IPv6 come whenever they like. */
function ipv4Of(frames: readonly Uint8Array[]): Uint8Array[] {
  return frames
    .filter((frame) => frame[12] === 8 && frame[13] === 0)
    .map((frame) => frame.subarray(ETHERNET));
}

/** The bytes that matter, as hex: all but the identification and header checksum, which Linux draws itself. */
function outline(bytes: Uint8Array): string {
  const copy = bytes.slice();
  copy.fill(0, 4, 6);
  copy.fill(0, 10, 12);
  return Buffer.from(copy).toString('hex');
}
