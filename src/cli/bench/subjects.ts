/** What each subject of `bench` measures and prints. */
import type { IpFamily } from '../../wire/ip-address.ts';
import { BACKENDS, requireKernel } from './kernel-node.ts';
import { describeMachine, machineLine } from './machine.ts';
import type { Spread } from './traffic.ts';

/** What was asked for; what is left out has a default for each subject. */
export interface BenchRequest {
  readonly services?: readonly number[];
  readonly endpoints?: number;
  readonly nodes?: number;
  readonly pods?: number;
  readonly requests?: number;
  readonly family: IpFamily;
  /** Names; those that the subject does not have are left out. */
  readonly engines?: readonly string[];
  readonly spreads: readonly Spread[];
  readonly rounds?: number;
  /** Of a round of `forward`. */
  readonly packets?: number;
  readonly seed: number;
  /** Whether the machine's own kernel is measured too. */
  readonly kernel: boolean;
  /** Told what is being measured. */
  readonly progress: (step: string) => void;
  /** Told what is not measured although it was asked for. */
  readonly warn: (line: string) => void;
}

export interface BenchReport {
  /** For people. */
  readonly text: string;
  /** For programs. */
  readonly json: unknown;
  /** SVG, where there is a chart. */
  readonly chart?: string;
}

const SERVICES = [1000, 10_000];
const ENDPOINTS = 3;
const LOOKUP_ROUNDS = 101;
const KERNEL_ROUNDS = 21;
/** Loading takes iptables-restore more than a minute beyond. */
const MOST_KERNEL_SERVICES = 30_000;
const FORWARD_ROUNDS = 15;
const SYNC_ROUNDS = 9;
/** The kernel's programs take seconds. */
const RESTORE_ROUNDS = 5;

const SCALE = { services: 50_000, endpoints: 5, fleetServices: 10_000, nodes: 5000 };

const MESH = { nodes: 50, pods: 1000, services: 20, requests: 100_000 };

/** Calls `measure` for each size in turn. */
async function bySize<T>(
  { services = SERVICES, endpoints = ENDPOINTS, family, progress, kernel }: BenchRequest,
  measure: (size: { services: number; endpoints: number; family: IpFamily }) => Promise<T>,
): Promise<readonly T[]> {
  // Better now than after the engines' turn.
  if (kernel) requireKernel();
  const results: T[] = [];
  for (const count of services) {
    progress(`${count.toLocaleString('en')} Services`);
    results.push(await measure({ services: count, endpoints, family }));
  }
  return results;
}

export async function lookup(request: BenchRequest): Promise<BenchReport> {
  const [{ benchLookup }, { ENGINES }, { kernelText, lookupText }, { costChart }] = await Promise.all([
    import('./lookup.ts'),
    import('./engines.ts'),
    import('./report.ts'),
    import('./chart.ts'),
  ]);
  const { engines: names = ['linear', 'compiled'], spreads, rounds = LOOKUP_ROUNDS, seed, kernel } = request;
  const engines = ENGINES.filter((name) => names.includes(name));
  const machine = describeMachine();
  const reports = await bySize(request, (size) => {
    const withKernel = kernel && size.services <= MOST_KERNEL_SERVICES;
    if (kernel && !withKernel) {
      const most = MOST_KERNEL_SERVICES.toLocaleString('en');
      request.warn(
        `more than ${most} Services take the kernel's programs minutes to load: left to bench kernel`,
      );
    }
    return benchLookup({ size, engines, spreads, rounds, seed, kernel: withKernel });
  });
  const results = reports.flatMap((report) => report.results);
  const kernelResults = reports.flatMap((report) => report.kernel);
  const loading = reports.flatMap((report) => report.loading);
  const texts = [machineLine(machine), lookupText(results)];
  if (kernel) texts.push(kernelText({ results: kernelResults, loading }));
  return {
    text: texts.join('\n'),
    json: { machine, results, ...(kernel ? { kernel: kernelResults, kernelLoading: loading } : {}) },
    chart: costChart({ lookups: results, kernel: kernelResults, machine: machineLine(machine) }),
  };
}

