/** Makes a failing case small: whatever can be left out while it still fails is left out. */
import type { DifferentialCase } from './differential.ts';
import type { Step } from './fuzz-traffic.ts';

export interface Shrinkable {
  readonly subject: DifferentialCase;
  readonly steps: readonly Step[];
}

/** True when the case still fails; must not throw. */
export type StillFails = (candidate: Shrinkable) => boolean;

/** The shortest list that still fails which removing ever smaller runs of items finds. */
function fewest<T>(items: readonly T[], fails: (items: readonly T[]) => boolean): readonly T[] {
  let kept = items;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let start = Math.max(0, kept.length - size); start >= 0; start -= size) {
      const without = [...kept.slice(0, start), ...kept.slice(start + size)];
      if (without.length < kept.length && fails(without)) kept = without;
    }
  }
  return kept;
}

/** Rule lines, each shorter by one match. */
function simplerRules(line: string): string[] {
  const words = line.split(/ (?=(?:! )?-(?:m|s|d|i|o|p|j|g) )/);
  return words.flatMap((word, index) =>
    /^-A|^-[jg] /.test(word) ? [] : [[...words.slice(0, index), ...words.slice(index + 1)].join(' ')],
  );
}

function withRules(candidate: Shrinkable, lines: readonly string[]): Shrinkable {
  return { ...candidate, subject: { ...candidate.subject, rules: `${lines.join('\n')}\n` } };
}

function shrinkRules(start: Shrinkable, fails: StillFails): Shrinkable {
  let lines = start.subject.rules.split('\n').filter((line) => line !== '');
  // Rules first: a chain goes only when nothing jumps to it any more.
  const droppable = (line: string) => line.startsWith('-A');
  const keep = (kept: ReadonlySet<string>) => lines.filter((line) => !droppable(line) || kept.has(line));
  const rules = fewest(lines.filter(droppable), (some) => fails(withRules(start, keep(new Set(some)))));
  lines = keep(new Set(rules));
  for (let index = 0; index < lines.length; index++) {
    for (;;) {
      const simpler = simplerRules(lines[index] ?? '').find((line) =>
        fails(withRules(start, lines.with(index, line))),
      );
      if (simpler === undefined || !droppable(lines[index] ?? '')) break;
      lines = lines.with(index, simpler);
    }
  }
  for (const line of lines.filter((candidate) => candidate.startsWith(':') && candidate.includes(' - '))) {
    const without = lines.filter((other) => other !== line);
    if (fails(withRules(start, without))) lines = without;
  }
  lines = dropEmptyTables(lines, (some) => fails(withRules(start, some)));
  return withRules(start, lines);
}

function dropEmptyTables(lines: string[], fails: (lines: readonly string[]) => boolean): string[] {
  let kept = lines;
  for (const head of lines.filter((line) => line.startsWith('*'))) {
    const from = kept.indexOf(head);
    const to = kept.indexOf('COMMIT', from);
    if (kept.slice(from, to).some((line) => line.startsWith('-A'))) continue;
    const without = [...kept.slice(0, from), ...kept.slice(to + 1)];
    if (fails(without)) kept = without;
  }
  return kept;
}

function shrinkPlan(start: Shrinkable, fails: StillFails): Shrinkable {
  const withPlan = (plan: Shrinkable['subject']['plan']): Shrinkable => ({
    ...start,
    subject: { ...start.subject, plan },
  });
  let { plan } = start.subject;
  const routes = fewest(plan.routes, (some) => fails(withPlan({ ...plan, routes: some })));
  plan = { ...plan, routes };
  const devices = fewest(plan.devices, (some) => fails(withPlan({ ...plan, devices: some })));
  plan = { ...plan, devices };
  for (const [index, device] of plan.devices.entries()) {
    const replaced = (addresses: typeof device.addresses) => ({
      ...plan,
      devices: plan.devices.with(index, { ...device, addresses }),
    });
    const addresses = fewest(device.addresses, (some) => fails(withPlan(replaced(some))));
    plan = replaced(addresses);
  }
  return withPlan(plan);
}

/** A case no larger than `start` that still fails. */
export function shrink(start: Shrinkable, fails: StillFails): Shrinkable {
  const steps = fewest(start.steps, (some) => fails({ ...start, steps: some }));
  let current: Shrinkable = { ...start, steps };
  current = shrinkRules(current, fails);
  current = shrinkPlan(current, fails);
  return { ...current, steps: fewest(current.steps, (some) => fails({ ...current, steps: some })) };
}
