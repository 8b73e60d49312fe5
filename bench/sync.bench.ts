/** Bringing a node's rules up to date: the text, reading it, compiling it; all of it and one Service's part. */
import { bench, describe } from 'vitest';
import type * as SyncTexts from '../src/cli/bench/sync-texts.ts';
import type * as Workload from '../src/cli/bench/workload.ts';
import type * as Compile from '../src/netfilter/flat/compile.ts';
import type * as Generate from '../src/proxy/iptables/generate.ts';
import { built } from './built.ts';

const { changedInputs, ownChains } = (await built('cli/bench/sync-texts.ts')) as typeof SyncTexts;
const { natTable } = (await built('cli/bench/workload.ts')) as typeof Workload;
const { CompiledTable } = (await built('netfilter/flat/compile.ts')) as typeof Compile;
const { generateIptablesRules } = (await built('proxy/iptables/generate.ts')) as typeof Generate;

const FULL = { iterations: 5, time: 0, warmupIterations: 1 };

describe.each([1000, 10_000])('%d Services of 3 endpoints', (services) => {
  const size: Workload.Size = { services, endpoints: 3, family: 'ipv4' };
  const inputs = changedInputs(size);
  const text = generateIptablesRules(inputs.cluster);
  const table = natTable(text, 'ipv4');
  const change = ownChains(inputs.after);
  const states = [change, ownChains(inputs.before)].map((part) => [
    ...[...natTable(part, 'ipv4').chains.values()].filter(({ policy }) => policy === undefined),
  ]);
  const compiled = new CompiledTable(table, 'ipv4');
  compiled.image('PREROUTING');

  describe('all rules', () => {
    bench('generate', () => void generateIptablesRules(inputs.cluster), FULL);
    bench('read', () => void natTable(text, 'ipv4'), FULL);
    bench(
      'compile',
      () => {
        const chains = new Map([...table.chains].map(([name, chain]) => [name, { ...chain }]));
        new CompiledTable({ ...table, chains }, 'ipv4').image('PREROUTING');
      },
      FULL,
    );
  });

  describe('one Service', () => {
    bench('generate', () => void ownChains(inputs.after));
    bench('read', () => void natTable(change, 'ipv4'));
    let state = 0;
    bench('compile', () => {
      compiled.update(states[state++ % 2] ?? []);
      compiled.image('PREROUTING');
    });
  });
});
