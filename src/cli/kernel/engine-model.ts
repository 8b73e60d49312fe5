/**
 * The engine beside the kernel: the same host, rules and packets. Where rules leave something to chance, the
 * kernel has drawn already and the engine must be able to follow: every branch of the packet's way is played
 * on a copy, and those that agree with what was observed are carried on. None left: they differ.
 */
import type { Choices } from '../../netfilter/choices.ts';
import { CompiledFinder } from '../../netfilter/compiled/compiled-finder.ts';
import type { Backend } from '../../netfilter/hooks.ts';
import type { IpSet } from '../../netfilter/ip-set.ts';
import { Netfilter } from '../../netfilter/netfilter.ts';
import { LINEAR } from '../../netfilter/rule-finder.ts';
import type { RuleSet } from '../../netfilter/rule-set.ts';
import { AddressBook } from '../../netstack/addressing.ts';
import { Host, type Passage } from '../../netstack/host.ts';
import { Clock } from '../../sim/clock.ts';
import { formatIpAddress } from '../../wire/ip-address.ts';
import type { Packet } from '../../wire/packet.ts';
import { compareConntrack, compareObservation } from './compare.ts';
import type { ListedEntry } from './conntrack-list.ts';
import type { HostPlan } from './host-plan.ts';
import type { Injection, Observation } from './observe.ts';

/** No more states than this are carried on; more than a few are rare and soon told apart. */
const MAX_CANDIDATES = 64;
/** Branches played for one packet before giving up. */
const MAX_BRANCHES = 4096;

/** Seconds: several ticks of a kernel of 100 Hz. */
const DEADLINE_MARGIN = 0.03;

/** Seconds: about a tick. A machine that took longer to hand a packet over may have done so at another time. */
const NOTEWORTHY_DELAY = 0.005;

/** Probabilities of `statistic` rules are fractions of this. */
const ONE = 2 ** 31;

interface Decision {
  readonly ways: number;
  readonly taken: number;
  /** A number drawn for a port search, not a rule's yes or no. */
  readonly draw: boolean;
}

/** Plays a script of decisions and notes how many ways there were at each. */
class ScriptedChoices implements Choices {
  readonly decisions: Decision[] = [];
  readonly #script: readonly number[];
  readonly #draws: readonly number[];

  constructor(script: readonly number[], draws: readonly number[]) {
    this.#script = script;
    this.#draws = draws;
  }

  #decide(ways: number, draw: boolean): number {
    const taken = this.#script[this.decisions.length] ?? 0;
    this.decisions.push({ ways, taken, draw });
    return taken;
  }

  chance(probability: number): boolean {
    if (probability <= 0) return false;
    if (probability >= ONE) return true;
    return this.#decide(2, false) === 0;
  }

  collides(): boolean {
    return this.#decide(2, false) === 1;
  }

  random16(): number {
    return this.#draws[this.#decide(this.#draws.length, true)] ?? 0;
  }
}

/**
 * The next script in depth-first order, or undefined after the last one. Another draw is tried only where
 * `mendable`, by depth, says that a way below this one could be mended by it.
 */
function nextScript(decisions: readonly Decision[], mendable: boolean[]): number[] | undefined {
  const last = decisions.findLastIndex(
    ({ ways, taken, draw }, depth) => taken + 1 < ways && (!draw || mendable[depth] === true),
  );
  if (last < 0) return undefined;
  mendable.length = Math.min(mendable.length, last + 1);
  return decisions.slice(0, last + 1).map(({ taken }, index) => (index === last ? taken + 1 : taken));
}

function portsOf({ packet }: { readonly packet: Packet }): number[] {
  const { transport } = packet;
  if (transport.kind === 'icmp') return [transport.id];
  return 'sport' in transport ? [transport.sport, transport.dport] : [];
}

/** First ports of the ranges a port search can have: NAT's classes (nf_nat_l4proto_unique_tuple), and rules'. */
function rangeStarts(rules: readonly RuleSet[]): readonly number[] {
  const starts = new Set([1024, 0, 600, 1]);
  for (const { tables } of rules) {
    for (const { chains } of tables.values()) {
      for (const chain of chains.values()) {
        for (const { target } of chain.rules) {
          const ports = 'range' in target ? target.range.ports : 'ports' in target ? target.ports : undefined;
          if (ports !== undefined && ports.from < ports.to) starts.add(ports.from);
        }
      }
    }
  }
  return [...starts];
}

