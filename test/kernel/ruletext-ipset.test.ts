/** Random sets: what `ipset save` prints we read, and we find in it what `ipset test` finds. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { type IpSetPacket, ipSetContains } from '../../src/netfilter/ip-set.ts';
import { parseIpsetSave } from '../../src/ruletext/ipset-save.ts';
import { Random } from '../../src/sim/random.ts';
import { parseIpAddress } from '../../src/wire/ip-address.ts';

const SEED = Number(process.env.RULETEXT_SEED ?? 20_240_601);
const PROBES = 250;

/** Few addresses, so that probes meet elements and their exceptions. */
class Writer {
  readonly #random: Random;
  constructor(random: Random) {
    this.#random = random;
  }
  below(bound: number): number {
    return this.#random.below(bound);
  }
  address(): string {
    return `10.${this.below(2)}.${this.below(3)}.${this.below(8)}`;
  }
  network(): string {
    return `${this.address()}/${[8, 15, 16, 23, 24, 30, 31, 32][this.below(8)]}`;
  }
  port(): number {
    return 80 + this.below(3);
  }
  protocol(): 'tcp' | 'udp' {
    return this.below(2) === 0 ? 'tcp' : 'udp';
  }
  nomatch(): string {
    return this.below(3) === 0 ? ' nomatch' : '';
  }
}

type Write = (w: Writer) => string;

interface SetKind {
  readonly type: string;
  readonly options?: string;
  readonly element: Write;
}

const KINDS: readonly SetKind[] = [
  { type: 'hash:ip', element: (w) => w.address() },
  { type: 'hash:ip', options: 'netmask 30', element: (w) => w.address() },
  { type: 'hash:net', element: (w) => `${w.network()}${w.nomatch()}` },
  { type: 'hash:ip,port', element: (w) => `${w.address()},${w.protocol()}:${w.port()}` },
  { type: 'hash:net,port', element: (w) => `${w.network()},${w.protocol()}:${w.port()}${w.nomatch()}` },
  { type: 'hash:ip,port,ip', element: (w) => `${w.address()},${w.protocol()}:${w.port()},${w.address()}` },
  {
    type: 'hash:ip,port,net',
    element: (w) => `${w.address()},${w.protocol()}:${w.port()},${w.network()}${w.nomatch()}`,
  },
  { type: 'hash:net,net', element: (w) => `${w.network()},${w.network()}${w.nomatch()}` },
  { type: 'hash:net,iface', element: (w) => `${w.network()},eth${w.below(2)}${w.nomatch()}` },
  {
    type: 'bitmap:ip',
    options: 'range 10.0.0.0/16',
    element: (w) => w.address().replace('10.1', '10.0'),
  },
  { type: 'bitmap:port', options: 'range 80-90', element: (w) => String(w.port()) },
];

interface Probe {
  /** As `ipset test` takes it. */
  readonly text: string;
  readonly packet: IpSetPacket;
}

/**
 * A packet, and the element that stands for it in sets with these parts. Half of them are made of one of
 * `elements`: in a set of several dimensions chance alone would hit none.
 */
function probe(w: Writer, parts: readonly string[], elements: readonly string[]): Probe {
  const known =
    w.below(2) === 0 ? (elements[w.below(elements.length)] ?? '').split(' ')[0]?.split(',') : undefined;
  const part = (name: string, fresh: string) => {
    const index = parts.indexOf(name);
    return (index < 0 ? undefined : known?.[index]) ?? fresh;
  };
  const hostOf = (text: string | undefined) => text?.split('/')[0] ?? w.address();
  const first = hostOf(parts[0] === 'port' ? undefined : known?.[0]);
  const last =
    parts.length > 1 && parts.at(-1) !== 'port' && parts.at(-1) !== 'iface' ? parts.length - 1 : -1;
  const third = hostOf(known?.[last]);
  const portText = part('port', `${w.protocol()}:${w.port() + w.below(2)}`);
  const device = part('iface', `eth${w.below(2)}`);
  const texts = parts.map((name, index) => {
    if (name === 'port') return parts[0] === 'port' ? (portText.split(':').at(-1) ?? '') : portText;
    return name === 'iface' ? device : index === 0 ? first : third;
  });
  const port = Number(portText.split(':').at(-1));
  const packet: IpSetPacket = {
    family: 'ipv4',
    source: parseIpAddress(first),
    destination: parseIpAddress(third),
    protocol: portText.startsWith('udp') ? 17 : 6,
    sport: port,
    dport: port,
    inDevice: device,
    outDevice: device,
    mark: 0,
  };
  return { text: texts.join(','), packet };
}

function ipset(script: string): { readonly out: string; readonly complaints: string } {
  const run = spawnSync('unshare', ['-n', 'sh', '-c', script], { encoding: 'utf8' });
  return { out: run.stdout, complaints: run.stderr };
}

/** A type that this kernel was built without has nobody to compare with. */
function isOffered({ type, options = '' }: (typeof KINDS)[number]): boolean {
  return !ipset(`ipset create s ${type} ${options}`).complaints.includes('set type not supported');
}

const OFFERED = KINDS.filter(isOffered);

test('the kernel offers nearly all types', () => {
  expect(OFFERED.length).toBeGreaterThanOrEqual(KINDS.length - 2);
});

describe.each(OFFERED)('$type $options', ({ type, options = '', element }) => {
  test(`seed ${SEED}`, () => {
    const w = new Writer(new Random(SEED));
    const parts = type.split(':')[1]?.split(',') ?? [];
    const elements = Array.from({ length: 12 }, () => element(w));
    const adds = elements.map((text) => `ipset add s ${text} -exist`);
    const probes = Array.from({ length: PROBES }, () => probe(w, parts, elements));
    const tests = probes.map(({ text }) => `ipset test s ${text} >/dev/null 2>&1 && echo yes || echo no`);
    const { out } = ipset([`ipset create s ${type} ${options}`, ...adds, 'ipset save', ...tests].join('\n'));
    const lines = out.trimEnd().split('\n');
    const save = lines.slice(0, -PROBES).join('\n');
    const sets = parseIpsetSave(save);
    const set = sets.get('s');
    if (set === undefined) throw new Error(`no set in ${save}`);
    const directions = parts.map((_, index) =>
      index === 0 || parts[index] === 'port' || parts[index] === 'iface' ? 'src' : 'dst',
    );
    const answers = probes.map(
      ({ text, packet }) => `${text} ${ipSetContains(set, { packet, directions }) === true ? 'yes' : 'no'}`,
    );
    const expected = probes.map(({ text }, index) => `${text} ${lines[lines.length - PROBES + index]}`);
    expect({ save, answers }).toEqual({ save, answers: expected });
    expect(lines).toContain('yes');
  });
});
