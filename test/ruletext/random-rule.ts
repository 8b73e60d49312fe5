/** One random rule: a head, some matches, a target that its table allows. */
import type { Random } from '../../src/sim/random.ts';
import type { IpFamily } from '../../src/wire/ip-address.ts';
import { MATCHES, PROTOCOLS, TARGETS } from './random-pieces.ts';
import { RuleWriter } from './rule-writer.ts';

export interface RandomRule {
  readonly table: string;
  /** `-A CHAIN …`, with options in any order that keeps its meaning. */
  readonly line: string;
}

const CHAINS: Readonly<Record<string, readonly string[]>> = {
  filter: ['INPUT', 'FORWARD', 'OUTPUT', 'USER'],
  nat: ['PREROUTING', 'POSTROUTING'],
  mangle: ['PREROUTING', 'FORWARD', 'POSTROUTING'],
  raw: ['PREROUTING', 'OUTPUT'],
};

/** A rule of `family`, and the table it belongs into. The chain USER is there to jump to. */
export function randomRule(random: Random, family: IpFamily): RandomRule {
  const w = new RuleWriter(random, family);
  const target = w.pick(
    TARGETS.filter((candidate) => candidate.family === undefined || candidate.family === family),
  );
  const chain = target.chain ?? w.pick(CHAINS[target.table] ?? []);
  const head: string[] = [];
  if (w.oneIn(3)) head.push(`${w.not()}${w.pick(['-s', '--source', '--src'])} ${w.network()}`);
  else if (w.oneIn(6)) head.push(`-s ${w.network()},${w.network()}`);
  if (w.oneIn(3)) head.push(`${w.not()}${w.pick(['-d', '--destination', '--dst'])} ${w.network()}`);
  if (w.oneIn(4) && chain !== 'OUTPUT' && chain !== 'POSTROUTING') head.push(`${w.not()}-i ${w.device()}`);
  if (w.oneIn(4) && chain !== 'INPUT' && chain !== 'PREROUTING')
    head.push(`${w.not()}--out-interface ${w.device()}`);
  if (w.oneIn(12) && family === 'ipv4') head.push(`${w.not()}-f`);
  const protocol = target.protocol ?? (w.oneIn(2) ? w.pick(Object.keys(PROTOCOLS)) : undefined);
  const parts: string[] = [];
  if (protocol !== undefined) {
    const piece = target.protocol === undefined ? (PROTOCOLS[protocol]?.(w) ?? '') : '';
    const name = w.oneIn(6) ? protocol.toUpperCase() : protocol;
    const negate = piece === '' && target.protocol === undefined && protocol !== 'all' ? w.not() : '';
    head.push(`${negate}${w.pick(['-p', '--protocol'])} ${name}`);
    parts.push(piece);
  }
  const names = Object.keys(MATCHES);
  for (let left = w.below(4); left > 0; left--) parts.push(MATCHES[w.pick(names)]?.(w) ?? '');
  const order = w.oneIn(2) ? [...head, ...parts] : [...head.reverse(), ...parts];
  const words = [`-A ${chain}`, ...order, target.text(w)].filter((part) => part !== '');
  return { table: target.table, line: words.join(w.pick([' ', ' ', '  '])) };
}
