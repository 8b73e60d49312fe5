/** Random rule sets as iptables-save text: few values, so that packets meet rules; every kind of match. */
import type { Random } from '../../../src/sim/random.ts';
import type { IpFamily } from '../../../src/wire/ip-address.ts';

export const ADDRESSES = {
  ipv4: ['10.96.0.10', '10.96.0.11', '10.244.1.5', '10.244.2.6', '172.18.0.2', '127.0.0.1', '192.0.2.1'],
  ipv6: ['fd00:96::10', 'fd00:96::11', 'fd00:10:1::5', 'fd00:10:2::6', 'fd00:18::2', '::1', '2001:db8::1'],
} as const;
const NETWORKS = {
  ipv4: ['10.96.0.0/16', '10.244.0.0/16', '10.0.0.0/8', '172.18.0.0/24', '10.96.0.10/31'],
  ipv6: ['fd00:96::/112', 'fd00:10::/32', 'fd00::/8', 'fd00:18::/64', 'fd00:96::10/127'],
} as const;
export const PORTS = [53, 80, 443, 8080, 30080];
export const PROTOCOLS = ['tcp', 'udp', 'sctp'] as const;
export const MARKS = [0, 0x4000, 0x8000, 0x80000000, 0xc000];

/** Chances out of a hundred, and choices, from one source. */
export class Dice {
  readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  chance(percent: number): boolean {
    return this.random.below(100) < percent;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.random.below(choices.length)];
    if (choice === undefined) throw new RangeError('nothing to pick from');
    return choice;
  }
}

const not = (dice: Dice) => (dice.chance(20) ? '! ' : '');

function address(dice: Dice, family: IpFamily): string {
  return dice.chance(65) ? dice.pick(ADDRESSES[family]) : dice.pick(NETWORKS[family]);
}

function ports(dice: Dice): string {
  if (dice.chance(75)) return String(dice.pick(PORTS));
  const from = dice.random.below(500);
  return `${from}:${from + dice.random.below(60_000)}`;
}

/** Matches that the columns answer. */
function plainMatch(dice: Dice, family: IpFamily, filter: boolean): string {
  const [low = '', high = ''] = [...ADDRESSES[family]].slice(0, 2);
  const choices = [
    () => `-m mark ${not(dice)}--mark 0x${dice.pick(MARKS).toString(16)}/0x${dice.pick(MARKS).toString(16)}`,
    () => `-m statistic --mode random ${not(dice)}--probability 0.${1 + dice.random.below(9)}`,
    () => `-m addrtype ${not(dice)}--${dice.pick(['src', 'dst'])}-type LOCAL`,
    () => `-m iprange ${not(dice)}--${dice.pick(['src', 'dst'])}-range ${low}-${high}`,
    () => '-m comment --comment "a remark"',
    () =>
      filter
        ? `-m conntrack ${not(dice)}--ctstate ${dice.pick(['NEW', 'RELATED,ESTABLISHED', 'INVALID', 'NEW,DNAT'])}`
        : '-m comment --comment "another"',
    () => (filter ? `-m state ${not(dice)}--state ${dice.pick(['NEW', 'ESTABLISHED', 'RELATED'])}` : ''),
  ];
  return dice.pick(choices)();
}

/** Matches that they do not. */
function deepMatch(dice: Dice): string {
  return dice.pick([
    '-m limit --limit 5/min',
    '-m recent --set --name seen --rsource',
    '-m recent --rcheck --name seen --rsource',
    '-m length --length 0:100',
    '-m statistic --mode nth --every 2 --packet 0',
    '-m addrtype --dst-type UNICAST',
    '-m unheard-of --of x',
  ]);
}

