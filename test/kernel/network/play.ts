/** A network built twice, the same done to both, and what passed every device compared, step by step. */
import { compareConntrack } from '../../../src/cli/kernel/compare.ts';
import { parseConntrackList } from '../../../src/cli/kernel/conntrack-list.ts';
import { runProgram } from '../../../src/cli/kernel/programs.ts';
import { emitFrame, parseFrame } from '../../../src/wire/frame.ts';
import type { MacAddress } from '../../../src/wire/mac.ts';
import { compareCounters } from './compare-counters.ts';
import { compareFdb, compareNeighbours } from './compare-tables.ts';
import { EmulatedNetwork } from './emulated-network.ts';
import { FrameWriter, isChatter } from './frame-text.ts';
import { type CapturedFrame, KernelNetwork } from './kernel-network.ts';
import type { NetworkSpec, Step } from './network-spec.ts';

export interface Scenario {
  readonly title: string;
  readonly network: NetworkSpec;
  readonly steps: readonly Step[];
}

/** Frames by `NAMESPACE/DEVICE DIRECTION`, in order. */
type Log = ReadonlyMap<string, readonly string[]>;

/** What a step showed on both sides. */
interface StepRecord {
  readonly kernel: Log;
  readonly emulator: Log;
}

function readLog(captured: readonly CapturedFrame[], writer: FrameWriter): Log {
  const log = new Map<string, string[]>();
  for (const { namespace, device, direction, bytes } of captured) {
    const frame = parseFrame(bytes);
    if (isChatter(frame)) continue;
    const where = `${namespace}/${device} ${direction}`;
    const lines = log.get(where) ?? [];
    lines.push(writer.describe(frame, where));
    log.set(where, lines);
  }
  return log;
}

/** `inOrder`: false where timers run, whose order within a tick is the kernel's own affair. */
function sideBySide({ kernel, emulator }: StepRecord, inOrder: boolean): string[] {
  const told = (lines: readonly string[] | undefined) => (inOrder ? (lines ?? []) : (lines ?? []).toSorted());
  const places = [...new Set([...kernel.keys(), ...emulator.keys()])].sort();
  return places.flatMap((place) => {
    const seen = told(kernel.get(place));
    const modelled = told(emulator.get(place));
    if (seen.join('\n') === modelled.join('\n')) return [];
    const list = (lines: readonly string[]) => (lines.length === 0 ? ['(nothing)'] : lines);
    return [
      `${place}:`,
      ...list(seen).map((line) => `    kernel   ${line}`),
      ...list(modelled).map((line) => `    emulator ${line}`),
    ];
  });
}

function stepText(step: Step): string {
  switch (step.kind) {
    case 'send':
      return `${step.at} sends`;
    case 'frame':
      return `a frame leaves by ${step.at}/${step.device}`;
    case 'wait':
      return `${step.seconds} s go by`;
    case 'link':
      return `${step.at}/${step.device} goes ${step.up ? 'up' : 'down'}`;
  }
}

function apply(step: Step, kernel: KernelNetwork, emulator: EmulatedNetwork): void {
  switch (step.kind) {
    case 'send':
      kernel.send(step.at, step.packet, step.bytes);
      emulator.send(step.at, step.packet);
      break;
    case 'frame':
      kernel.frame(step.at, step.device, emitFrame(step.frame));
      emulator.frame(step.at, step.device, step.frame);
      break;
    case 'link':
      kernel.link(step.at, step.device, step.up);
      emulator.link(step.at, step.device, step.up);
      break;
    case 'wait':
      break;
  }
}

/** Seconds without a frame after which a step counts as over. */
const SILENCE = 0.003;

function sleep(seconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1000);
}

const neighbours = () => runProgram('ip', ['-json', 'neigh']);
const fdb = () => runProgram('bridge', ['-json', 'fdb', 'show']);
const savedRules = () => runProgram('iptables-nft-save', ['-c']);

/** Entries of tunnels differ in a port that is a hash: as many on one side as on the other are none too many. */
function withoutFlows(lines: readonly string[]): string[] {
  const tunnels = lines.filter((line) => /:(?:8472|4789)\b/.test(line));
  const here = tunnels.filter((line) => line.includes('only the engine')).length;
  const surplus = here * 2 === tunnels.length ? [] : tunnels;
  return [...lines.filter((line) => !tunnels.includes(line)), ...surplus];
}

function chatterersIn(captured: readonly CapturedFrame[]): MacAddress[] {
  return captured
    .map(({ bytes }) => parseFrame(bytes))
    .filter(isChatter)
    .map(({ source }) => source);
}

interface Remains {
  readonly spec: NetworkSpec;
  readonly kernel: KernelNetwork;
  readonly emulator: EmulatedNetwork;
  /** Who has spoken unasked in the kernel's network. */
  readonly chatterers: ReadonlySet<MacAddress>;
}

