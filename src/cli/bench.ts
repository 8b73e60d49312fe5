/** `kubewire bench`: what lookups, syncs and forwarding cost on this machine. */
import { type Command, InvalidArgumentError } from 'commander';
import { InputError } from '../sim/input-error.ts';
import type { IpFamily } from '../wire/ip-address.ts';
import type { BenchReport, BenchRequest } from './bench/subjects.ts';
import type { Spread } from './bench/traffic.ts';
import { seedNumber, wholeNumber } from './options.ts';

const SUBJECTS = ['lookup', 'sync', 'forward', 'kernel', 'scale', 'mesh', 'ratios'] as const;
type Subject = (typeof SUBJECTS)[number];
const ENGINES = ['linear', 'indexed', 'compiled', 'flat'] as const;
type Engine = (typeof ENGINES)[number];
const SPREADS: readonly Spread[] = ['first', 'last', 'uniform', 'zipf'];

export interface BenchFlags {
  readonly services?: readonly number[];
  readonly endpoints?: number;
  readonly nodes?: number;
  readonly pods?: number;
  readonly requests?: number;
  readonly mode: 'iptables' | 'nftables';
  readonly family: IpFamily;
  readonly engine?: readonly Engine[];
  readonly to: readonly Spread[];
  readonly rounds?: number;
  readonly packets?: number;
  readonly seed: number;
  readonly kernel?: boolean;
  readonly json?: boolean;
  readonly chart?: string;
}

const EXAMPLES = `
What is measured:
  lookup    finding the endpoint of a Service, by engine and destinations (first, last, uniform, zipf)
  sync      writing, reading and compiling a node's rules: all of them, and one changed Service
  forward   packets through a whole emulated node: new flows and established ones
  kernel    the same through this machine's own kernel, in private network namespaces (root, Linux)
  scale     rules of a very large cluster in one process, and many nodes held at once: time and memory
  mesh      pods of an emulated cluster that ask each other over HTTP through Services: time and memory
  ratios    every performance goal, measured, beside what it should be

Sides that are compared take turns in one run, on the same packets, and their answers are compared.
Figures are medians of rounds, after a warm-up.

Examples:
  kubewire bench lookup --services 100,1000,10000 --engine linear,compiled
  sudo kubewire bench lookup --services 100,1000,10000 --kernel --chart lookup.svg
  kubewire bench sync --services 10000 --kernel
  kubewire bench ratios --json
`;

const serviceCount = wholeNumber(1, 1_000_000);

function list<T extends string>(known: readonly T[]): (text: string) => readonly T[] {
  return (text) => {
    const words = text.split(',');
    const found = known.filter((word) => words.includes(word));
    if (found.length === new Set(words).size) return found;
    throw new InvalidArgumentError(`Expected some of ${known.join(', ')}, with commas between them.`);
  };
}

