/** `bench scale`: the rules of a very large cluster in one process: time and memory, step by step. */
import { CompiledTable } from '../../netfilter/flat/compile.ts';
import { generateIptablesRules } from '../../proxy/iptables/generate.ts';
import { nanoseconds } from './measure.ts';
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
  /** The most that the process ever held. */
  readonly peakBytes: number;
}

const MILLISECOND = 1e6;

/** Does everything once, in this process: `progress` is told what comes next. */
export function benchScale(size: Size, progress: (step: string) => void): ScaleResult {
  const steps: ScaleStep[] = [];
  const step = <T>(name: ScaleStep['name'], run: () => T): T => {
    progress(name);
    const start = nanoseconds();
    const made = run();
    steps.push({
      name,
      milliseconds: (nanoseconds() - start) / MILLISECOND,
      residentBytes: process.memoryUsage.rss(),
    });
    return made;
  };
  const cluster = step('make the Services', () => clusterOf(size));
  const text = step('generate', () => generateIptablesRules(cluster));
  const table = step('read', () => natTable(text, size.family));
  const compiled = step('compile', () => new CompiledTable(table, size.family));
  step('dispatch table', () => compiled.image('PREROUTING'));
  return {
    ...size,
    rules: compiled.rules,
    bytes: text.length,
    steps,
    // Kilobytes, says getrusage(2).
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
}
