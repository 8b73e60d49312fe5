/** `bench scale`: one very large rule set, and a fleet of nodes, in one process: time and memory, step by step. */
import { CompiledTable } from '../../netfilter/flat/compile.ts';
import { generateIptablesRules } from '../../proxy/iptables/generate.ts';
import { benchFleet, type FleetResult } from './fleet.ts';
import { nanoseconds } from './measure.ts';
import { peakBytes } from './memory.ts';
import { clusterOf, natTable, type Size } from './workload.ts';

export interface ScaleStep {
  readonly name: 'make the Services' | 'generate' | 'read' | 'compile' | 'dispatch table';
  readonly milliseconds: number;
  /** Of the whole process, when the step was done. */
  readonly residentBytes: number;
}

export interface ScaleResult extends Size {
  readonly rules: number;
  readonly bytes: number;
  readonly steps: readonly ScaleStep[];
  /** The most that the process ever held, the fleet before included. */
  readonly peakBytes: number;
  readonly fleet: FleetResult;
}

const MILLISECOND = 1e6;

/** One rule set, all of it; `progress` is told what comes next. */
function benchLarge(size: Size, progress: (step: string) => void): Omit<ScaleResult, 'fleet'> {
  const steps: ScaleStep[] = [];
  const step = <T>(name: ScaleStep['name'], run: () => T): T => {
    progress(name);
    const start = nanoseconds();
    const made = run();
    const milliseconds = (nanoseconds() - start) / MILLISECOND;
    steps.push({ name, milliseconds, residentBytes: process.memoryUsage.rss() });
    return made;
  };
  const cluster = step('make the Services', () => clusterOf(size));
  const text = step('generate', () => generateIptablesRules(cluster));
  const table = step('read', () => natTable(text, size.family));
  const compiled = step('compile', () => new CompiledTable(table, size.family));
  step('dispatch table', () => compiled.image('PREROUTING'));
  return { ...size, rules: compiled.rules, bytes: text.length, steps, peakBytes: peakBytes() };
}

export interface ScaleOptions {
  readonly size: Size;
  /** Of the fleet: its Services, fewer if `size` has fewer, and its nodes. */
  readonly fleetServices: number;
  readonly nodes: number;
  readonly progress: (step: string) => void;
}

/** Does everything once, in this process. Throws Error when a node of the fleet answers wrongly. */
export function benchScale({ size, fleetServices, nodes, progress }: ScaleOptions): ScaleResult {
  progress('the fleet');
  const services = Math.min(size.services, fleetServices);
  // First, while the process holds nothing else: what a large rule set leaves behind is given back late.
  const fleet = benchFleet({ size: { ...size, services }, nodes });
  return { ...benchLarge(size, progress), fleet };
}
