/**
 * Random rule sets as text, over every table. Chains call only later ones, so nothing loops; a chain's place
 * decides what may stand in it.
 */
import type { Dice } from './dice.ts';
import type { FuzzHost } from './fuzz-host.ts';
import { randomMatches } from './fuzz-matches.ts';
import type { Hook, Scene } from './fuzz-scene.ts';
import { randomTarget } from './fuzz-targets.ts';

const TABLE_HOOKS: Readonly<Record<string, readonly Hook[]>> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  security: ['INPUT', 'FORWARD', 'OUTPUT'],
};

interface PlannedChain {
  readonly name: string;
  readonly hooks: readonly Hook[];
}

/** The groups of hooks from which one user-defined chain may be reached without holding what it must not. */
function hookGroups(table: string): readonly (readonly Hook[])[] {
  if (table === 'nat') return [['PREROUTING', 'OUTPUT'], ['INPUT', 'POSTROUTING'], ['POSTROUTING']];
  return [TABLE_HOOKS[table] ?? []];
}

/** A target's own `-p` takes the place of a matched one and of all that depends on it. */
function withProtocol(matches: readonly string[], protocol: string | undefined): string[] {
  if (protocol === undefined) return [...matches];
  const dependent = /^(! )?-p |^-m (tcp|udp|icmp6?|sctp|multiport) /;
  return [`-p ${protocol}`, ...matches.filter((match) => !dependent.test(match))];
}

function ruleLine(scene: Scene, chain: string, callable: readonly PlannedChain[]): string {
  const { dice } = scene;
  const matches = randomMatches(scene);
  const words = [`-A ${chain}`];
  if (callable.length > 0 && dice.chance(35)) {
    words.push(...matches, `${dice.chance(75) ? '-j' : '-g'} ${dice.pick(callable).name}`);
  } else {
    const { protocol, text } = randomTarget(scene);
    words.push(...withProtocol(matches, protocol), text);
  }
  return words.filter((word) => word !== '').join(' ');
}

function randomTable(table: string, newScene: (hooks: readonly Hook[]) => Scene): string {
  const { dice } = newScene([]);
  const bases: PlannedChain[] = (TABLE_HOOKS[table] ?? []).map((hook) => ({ name: hook, hooks: [hook] }));
  const users: PlannedChain[] = hookGroups(table).flatMap((hooks, group) =>
    Array.from({ length: dice.between(0, 4) }, (_, index) => ({ name: `u${group}-${index}`, hooks })),
  );
  const chains = [...bases, ...users];
  const rules = chains.flatMap((chain, position) => {
    // Only chains that come later and may be reached from every hook that reaches this one.
    const callable = users.filter(
      (user) => chains.indexOf(user) > position && chain.hooks.every((hook) => user.hooks.includes(hook)),
    );
    const count = dice.weighted<() => number>(
      [2, () => 0],
      [3, () => dice.between(1, 2)],
      [3, () => dice.between(2, 5)],
      [1, () => dice.between(5, 9)],
    )();
    return Array.from({ length: count }, () => ruleLine(newScene(chain.hooks), chain.name, callable));
  });
  const policy = () => (table === 'nat' || dice.chance(93) ? 'ACCEPT' : 'DROP');
  const heads = chains.map(({ name }) =>
    users.some((user) => user.name === name) ? `:${name} -` : `:${name} ${policy()}`,
  );
  return [`*${table}`, ...heads.map((head) => `${head} [0:0]`), ...rules, 'COMMIT', ''].join('\n');
}

/** The iptables-save text of a rule set over a random choice of tables. `timed`: pauses will happen. */
export function randomRules(dice: Dice, host: FuzzHost, timed: boolean): string {
  let serial = 0;
  const tables = [
    ...(dice.chance(30) ? ['raw'] : []),
    ...(dice.chance(50) ? ['mangle'] : []),
    ...(dice.chance(80) ? ['nat'] : []),
    ...(dice.chance(75) ? ['filter'] : []),
    ...(dice.chance(15) ? ['security'] : []),
  ];
  return tables
    .map((table) => randomTable(table, (hooks) => ({ dice, host, table, hooks, serial: serial++, timed })))
    .join('');
}