export async function kernel(request: BenchRequest): Promise<BenchReport> {
  const [{ benchKernel }, { kernelText }, { costChart }] = await Promise.all([
    import('./kernel.ts'),
    import('./report.ts'),
    import('./chart.ts'),
  ]);
  const { spreads, rounds = KERNEL_ROUNDS, seed } = request;
  const machine = describeMachine();
  const reports = await bySize({ ...request, kernel: true }, (size) =>
    benchKernel({ size, spreads, rounds, seed }),
  );
  const results = reports.flatMap((report) => report.results);
  const loading = reports.flatMap((report) => report.loading);
  return {
    text: `${machineLine(machine)}\n${kernelText({ results, loading })}`,
    json: { machine, results, loading },
    chart: costChart({ lookups: [], kernel: results, machine: machineLine(machine) }),
  };
}

export async function sync(request: BenchRequest): Promise<BenchReport> {
  const [{ benchSync }, { syncText }] = await Promise.all([import('./sync.ts'), import('./report.ts')]);
  const { kernel: withKernel } = request;
  const { rounds = withKernel ? RESTORE_ROUNDS : SYNC_ROUNDS } = request;
  const backends = withKernel ? BACKENDS : [];
  const machine = describeMachine();
  const results = await bySize(request, (size) => benchSync({ size, rounds, backends }));
  return {
    text: `${machineLine(machine)}\n${results.map(syncText).join('\n')}`,
    json: { machine, results },
  };
}

export async function forward(request: BenchRequest): Promise<BenchReport> {
  const [{ benchForward, HOST_ENGINES }, { forwardText }] = await Promise.all([
    import('./forward.ts'),
    import('./report.ts'),
  ]);
  const { engines, packets, rounds = FORWARD_ROUNDS } = request;
  const wanted = HOST_ENGINES.filter((name) => engines === undefined || engines.includes(name));
  const machine = describeMachine();
  const results = await bySize(request, (size) => benchForward(size, { engines: wanted, rounds, packets }));
  return {
    text: `${machineLine(machine)}\n${forwardText(results.flat())}`,
    json: { machine, results: results.flat() },
  };
}

export async function scale(request: BenchRequest): Promise<BenchReport> {
  const [{ benchScale }, { scaleText }] = await Promise.all([import('./scale.ts'), import('./report.ts')]);
  const { services: [services = SCALE.services] = [], endpoints = SCALE.endpoints, family } = request;
  const machine = describeMachine();
  const { nodes = SCALE.nodes, progress } = request;
  const size = { services, endpoints, family };
  const result = benchScale({ size, fleetServices: SCALE.fleetServices, nodes, progress });
  return { text: `${machineLine(machine)}\n${scaleText(result)}`, json: { machine, ...result } };
}

export async function mesh(request: BenchRequest): Promise<BenchReport> {
  const [{ benchMesh }, { meshText }] = await Promise.all([import('./mesh.ts'), import('./report.ts')]);
  const { nodes = MESH.nodes, pods = MESH.pods, requests = MESH.requests, seed } = request;
  const { services: [services = MESH.services] = [] } = request;
  const machine = describeMachine();
  const clock = () => Number(process.hrtime.bigint()) / 1e9;
  // A Service without a pod would answer nobody.
  const size = { nodes, pods, services: Math.min(services, pods), requests };
  const result = benchMesh(size, seed, clock);
  return { text: `${machineLine(machine)}\n${meshText(result)}`, json: { machine, ...result } };
}

export async function ratios({ progress }: BenchRequest): Promise<BenchReport> {
  const [{ benchRatios }, { kernelText, ratiosText }] = await Promise.all([
    import('./ratios.ts'),
    import('./report.ts'),
  ]);
  const machine = describeMachine();
  const measured = await benchRatios(progress);
  const texts = [machineLine(machine), ratiosText(measured.ratios)];
  if (typeof measured.kernel === 'string') texts.push(`The kernel's own figures: ${measured.kernel}\n`);
  else texts.push(kernelText(measured.kernel));
  return { text: texts.join('\n'), json: measured.ratios };
}
