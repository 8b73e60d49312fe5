/**
 *   HOST, RULES ──▶ private namespace: TAP devices, ip, sysctls, ipset, iptables-restore
 *   packet ──▶ write to a device (or raw socket) ──▶ the kernel ──▶ read every device, the input hook's end
 *         └──▶ the engine, every random branch ──▶ the branch that agrees with what was observed
 *
 * Plays packets through the kernel and the engine, side by side and in real time, and says of each whether
 * they agree: on its fate, on everything that left the host, on conntrack's table afterwards.
 */

import type { IpSet } from '../../netfilter/ip-set.ts';
import type { RuleSet } from '../../netfilter/rule-set.ts';
import type { Fate } from '../../netstack/fate.ts';
import { familyOf, type IpFamily } from '../../wire/ip-address.ts';
import type { Packet } from '../../wire/packet.ts';
import { compareConntrack, type ObservedFate, observedFate } from './compare.ts';
import type { ListedEntry } from './conntrack-list.ts';
import { describeListed } from './describe-packet.ts';
import { EngineModel } from './engine-model.ts';
import type { KernelPlan } from './host-plan.ts';
import { KernelHost } from './kernel-host.ts';
import { type Injection, Observer } from './observe.ts';
import { RefusalBudget } from './refusal-budget.ts';

/** One packet to play; `wait` is the seconds to let pass before it. */
export interface VerifyPacket extends Injection {
  readonly wait: number;
}

export interface Verification {
  readonly injection: Injection;
  readonly kernel: ObservedFate;
  /** Why the kernel refused to send a packet made on the host. */
  readonly error?: string;
  /** Undefined once the engine has lost the kernel's track. */
  readonly engine: Fate | undefined;
  /** Entries of the kernel's conntrack table that this packet made or changed. */
  readonly conntrack: readonly ListedEntry[];
  /** One line each; empty: they agree. */
  readonly differences: readonly string[];
}

export interface VerifyOptions {
  readonly plan: KernelPlan;
  /** What the texts of the plan say. */
  readonly rules: readonly RuleSet[];
  readonly sets?: ReadonlyMap<string, IpSet>;
  /** How the engine looks rules up; linear unless given. */
  readonly engine?: 'linear' | 'compiled';
  /** Called before a pause of so many seconds that is worth telling. */
  readonly onPause?: (seconds: number) => void;
}

/** Seconds to let a deadline go by. */
const DEADLINE_PAUSE = 0.04;

/**
 * Between any two packets: a little more than the longest tick of a kernel (100 Hz). What happens once a tick at
 * most (connlimit forgets closed connections) would otherwise depend on luck.
 */
const TICK = 0.011;

/** Stops this thread: nothing else has anything to do meanwhile. */
function sleep(seconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1000);
}

/** `packet` with an identification of its own, by which it is known on its way. */
function identified(packet: Packet, index: number): Packet {
  return typeof packet.src === 'number' ? { ...packet, id: (index % 0xffff) + 1 } : packet;
}

function entriesOf(observer: Observer, families: ReadonlySet<IpFamily>): ListedEntry[] {
  return [...families].flatMap((family) => observer.conntrack(family));
}

/**
 * Builds the host, plays `packets` in order and yields what came of each. Throws KernelUnavailable,
 * ProgramFailed; the host is gone when the iteration ends, however it does.
 */
export function* verifyPackets(
  packets: readonly VerifyPacket[],
  { plan, rules, sets, engine, onPause }: VerifyOptions,
): IterableIterator<Verification> {
  const model = new EngineModel({
    plan: plan.host,
    rules,
    backend: plan.backend,
    ...(sets === undefined ? {} : { sets }),
    ...(engine === undefined ? {} : { engine }),
  });
  const families = new Set(packets.map(({ packet }) => familyOf(packet.src)));
  const kernel = KernelHost.build(plan);
  try {
    const observer = new Observer(kernel);
    const budget = new RefusalBudget();
    let last = performance.now();
    const passTime = () => {
      const now = performance.now();
      model.advance((now - last) / 1000);
      last = now;
    };
    const sinceThen = () => (performance.now() - last) / 1000;
    const pause = (seconds: number) => {
      if (seconds <= 0) return;
      if (seconds > DEADLINE_PAUSE) onPause?.(seconds);
      sleep(seconds);
      passTime();
    };
    let before = new Set<string>();
    for (const [index, { wait, ...given }] of packets.entries()) {
      const injection = { ...given, packet: identified(given.packet, index) };
      pause(wait + TICK);
      pause(budget.delay(model.predict(injection), injection.packet, model.now));
      while (model.isNearDeadline()) pause(DEADLINE_PAUSE);
      const predicted = model.predict(injection);
      const observation = observer.observe(injection);
      const late = sinceThen();
      const listed = entriesOf(observer, families);
      const followed = model.follow(injection, observation, () => listed, late);
      const listedLate = sinceThen();
      const { now } = model;
      const differences = [
        ...followed.differences,
        ...model.retain((host) => compareConntrack(listed, host, { now, late: listedLate })),
      ];
      passTime();
      const described = listed.map((entry) => ({ entry, text: describeListed(entry).text }));
      yield {
        injection,
        kernel: observedFate(injection, observation),
        ...(observation.error === undefined ? {} : { error: observation.error }),
        engine: (followed.passage ?? predicted)?.fate,
        conntrack: described.filter(({ text }) => !before.has(text)).map(({ entry }) => entry),
        differences,
      };
      before = new Set(described.map(({ text }) => text));
    }
  } finally {
    kernel.close();
  }
}
