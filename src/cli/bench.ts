/** `kubewire bench`: what lookups, syncs and forwarding cost on this machine. */
import { writeFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { InputError } from '../sim/input-error.ts';
import type { IpFamily } from '../wire/ip-address.ts';
import type { EngineName } from './bench/engines.ts';
import type { HostEngine } from './bench/forward.ts';
import type { Spread } from './bench/traffic.ts';
import { seedNumber, wholeNumber } from './options.ts';
import { fileError } from './system-error.ts';

const SUBJECTS = ['lookup', 'sync', 'forward', 'ratios'] as const;
type Subject = (typeof SUBJECTS)[number];
const ENGINES: readonly string[] = ['linear', 'indexed', 'compiled'];
const SPREADS: readonly string[] = ['first', 'last', 'uniform', 'zipf'];

interface BenchOptions {
  readonly services: readonly number[];
  readonly endpoints: number;
  readonly mode: 'iptables' | 'nftables';
  readonly family: IpFamily;
  readonly engine?: readonly string[];
  readonly to: readonly string[];
  readonly rounds: number;
  readonly seed: number;
  readonly kernel?: boolean;
  readonly json?: boolean;
  readonly chart?: string;
}

const EXAMPLES = `
What is measured:
  lookup    finding the endpoint of a Service, by engine and destinations (first, last, uniform, zipf)
  sync      writing, reading and compiling a node's rules: all of them, and one changed Service
  forward   packets through a whole node: new flows and established ones
  ratios    every performance goal, measured, beside what it should be

Sides that are compared take turns in one run. Figures are medians of rounds; p99 is the slowest
hundredth of the rounds.

Examples:
  kubewire bench lookup --services 100,1000,10000 --engine linear,compiled --chart lookup.svg
  kubewire bench sync --services 10000 --kernel
  kubewire bench ratios --json
`;

const serviceCount = wholeNumber(1, 1_000_000);

function list(known: readonly string[]): (text: string) => readonly string[] {
  return (text) => {
    const words = text.split(',');
    if (words.every((word) => known.includes(word))) return words;
    throw new InvalidArgumentError(`Expected some of ${known.join(', ')}, with commas between them.`);
  };
}

/** Where progress goes: standard error, when somebody is looking. */
function progress(step: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${step} …\n`);
}

function writeChart(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw fileError(path, 'write', error);
  }
}

async function lookup(options: BenchOptions): Promise<string> {
  const [{ benchLookup }, report, { describeMachine, machineLine }] = await Promise.all([
    import('./bench/lookup.ts'),
    import('./bench/report.ts'),
    import('./bench/machine.ts'),
  ]);
  const { endpoints, family, rounds, seed } = options;
  const machine = describeMachine();
  const results = [];
  for (const services of options.services) {
    progress(`${services} Services`);
    const size = { services, endpoints, family };
    const engines = (options.engine ?? ['linear', 'compiled']) as readonly EngineName[];
    const spreads = options.to as readonly Spread[];
    results.push(...(await benchLookup({ size, engines, spreads, rounds, seed })));
  }
  if (options.chart !== undefined) {
    const { lookupChart } = await import('./bench/chart.ts');
    writeChart(options.chart, lookupChart(results, machineLine(machine)));
  }
  if (options.json) return JSON.stringify({ machine, results });
  return `${machineLine(machine)}\n${report.lookupText(results)}`;
}

async function sync(options: BenchOptions): Promise<string> {
  const [{ benchSync }, report, { describeMachine, machineLine }] = await Promise.all([
    import('./bench/sync.ts'),
    import('./bench/report.ts'),
    import('./bench/machine.ts'),
  ]);
  const { endpoints, family } = options;
  const machine = describeMachine();
  const results = [];
  for (const services of options.services) {
    progress(`${services} Services`);
    const size = { services, endpoints, family };
    results.push(await benchSync({ size, rounds: 9, kernelRounds: options.kernel ? 3 : 0 }));
  }
  if (options.json) return JSON.stringify({ machine, results });
  return `${machineLine(machine)}\n${results.map(report.syncText).join('\n')}`;
}

async function forward(options: BenchOptions): Promise<string> {
  const [{ benchForward, HOST_ENGINES }, report, { describeMachine, machineLine }] = await Promise.all([
    import('./bench/forward.ts'),
    import('./bench/report.ts'),
    import('./bench/machine.ts'),
  ]);
  const { endpoints, family } = options;
  const engines = (options.engine ?? HOST_ENGINES) as readonly HostEngine[];
  const machine = describeMachine();
  const results = [];
  for (const services of options.services) {
    progress(`${services} Services`);
    results.push(...(await benchForward({ services, endpoints, family }, { engines, rounds: 15 })));
  }
  if (options.json) return JSON.stringify({ machine, results });
  return `${machineLine(machine)}\n${report.forwardText(results)}`;
}

async function ratios(options: BenchOptions): Promise<string> {
  const [{ benchRatios }, report, { describeMachine, machineLine }] = await Promise.all([
    import('./bench/ratios.ts'),
    import('./bench/report.ts'),
    import('./bench/machine.ts'),
  ]);
  const machine = describeMachine();
  const measured = await benchRatios(progress);
  if (options.json) return JSON.stringify(measured);
  return `${machineLine(machine)}\n${report.ratiosText(measured)}`;
}

const RUNS: Readonly<Record<Subject, (options: BenchOptions) => Promise<string>>> = {
  lookup,
  sync,
  forward,
  ratios,
};

/** Refuses flags that mean nothing for `subject`. */
function checkOptions(subject: Subject, options: BenchOptions): void {
  if (options.mode === 'nftables') {
    throw new InputError("--mode nftables: the flat engines know iptables rules only; expected 'iptables'");
  }
  if (subject === 'forward' && options.engine?.includes('indexed')) {
    throw new InputError(
      "--engine indexed: a whole node has no such engine; expected 'linear' or 'compiled'",
    );
  }
  if (subject !== 'lookup' && options.chart !== undefined) {
    throw new InputError(`--chart: there is no chart of ${subject}; expected 'bench lookup'`);
  }
}

/** Measures `subject` and prints what came out. */
export async function runBench(subject: Subject, options: BenchOptions): Promise<void> {
  checkOptions(subject, options);
  process.stdout.write(`${(await RUNS[subject](options)).trimEnd()}\n`);
}

/** Adds the command to `program`. */
export function registerBench(program: Command): void {
  const command = program.command('bench');
  const services = (text: string) => text.split(',').map(serviceCount);
  command
    .description(
      "what lookups, syncs and forwarding cost: kubewire's engines against each other and the machine",
    )
    .addArgument(command.createArgument('<subject>', 'what to measure').choices(SUBJECTS))
    .option('--services <numbers>', 'how many Services; several with commas', services, [1000, 10_000])
    .option('--endpoints <number>', 'endpoints of each Service', wholeNumber(1, 1000), 3)
    .addOption(
      command
        .createOption('--mode <mode>', "kube-proxy's mode")
        .choices(['iptables', 'nftables'])
        .default('iptables'),
    )
    .addOption(
      command.createOption('--family <family>', 'of the addresses').choices(['ipv4', 'ipv6']).default('ipv4'),
    )
    .option('--engine <names>', `some of ${ENGINES.join(', ')}`, list(ENGINES))
    .option('--to <destinations>', `some of ${SPREADS.join(', ')} (lookup)`, list(SPREADS), SPREADS)
    .option('--rounds <number>', 'rounds of each measurement (lookup)', wholeNumber(3, 100_000), 101)
    .option('--seed <number>', 'the seed of the packets', seedNumber, 1)
    .option('--kernel', "time the machine's own iptables programs too (sync; needs root)")
    .option('--json', 'print JSON')
    .option('--chart <file>', 'write an SVG chart (lookup)')
    .addHelpText('after', EXAMPLES)
    .action(runBench);
}
