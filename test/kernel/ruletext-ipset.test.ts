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
    return `10.${this.below(2)}.${this.below(3)}.${this.below(4)}`;
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

/** A packet, and the element that stands for it in sets with these parts. */
function probe(w: Writer, parts: readonly string[]): Probe {
  const protocol = w.protocol();
  const [first, third] = [w.address(), w.address()];
  const port = w.port() + w.below(2);
  const device = `eth${w.below(2)}`;
  const second = {
    port: parts[0] === 'port' ? String(port) : `${protocol}:${port}`,
    iface: device,
    net: third,
    ip: third,
  };
  const texts = parts.map((part, index) =>
    part === 'port' || part === 'iface' ? second[part] : index === 0 ? first : third,
  );
  const packet: IpSetPacket = {
    family: 'ipv4',
    source: parseIpAddress(first),
    destination: parseIpAddress(third),
    protocol: protocol === 'tcp' ? 6 : 17,
    sport: port,
    dport: port,
    inDevice: device,
    outDevice: device,
    mark: 0,
  };
  return { text: texts.join(','), packet };
}

/** The kernel may lack a type; then there is nothing to compare. */
function ipset(script: string): { readonly out: string; readonly supported: boolean } {
  const run = spawnSync('unshare', ['-n', 'sh', '-c', script], { encoding: 'utf8' });
  return { out: run.stdout, supported: !run.stderr.includes('set type not supported') };
}

describe.each(KINDS)('$type $options', ({ type, options = '', element }) => {
  test(`seed ${SEED}`, ({ skip }) => {
    const w = new Writer(new Random(SEED));
    const parts = type.split(':')[1]?.split(',') ?? [];
    const adds = Array.from({ length: 12 }, () => `ipset add s ${element(w)} -exist`);
    const probes = Array.from({ length: PROBES }, () => probe(w, parts));
    const tests = probes.map(({ text }) => `ipset test s ${text} >/dev/null 2>&1 && echo yes || echo no`);
    const { out, supported } = ipset(
      [`ipset create s ${type} ${options}`, ...adds, 'ipset save', ...tests].join('\n'),
    );
    if (!supported) skip();
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
    expect(new Set(lines.slice(-PROBES)).size).toBe(2);
  });
});