/** What is left behind on both sides: counters of rules, entries of conntrack. */
function compareTables({ spec, kernel, emulator, chatterers }: Remains): string[] {
  return Object.entries(spec.namespaces).flatMap(([name, { iptables, ip6tables, devices = {} }]) => {
    const forwards = Object.values(devices).some(({ kind }) => kind === 'bridge' || kind === 'vxlan');
    const namespace = emulator.namespace(name);
    const tables = [
      ...compareNeighbours(kernel.run(name, neighbours), namespace),
      ...(forwards ? compareFdb(kernel.run(name, fdb), namespace, chatterers) : []),
    ].map((line) => `${name}: ${line}`);
    const families = [iptables === undefined ? [] : ['ipv4'], ip6tables === undefined ? [] : ['ipv6']].flat();
    const { host } = namespace;
    if (families.length === 0) return tables;
    const listed = kernel
      .run(name, () =>
        families.flatMap((family) => parseConntrackList(runProgram('conntrack', ['-L', '-f', family]))),
      )
      // Group reports and neighbour discovery are not tracked by the emulator's hosts, which send none.
      .filter(({ protocol }) => protocol !== 2);
    const now = emulator.scheduler.clock.now();
    const counters = iptables === undefined ? [] : compareCounters(kernel.run(name, savedRules), host);
    const entries = compareConntrack(listed, host, { now, compareTimeouts: false });
    return [...tables, ...[...counters, ...withoutFlows(entries)].map((line) => `${name}: ${line}`)];
  });
}

/** A scenario being played: yields the seconds to leave it alone; returns the differences, a line each. */
export function* play({ network, steps }: Scenario, seed = 1): Generator<number, string[]> {
  const emulator = new EmulatedNetwork(network, seed);
  const kernel = new KernelNetwork(network);
  const [kernelWriter, emulatorWriter] = [new FrameWriter(network), new FrameWriter(network)];
  try {
    while (!kernel.isReady()) yield 0.02;
    const chatterers = new Set(chatterersIn(kernel.drain()));
    let last = performance.now();
    /** Lets as much time go by in the emulator as has in the kernel. */
    const catchUp = () => {
      const now = performance.now();
      emulator.settle((now - last) / 1000);
      last = now;
    };
    for (const [index, step] of steps.entries()) {
      catchUp();
      apply(step, kernel, emulator);
      const captured: CapturedFrame[] = [];
      if (step.kind === 'wait') yield step.seconds;
      for (let more: readonly CapturedFrame[] = []; ; ) {
        // In place: what happens between two steps must not depend on other scenarios.
        sleep(SILENCE);
        more = kernel.drain();
        captured.push(...more);
        if (more.length === 0) break;
      }
      catchUp();
      for (const mac of chatterersIn(captured)) chatterers.add(mac);
      const record = {
        kernel: readLog(captured, kernelWriter),
        emulator: readLog(emulator.drain(), emulatorWriter),
      };
      const differences = sideBySide(record, step.kind !== 'wait');
      if (differences.length > 0) return [`step ${index + 1}: ${stepText(step)}`, ...differences];
    }
    return compareTables({ spec: network, kernel, emulator, chatterers });
  } finally {
    kernel.close();
  }
}

interface Run {
  readonly index: number;
  readonly playing: Generator<number, string[]>;
  due: number;
}

/** How many scenarios are under way at a time. */
const WIDTH = 32;

const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/**
 * Plays all scenarios, many at a time: while one waits for its kernel the others go on. Returns the differences
 * of each, in order; what one throws is a difference.
 */
export async function playAll(scenarios: readonly Scenario[]): Promise<readonly string[][]> {
  const results: string[][] = scenarios.map(() => []);
  const running: Run[] = [];
  let next = 0;
  while (next < scenarios.length || running.length > 0) {
    running.sort((a, b) => a.due - b.due);
    let [soonest] = running;
    // Whoever is due goes on at once, so that as little time as possible passes within a scenario.
    const isDue = soonest !== undefined && soonest.due <= performance.now();
    const scenario = scenarios[next];
    if (!isDue && scenario !== undefined && running.length < WIDTH) {
      soonest = { index: next, playing: play(scenario), due: 0 };
      running.push(soonest);
      next++;
    }
    if (soonest === undefined) break;
    const left = (soonest.due - performance.now()) / 1000;
    if (left > 0) await pause(left);
    try {
      const { done, value } = soonest.playing.next();
      if (done === true) {
        results[soonest.index] = value;
        running.splice(running.indexOf(soonest), 1);
      } else soonest.due = performance.now() + value * 1000;
    } catch (error) {
      results[soonest.index] = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
      running.splice(running.indexOf(soonest), 1);
    }
  }
  return results;
}