export interface EngineModelOptions {
  readonly plan: HostPlan;
  readonly rules: readonly RuleSet[];
  readonly backend: Backend;
  readonly sets?: ReadonlyMap<string, IpSet>;
  /** How the engine looks rules up; linear unless given. */
  readonly engine?: 'linear' | 'compiled';
}

/** The same for the kernel's and the engine's entry of one flow. */
function originalKey({ original }: Pick<ListedEntry, 'original'>): string {
  const { src, dst, sport, dport } = original;
  return `${formatIpAddress(src)} ${formatIpAddress(dst)} ${sport} ${dport}`;
}

/** Where packets went, and between whom, ports aside. */
function pathKey(sent: readonly { readonly device: string; readonly packet: Packet }[]): string {
  return sent
    .map(({ device, packet: { src, dst } }) => `${device} ${formatIpAddress(src)} ${formatIpAddress(dst)}`)
    .sort()
    .join();
}

/** True when kernel and engine sent packets the same ways. */
function samePath(observation: Observation, passage: Passage): boolean {
  return pathKey(observation.sent) === pathKey(passage.transmissions);
}

export interface Followed {
  /** What the closest branch got wrong, one line each; empty: at least one agrees. */
  readonly differences: readonly string[];
  /** That branch. */
  readonly passage?: Passage;
  /** A port was drawn on the way of a branch that agrees. */
  readonly drew: boolean;
}

export class EngineModel {
  #candidates: readonly Host[];
  #now = 0;
  readonly #starts: readonly number[];

  constructor({ plan, rules, backend, sets, engine }: EngineModelOptions) {
    const addresses = new AddressBook(plan.devices, plan.routes);
    const netfilter = new Netfilter({
      clock: new Clock(),
      choices: new ScriptedChoices([], []),
      host: addresses,
      backend,
      sysctls: plan.conntrack,
      finder: engine === 'compiled' ? new CompiledFinder() : LINEAR,
    });
    for (const ruleSet of rules) netfilter.load(ruleSet);
    if (sets !== undefined) netfilter.loadSets(sets);
    this.#candidates = [new Host({ addresses, netfilter })];
    this.#starts = rangeStarts(rules);
  }

  /** Seconds since the model began. */
  get now(): number {
    return this.#now;
  }

  /** States the engine may be in, given all that was observed. */
  get candidates(): readonly Host[] {
    return this.#candidates;
  }

  /** Lets `seconds` pass. */
  advance(seconds: number): void {
    this.#now += seconds;
  }

  /**
   * True when something is about to expire, or just has: the kernel counts in ticks of its own, and which side
   * of the moment the next packet falls on would be a matter of luck.
   */
  isNearDeadline(): boolean {
    return this.#hasDeadline(this.#now, this.#now);
  }

