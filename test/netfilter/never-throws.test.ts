/** Whatever the rules and the packets: no throw, the same seed the same answer, and copies that leak nothing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildHost } from '../../src/cluster/single-host/build-host.ts';
import { evaluate } from '../../src/cluster/single-host/evaluate.ts';
import { decodeHostSpec } from '../../src/cluster/single-host/host-spec.ts';
import { decodePackets } from '../../src/cluster/single-host/packet-lines.ts';
import { toRuleSet } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { HOST } from './situation.ts';

const SEED = Number(process.env.KUBEWIRE_SEED ?? Math.floor(Math.random() * 2 ** 31));

const ADDRESSES = [
  '10.0.1.9',
  '10.0.2.9',
  '10.0.1.1',
  '10.0.3.1',
  '10.9.9.9',
  '127.0.0.1',
  '0.0.0.0',
  '224.0.0.1',
  '10.0.1.255',
  '9.9.9.9',
];
const MATCHES = [
  '-s 10.0.1.0/24',
  '! -d 10.9.9.9',
  '-p udp -m udp --dport 53',
  '-p tcp --syn',
  '-p tcp -m multiport --dports 80,443',
  '-m conntrack --ctstate NEW,INVALID',
  '-m conntrack ! --ctstate ESTABLISHED --ctdir REPLY',
  '-m statistic --mode random --probability 0.5',
  '-m statistic --mode nth --every 3 --packet 1',
  '-m recent --update --seconds 5 --hitcount 2 --name a',
  '-m recent --set --name a',
  '-m limit --limit 1/sec',
  '-m hashlimit --hashlimit-upto 1/sec --hashlimit-mode srcip,dstport --hashlimit-name h',
  '-m connlimit --connlimit-above 1',
  '-m addrtype --dst-type LOCAL',
  '-m u32 --u32 "0x0=0x1"',
  '-m mark --mark 0x1/0x3',
  '',
];
const PLACES: readonly (readonly [table: string, chains: readonly string[], targets: readonly string[]])[] = [
  ['raw', ['PREROUTING', 'OUTPUT'], ['-j CT --notrack', '-j CT --zone 3', '-j DROP', '-j ACCEPT']],
  [
    'mangle',
    ['PREROUTING', 'FORWARD', 'POSTROUTING', 'INPUT', 'OUTPUT'],
    ['-j MARK --set-mark 0x1', '-j TTL --ttl-dec 1', '-j CONNMARK --save-mark', '-j DROP', ''],
  ],
  ['nat', ['PREROUTING', 'OUTPUT'], ['-j DNAT --to-destination 10.0.2.9', '-j REDIRECT', '-j RETURN']],
  ['nat', ['POSTROUTING', 'INPUT'], ['-j SNAT --to-source 10.0.2.1-10.0.2.3', '-j ACCEPT']],
  ['nat', ['POSTROUTING'], ['-j MASQUERADE --random']],
  ['filter', ['INPUT', 'FORWARD', 'OUTPUT'], ['-j REJECT', '-j DROP', '-j ACCEPT', '-j LOG']],
];

interface RandomRule {
  readonly table: string;
  readonly line: string;
}

const rule: fc.Arbitrary<RandomRule> = fc
  .constantFrom(...PLACES)
  .chain(([table, chains, targets]) =>
    fc
      .tuple(fc.constantFrom(...chains), fc.constantFrom(...MATCHES), fc.constantFrom(...targets))
      .map(([chain, match, target]) => ({ table, line: `-A ${chain} ${match} ${target}` })),
  );

/** Rule text; lines that iptables would refuse in their place are left out by the reader's own judgement. */
const rulesText = fc.array(rule, { maxLength: 14 }).map((rules) => {
  const tables = ['raw', 'mangle', 'nat', 'filter'].map((table) => {
    const lines = rules.filter((each) => each.table === table).map((each) => each.line);
    const valid = lines.filter((line) => {
      try {
        parseRules(`*${table}\n${line}\nCOMMIT\n`, { file: 'rules', family: 'ipv4' });
        return true;
      } catch {
        return false;
      }
    });
    return `*${table}\n${valid.join('\n')}\nCOMMIT\n`;
  });
  return tables.join('');
});

const port = fc.constantFrom(0, 1, 53, 80, 443, 40000, 65535);
const packet = fc
  .record({
    in: fc.constantFrom('e1', 'e2', 'lo', undefined),
    src: fc.constantFrom(...ADDRESSES),
    dst: fc.constantFrom(...ADDRESSES),
    proto: fc.constantFrom<string | number>('tcp', 'udp', 'icmp', 'sctp', 'gre', 'esp', 136, 6, 0, 255),
    sport: port,
    dport: port,
    flags: fc.constantFrom('S', 'SA', 'A', 'R', 'RA', 'FA', 'FSRPAU', ''),
    type: fc.constantFrom(0, 3, 5, 8, 11, 13, 200),
    ttl: fc.constantFrom(0, 1, 64, 255),
    seq: fc.nat(2 ** 32 - 1),
    ack: fc.nat(2 ** 32 - 1),
    wait: fc.constantFrom(0, 0.5, 3, 200),
    payload: fc.constantFrom('', 'a', 'abcdefghijkl'),
  })
  .map((fields) => JSON.stringify(fields));

function run(rules: string, packets: readonly string[], explore: boolean) {
  const ruleSet = toRuleSet(parseRules(rules, { file: 'rules', family: 'ipv4' }));
  const host = buildHost(decodeHostSpec(HOST, 'host'), { rules: [ruleSet], seed: 7, backend: 'nft' });
  return [...evaluate(host, decodePackets(packets.join('\n'), 'packets'), { explore })];
}

describe('any rules and packets', () => {
  it(`give one answer, and exploring changes nothing (seed ${SEED})`, () => {
    fc.assert(
      fc.property(rulesText, fc.array(packet, { minLength: 1, maxLength: 12 }), (rules, packets) => {
        const plain = run(rules, packets, false);
        const explored = run(rules, packets, true);
        expect(JSON.stringify(run(rules, packets, true))).toBe(JSON.stringify(explored));
        expect(explored.map(({ outcomes: _, ...result }) => result)).toEqual(plain);
        for (const { outcomes = [] } of explored) {
          const total = outcomes.reduce((sum, { probability }) => sum + probability, 0);
          expect(total).toBeCloseTo(1, 9);
        }
      }),
      { seed: SEED, numRuns: 150 },
    );
  });
});