/** Where progress goes: standard error, when somebody is looking. */
function progress(step: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${step} …\n`);
}

function warn(subject: Subject, line: string): void {
  process.stderr.write(`kubewire: bench ${subject}: ${line}\n`);
}

/** Which engines a subject can measure. */
const ENGINES_OF: Readonly<Partial<Record<Subject, readonly Engine[]>>> = {
  lookup: ['linear', 'indexed', 'compiled'],
  forward: ['linear', 'compiled', 'flat'],
};

/** Flags that only some subjects have a meaning for. */
const MEANING: Readonly<
  Record<
    | 'chart'
    | 'engine'
    | 'endpoints'
    | 'kernel'
    | 'nodes'
    | 'packets'
    | 'pods'
    | 'requests'
    | 'rounds'
    | 'services',
    readonly Subject[]
  >
> = {
  chart: ['lookup', 'kernel'],
  engine: ['lookup', 'forward'],
  endpoints: ['lookup', 'sync', 'forward', 'kernel', 'scale'],
  kernel: ['lookup', 'sync', 'kernel', 'ratios'],
  nodes: ['scale', 'mesh'],
  packets: ['forward'],
  pods: ['mesh'],
  requests: ['mesh'],
  rounds: ['lookup', 'sync', 'forward', 'kernel'],
  services: ['lookup', 'sync', 'forward', 'kernel', 'scale', 'mesh'],
};

/** Refuses what cannot be measured, and says which flags mean nothing for `subject`. */
function checkFlags(subject: Subject, flags: BenchFlags): void {
  if (flags.mode === 'nftables') {
    throw new InputError(
      "--mode nftables: there are no rules of that mode to measure yet; expected 'iptables'",
    );
  }
  for (const [flag, subjects] of Object.entries(MEANING)) {
    if (flags[flag as keyof typeof MEANING] === undefined || subjects.includes(subject)) continue;
    if (flag === 'chart') {
      throw new InputError(
        `--chart: there is no chart of ${subject}; expected 'bench ${subjects.join("' or 'bench ")}'`,
      );
    }
    warn(subject, `--${flag} has no meaning here and is left out`);
  }
  const engines = ENGINES_OF[subject];
  const stranger = engines && flags.engine?.find((name) => !engines.includes(name));
  if (stranger !== undefined) {
    throw new InputError(
      `--engine ${stranger}: bench ${subject} has no such engine; expected some of ${engines?.join(', ')}`,
    );
  }
}

function requestOf(subject: Subject, flags: BenchFlags): BenchRequest {
  const { services, endpoints, nodes, pods, requests, family, engine, to, rounds, packets, seed } = flags;
  const { kernel = false } = flags;
  return {
    ...(services === undefined ? {} : { services }),
    ...(endpoints === undefined ? {} : { endpoints }),
    ...(nodes === undefined ? {} : { nodes }),
    ...(pods === undefined ? {} : { pods }),
    ...(requests === undefined ? {} : { requests }),
    ...(engine === undefined ? {} : { engines: engine }),
    ...(rounds === undefined ? {} : { rounds }),
    ...(packets === undefined ? {} : { packets }),
    family,
    spreads: to,
    seed,
    kernel,
    progress,
    warn: (line) => warn(subject, line),
  };
}

/** What this machine lacks is a matter of the request: one line, exit 2. */
async function measure(subject: Subject, request: BenchRequest): Promise<BenchReport> {
  const [subjects, { KernelUnavailable }] = await Promise.all([
    import('./bench/subjects.ts'),
    import('./kernel/libc.ts'),
  ]);
  try {
    return await subjects[subject](request);
  } catch (error) {
    if (error instanceof KernelUnavailable) throw new InputError(`bench ${subject}: ${error.message}`);
    throw error;
  }
}

/** Measures `subject`, prints what came out and writes the chart. Throws InputError. */
export async function runBench(subject: Subject, flags: BenchFlags): Promise<void> {
  checkFlags(subject, flags);
  const { replaceFile, checkWritable } = await import('./bench/chart-file.ts');
  // Better now than after minutes of measuring.
  if (flags.chart !== undefined) checkWritable(flags.chart);
  const { text, json, chart } = await measure(subject, requestOf(subject, flags));
  if (flags.chart !== undefined && chart !== undefined) replaceFile(flags.chart, chart);
  process.stdout.write(`${(flags.json ? JSON.stringify(json) : text).trimEnd()}\n`);
}

/** Adds the command to `program`. */
export function registerBench(program: Command): void {
  const command = program.command('bench');
  const services = (text: string) => text.split(',').map(serviceCount);
  command
    .description("what lookups, syncs and forwarding cost: kubewire's engines and this machine's kernel")
    .addArgument(command.createArgument('<subject>', 'what to measure').choices(SUBJECTS))
    .option(
      '--services <numbers>',
      'how many Services; several with commas (default: 1000,10000; scale: 50000; mesh: 20)',
      services,
    )
    .option('--endpoints <number>', 'endpoints of each Service (default: 3; scale: 5)', wholeNumber(1, 1000))
    .option(
      '--nodes <number>',
      'nodes (scale: held at once, default 5000; mesh: 50)',
      wholeNumber(1, 100_000),
    )
    .option('--pods <number>', 'pods that ask and serve (mesh) (default: 1000)', wholeNumber(1, 100_000))
    .option(
      '--requests <number>',
      'of all pods together (mesh) (default: 100000)',
      wholeNumber(1, 100_000_000),
    )
    .addOption(
      command
        .createOption('--mode <mode>', "kube-proxy's mode")
        .choices(['iptables', 'nftables'])
        .default('iptables'),
    )
    .addOption(
      command.createOption('--family <family>', 'of the addresses').choices(['ipv4', 'ipv6']).default('ipv4'),
    )
    .option(
      '--engine <names>',
      'some of linear, indexed, compiled (lookup), linear, compiled, flat (forward)',
      list(ENGINES),
    )
    .option('--to <destinations>', `some of ${SPREADS.join(', ')} (lookup, kernel)`, list(SPREADS), SPREADS)
    .option('--rounds <number>', 'rounds of each measurement', wholeNumber(3, 100_000))
    .option('--packets <number>', 'packets of a round (forward)', wholeNumber(1, 1_000_000))
    .option('--seed <number>', 'the seed of the packets', seedNumber, 1)
    .option('--kernel', "measure this machine's own kernel and programs too (lookup, sync; root, Linux)")
    .option('--json', 'print JSON')
    .option('--chart <file>', 'write an SVG chart (lookup, kernel)')
    .addHelpText('after', EXAMPLES)
    .action(runBench);
}