  /** True when something expires between two times, a margin around them included. */
  #hasDeadline(from: number, to: number): boolean {
    const near = (time: number) => time > from - DEADLINE_MARGIN && time < to + DEADLINE_MARGIN;
    return this.#candidates.some((host) => {
      for (const entry of host.netfilter.conntrack.entries(from - DEADLINE_MARGIN)) {
        if (near(entry.expires) || near(entry.streamAfter)) return true;
      }
      return false;
    });
  }

  /** What the engine makes of a packet without being told what happened; its state stays. */
  predict(injection: Injection): Passage | undefined {
    const [host] = this.#candidates;
    return host && this.#play(host, injection, new ScriptedChoices([], [0])).passage;
  }

  /**
   * Plays `injection` and keeps the states that agree with `observation`, if any does. `listConntrack` is asked
   * for the kernel's table when a drawn port may not show in any packet. The kernel had the packet at any time
   * between now and `late` seconds later.
   */
  follow(
    injection: Injection,
    observation: Observation,
    listConntrack?: () => readonly ListedEntry[],
    late = 0,
  ): Followed {
    const start = this.#candidates;
    // Something may have expired in between without any packet showing it yet: then both may be true.
    const crosses = late >= NOTEWORTHY_DELAY && this.#hasDeadline(this.#now, this.#now + late);
    const inTime = this.#followNow(injection, observation, listConntrack);
    const agrees = inTime.differences.length === 0;
    if (late < NOTEWORTHY_DELAY || (agrees && !crosses)) return inTime;
    const closest = this.#candidates;
    this.#candidates = start;
    this.#now += late;
    const delayed = this.#followNow(injection, observation, listConntrack);
    this.#now -= late;
    if (delayed.differences.length === 0) {
      if (agrees) this.#candidates = [...closest, ...this.#candidates].slice(0, MAX_CANDIDATES);
      return agrees ? inTime : delayed;
    }
    this.#candidates = closest;
    return inTime;
  }

  #followNow(
    injection: Injection,
    observation: Observation,
    listConntrack?: () => readonly ListedEntry[],
  ): Followed {
    const start = this.#candidates;
    const seen = [...observation.sent, ...observation.delivered].flatMap(portsOf);
    const followed = this.#follow(injection, observation, {
      draws: this.#portDraws(seen),
      agrees: () => true,
    });
    if (!followed.drew || listConntrack === undefined) return followed;
    const listed = listConntrack();
    this.#candidates = start;
    const known = new Set(
      start.flatMap((host) => [...host.netfilter.conntrack.entries(this.#now)].map(originalKey)),
    );
    const fresh = listed.filter((entry) => !known.has(originalKey(entry)));
    return this.#follow(injection, observation, {
      draws: this.#portDraws([...seen, ...fresh.flatMap(({ reply }) => [reply.dport, reply.sport])]),
      agrees: (host) =>
        compareConntrack(listed, host, { now: this.#now, compareTimeouts: false }).length === 0,
    });
  }

  /** One round of following: over these draws, keeping states that also satisfy `agrees`. */
  #follow(
    injection: Injection,
    observation: Observation,
    { draws, agrees }: { readonly draws: readonly number[]; readonly agrees: (host: Host) => boolean },
  ): Followed {
    const agreeing: Host[] = [];
    let drew = false;
    let closest: Pick<Followed, 'differences' | 'passage'> & { readonly host?: Host } = {
      differences: ['the engine has no state left to go on from'],
    };
    let best = Number.POSITIVE_INFINITY;
    for (const start of this.#candidates) {
      let script: number[] | undefined = [];
      const mendable: boolean[] = [];
      for (let branch = 0; script !== undefined && branch < MAX_BRANCHES; branch++) {
        const choices: ScriptedChoices = new ScriptedChoices(script, draws);
        const { host, passage } = this.#play(start, injection, choices);
        const differences = compareObservation(injection, observation, passage);
        const right = differences.length === 0 && agrees(host);
        if (right && agreeing.length < MAX_CANDIDATES) agreeing.push(host);
        if (right || (differences.length < best && agreeing.length === 0)) {
          best = differences.length;
          closest = { differences, passage, host };
        }
        drew ||= differences.length === 0 && choices.decisions.some(({ draw }) => draw);
        // Other draws can only mend ports: not what is right already, nor what went another way.
        if (!right && samePath(observation, passage))
          mendable.splice(0, mendable.length, ...choices.decisions.map(() => true));
        script = nextScript(choices.decisions, mendable);
      }
    }
    // Having gone wrong, the engine goes on from where it came closest.
    this.#candidates = agreeing.length > 0 ? agreeing : closest.host === undefined ? [] : [closest.host];
    return { ...closest, drew };
  }

  /** Keeps the states of which `differencesOf` says nothing; returns the first one's differences if none is left. */
  retain(differencesOf: (host: Host) => readonly string[]): readonly string[] {
    const judged = this.#candidates.map((host) => ({ host, differences: differencesOf(host) }));
    const agreeing = judged.filter(({ differences }) => differences.length === 0);
    if (agreeing.length === 0) return judged[0]?.differences ?? [];
    this.#candidates = agreeing.map(({ host }) => host);
    return [];
  }

  #play(start: Host, { packet, device: ifname, frame }: Injection, choices: Choices) {
    const host = start.fork(new Clock(this.#now), choices);
    const device = ifname === undefined ? undefined : host.addresses.devices.get(ifname);
    const passage = device === undefined ? host.send(packet) : host.receive(packet, device, frame ?? 'host');
    return { host, passage };
  }

  /** The draws that could have led a port search to one of `ports`. */
  #portDraws(ports: readonly number[]): readonly number[] {
    const draws = [...new Set(ports)].flatMap((port) => this.#starts.map((start) => (port - start) & 0xffff));
    return [...new Set([...draws, 0])];
  }
}