function matches(dice: Dice, family: IpFamily, { filter, indevice }: RuleKind): string[] {
  const parts: string[] = [];
  if (dice.chance(30)) parts.push(`${not(dice)}-s ${address(dice, family)}`);
  if (dice.chance(65)) parts.push(`${not(dice)}-d ${address(dice, family)}`);
  if (indevice && dice.chance(10)) parts.push(`${not(dice)}-i ${dice.pick(['eth0', 'veth+', 'cni0'])}`);
  if (dice.chance(65)) {
    const protocol = dice.pick(PROTOCOLS);
    parts.push(`-p ${protocol}`);
    const which = dice.random.below(100);
    if (which < 70) parts.push(`-m ${protocol} ${not(dice)}--dport ${ports(dice)}`);
    else if (which < 80) parts.push(`-m ${protocol} ${not(dice)}--sport ${ports(dice)}`);
    else if (which < 90) {
      parts.push(`-m multiport ${not(dice)}--${dice.pick(['dports', 'sports', 'ports'])} 80,400:500,8080`);
    } else if (protocol === 'tcp' && which < 93) parts.push('-m tcp --tcp-flags SYN,ACK SYN');
  } else if (dice.chance(10)) parts.push(`! -p ${dice.pick(PROTOCOLS)}`);
  while (dice.chance(25)) parts.push(plainMatch(dice, family, filter));
  if (dice.chance(4)) parts.push(deepMatch(dice));
  return parts;
}

interface RuleKind {
  readonly filter: boolean;
  readonly indevice: boolean;
}

function natTarget(dice: Dice, parts: readonly string[], family: IpFamily): string {
  const hasPorts = parts.some((part) => /^-p (tcp|udp|sctp)$/.test(part));
  const to = dice.pick(ADDRESSES[family]);
  const inBrackets = family === 'ipv4' ? to : `[${to}]`;
  const choices = [`-j DNAT --to-destination ${to}`];
  if (hasPorts) {
    choices.push(`-j DNAT --to-destination ${inBrackets}:8080`, `-j DNAT --to-destination ${inBrackets}:53`);
    choices.push(`-j DNAT --to-destination :9000`, `-j DNAT --to-destination ${inBrackets}:8000-8010`);
    choices.push('-j REDIRECT --to-ports 9090');
  }
  return dice.pick(choices);
}

function target(
  dice: Dice,
  later: readonly string[],
  table: 'nat' | 'filter',
  context: TargetContext,
): string {
  if (later.length > 0 && dice.chance(45)) return `${dice.chance(85) ? '-j' : '-g'} ${dice.pick(later)}`;
  if (dice.chance(25)) {
    const [value, mask] = [dice.pick(MARKS), dice.pick(MARKS)];
    return `-j MARK --set-xmark 0x${value.toString(16)}/0x${mask.toString(16)}`;
  }
  if (dice.chance(20)) return '-j RETURN';
  if (dice.chance(10)) return '';
  if (dice.chance(20)) return '-j ACCEPT';
  if (table === 'nat') return natTarget(dice, context.parts, context.family);
  return dice.pick(['-j ACCEPT', '-j DROP', '-j REJECT']);
}

interface TargetContext {
  readonly parts: readonly string[];
  readonly family: IpFamily;
}

/** The text of one table; chains lead to later ones only. Some chains are long enough to be indexed. */
export function randomTable(dice: Dice, table: 'nat' | 'filter', family: IpFamily): string {
  const base = table === 'nat' ? ['PREROUTING', 'OUTPUT'] : ['INPUT', 'FORWARD', 'OUTPUT'];
  const own = Array.from({ length: 2 + dice.random.below(6) }, (_, index) => `CHAIN-${index}`);
  const lines = [`*${table}`];
  for (const chain of base) {
    lines.push(`:${chain} ${table === 'filter' && dice.chance(30) ? 'DROP' : 'ACCEPT'} [0:0]`);
  }
  lines.push(...own.map((chain) => `:${chain} - [0:0]`));
  for (const [index, chain] of [...base, ...own].entries()) {
    const later = own.slice(Math.max(0, index - base.length + 1));
    const length = dice.chance(30) ? 20 + dice.random.below(60) : 1 + dice.random.below(6);
    if (index < base.length && dice.chance(50) && later.length > 0) lines.push(`-A ${chain} -j ${later[0]}`);
    for (let rule = 0; rule < length; rule++) {
      const indevice = table === 'nat' ? chain === 'PREROUTING' : chain === 'INPUT' || chain === 'FORWARD';
      const parts = matches(dice, family, { filter: table === 'filter', indevice });
      lines.push(['-A', chain, ...parts, target(dice, later, table, { parts, family })].join(' ').trim());
    }
  }
  // Without a rule that translates, connections are not tracked, and the nat table is not asked.
  if (table === 'nat')
    lines.push(`-A OUTPUT -m mark --mark 0x77 -j DNAT --to-destination ${ADDRESSES[family][0]}`);
  lines.push('COMMIT', '');
  return lines.join('\n').replaceAll(/ {2,}/g, ' ');
}
