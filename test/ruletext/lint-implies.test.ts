/** When one rule's matches prove another's: a table of pairs, and random pairs against the engine's evaluators. */
import { describe, expect, test } from 'vitest';
import type { Match } from '../../src/netfilter/match.ts';
import type { MatchEnvironment } from '../../src/netfilter/matching/environment.ts';
import { evaluateMatch } from '../../src/netfilter/matching/evaluate.ts';
import type { Skb } from '../../src/netfilter/skb.ts';
import { impliesAll } from '../../src/ruletext/lint/analysis/implies.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { Random } from '../../src/sim/random.ts';
import { formatIpAddress, type IpFamily } from '../../src/wire/ip-address.ts';
import { pick, randomMatches, randomSkb, ruleText } from './lint-random-matches.ts';

function matchesOf(text: string, family: IpFamily = 'ipv4'): readonly Match[] {
  const rules = parseRules(`*mangle\n-A FORWARD ${text} -j ACCEPT\nCOMMIT\n`, { family, file: text });
  const [command] = rules.sections[0]?.commands ?? [];
  if (command === undefined || !('rule' in command)) throw new Error(`no rule in '${text}'`);
  return command.rule.matches;
}

const IMPLIED: readonly (readonly [narrow: string, wide: string])[] = [
  ['-s 10.0.0.1', ''],
  ['-s 10.0.0.1', '-s 10.0.0.0/8'],
  ['-s 10.0.0.0/24', '-s 10.0.0.0/24'],
  ['! -s 10.0.0.0/8', '! -s 10.0.0.0/24'],
  ['-s 10.0.0.0/24', '! -s 10.1.0.0/24'],
  ['-s 10.0.0.1', '-s 10.0.0.1/255.0.0.255'],
  ['-s 10.0.0.0/25', '-m iprange --src-range 10.0.0.0-10.0.0.200'],
  ['-m iprange --src-range 10.0.0.4-10.0.0.7', '-s 10.0.0.4/30'],
  ['-m iprange --dst-range 10.0.0.4-10.0.0.5', '-m iprange ! --dst-range 10.0.1.0-10.0.2.0'],
  ['-i eth0', '-i eth+'],
  ['-i eth+', '-i e+'],
  ['-i eth0', '! -i lo'],
  ['-i eth+', '! -i lo'],
  ['! -i e+', '! -i eth+'],
  ['-p tcp', '! -p udp'],
  ['-p tcp -m tcp --dport 80', '-p tcp'],
  ['-p tcp -m tcp --dport 80', '-p tcp -m tcp --dport 1:1024'],
  ['-p tcp -m tcp --dport 80', '-p tcp -m tcp ! --dport 443'],
  ['-p tcp -m tcp ! --dport 1:1024', '-p tcp -m tcp ! --dport 80'],
  ['-p tcp -m tcp --dport 80', '-p tcp -m multiport --dports 80,443'],
  ['-p tcp -m tcp --dport 80', '-p tcp -m multiport --ports 80,443'],
  ['-p tcp -m multiport --dports 80,81', '-p tcp -m multiport --dports 80:90'],
  ['-p tcp -m multiport ! --dports 80:90', '-p tcp -m multiport ! --dports 80,81'],
  ['-p tcp -m tcp --tcp-flags SYN,RST,ACK,FIN SYN', '-p tcp -m tcp --tcp-flags SYN,ACK SYN'],
  ['-p tcp -m tcp --tcp-flags SYN,ACK SYN', '-p tcp -m tcp ! --tcp-flags ACK ACK'],
  ['-p icmp -m icmp --icmp-type 8/0', '-p icmp -m icmp --icmp-type 8'],
  ['-p icmp -m icmp --icmp-type 8', '-p icmp -m icmp --icmp-type any'],
  ['-p icmp -m icmp --icmp-type 8', '-p icmp -m icmp ! --icmp-type 3/1'],
  ['-m mark --mark 0x3/0x3', '-m mark --mark 0x1/0x1'],
  ['-m mark --mark 0x1', '-m mark ! --mark 0x2/0x2'],
  ['-m conntrack --ctstate NEW', '-m conntrack --ctstate NEW,RELATED'],
  ['-m state --state NEW', '-m conntrack ! --ctstate INVALID'],
  ['-m conntrack ! --ctstate INVALID,NEW', '-m state ! --state NEW'],
  ['-m conntrack --ctorigdst 10.0.0.1', '-m conntrack --ctorigdst 10.0.0.0/8'],
  ['-m addrtype --dst-type LOCAL', '-m addrtype ! --dst-type UNICAST,MULTICAST'],
  ['-m ttl --ttl-lt 5', '-m ttl --ttl-lt 64'],
  ['-m length --length 50:60', '-m length ! --length 100:200'],
  ['-m set --match-set s src -s 10.0.0.1', '-m set --match-set s src'],
  ['-m owner --uid-owner 0', '-m owner --uid-owner 0'],
  ['-m limit --limit 1/s -s 10.0.0.1', '-s 10.0.0.1'],
  ['-m comment --comment a', '-m comment --comment b'],
];

const NOT_IMPLIED: readonly (readonly [narrow: string, wide: string])[] = [
  ['', '-s 10.0.0.1'],
  ['-s 10.0.0.0/8', '-s 10.0.0.1'],
  ['-s 10.0.0.1', '-d 10.0.0.1'],
  ['-s 10.0.0.1', '! -s 10.0.0.0/8'],
  ['! -s 10.0.0.1', '! -s 10.0.0.0/8'],
  ['-i eth+', '-i eth0'],
  ['-i et+', '! -i eth0'],
  ['-i eth0', '-o eth0'],
  ['! -p udp', '-p tcp'],
  ['-p tcp', '-p tcp -m tcp'],
  ['-p tcp -m tcp --dport 80', '-p tcp -m tcp --sport 80'],
  ['-p tcp -m tcp --dport 80:90', '-p tcp -m tcp --dport 80'],
  ['-p udp -m udp --dport 80', '-p tcp -m tcp --dport 80'],
  ['-p tcp -m multiport --ports 80', '-p tcp -m multiport --dports 80'],
  ['-p tcp -m tcp --tcp-flags SYN SYN', '-p tcp -m tcp --tcp-flags SYN,ACK SYN'],
  ['-p icmp -m icmp --icmp-type 8', '-p icmp -m icmp --icmp-type 8/0'],
  ['-m mark --mark 0x1/0x1', '-m mark --mark 0x1'],
  ['-m connmark --mark 0x1', '-m mark --mark 0x1'],
  ['-m conntrack --ctstate NEW,RELATED', '-m conntrack --ctstate NEW'],
  // A flow can be NEW and DNATed.
  ['-m conntrack --ctstate NEW', '-m conntrack ! --ctstate DNAT'],
  // Without a flow the first holds (the address is not looked at), the second does not.
  ['-m conntrack --ctstate INVALID --ctorigdst 10.0.0.1', '-m conntrack --ctorigdst 10.0.0.1'],
  ['-m addrtype --dst-type LOCAL --limit-iface-in', '-m addrtype --dst-type LOCAL'],
  ['-m limit --limit 1/s', '-m limit --limit 1/s'],
  ['-m statistic --mode random --probability 0.5', '-m statistic --mode random --probability 0.5'],
  ['-m recent --rcheck', '-m recent --rcheck'],
  ['-m time --timestart 10:00', '-m time --timestart 10:00'],
  ['-m set --match-set s src', '-m set --match-set s dst'],
  ['-m owner --uid-owner 0', '-m owner --uid-owner 1'],
];

describe('pairs', () => {
  test.each(IMPLIED)("'%s' implies '%s'", (narrow, wide) => {
    expect(impliesAll(matchesOf(narrow), matchesOf(wide))).toBe(true);
  });

  test.each(NOT_IMPLIED)("'%s' does not imply '%s'", (narrow, wide) => {
    expect(impliesAll(matchesOf(narrow), matchesOf(wide))).toBe(false);
  });
});

/** Every address is of one type, told by its last digit. */
const HOST: MatchEnvironment['host'] = {
  isOfType: (address, types) => {
    const type =
      ({ '1': 'LOCAL', '2': 'MULTICAST' } as const)[formatIpAddress(address).slice(-1)] ?? 'UNICAST';
    return types.includes(type);
  },
  masqueradeAddress: () => undefined,
  redirectAddress: () => undefined,
};

function passes(matches: readonly Match[], skb: Skb): boolean {
  // Nothing here asks what remembers, draws or looks into sets.
  const environment = {
    hook: 'forward',
    backend: 'legacy',
    host: HOST,
    now: 0,
  } as unknown as MatchEnvironment;
  return matches.every((match) => evaluateMatch(match, skb, environment) === true);
}

const SEED = Number(process.env.KUBEWIRE_SEED ?? 7_310_524);

describe.each(['ipv4', 'ipv6'] as const)(`%s, random pairs, seed ${SEED}`, (family) => {
  test('what is called implied is so for every packet', () => {
    const random = new Random(SEED);
    const skbs = Array.from({ length: 400 }, () => randomSkb(random, family));
    let implied = 0;
    let shown = 0;
    for (let round = 0; round < 4000; round++) {
      const narrow = randomMatches(random, family);
      const other = randomMatches(random, family);
      // Widened from the narrow one, so that many pairs have to do with each other.
      const kept = narrow.texts.filter(() => random.below(2) === 0);
      const protocol = random.below(2) === 0 ? narrow.protocol : other.protocol;
      const texts = random.below(2) === 0 ? kept : other.texts;
      const wide = { protocol, texts: protocol === other.protocol ? [...texts] : kept };
      const narrowText = ruleText(narrow, family);
      const wideText = ruleText(wide, family);
      let pair: readonly [readonly Match[], readonly Match[]];
      try {
        pair = [matchesOf(narrowText, family), matchesOf(wideText, family)];
      } catch {
        continue;
      }
      if (!impliesAll(pair[0], pair[1])) continue;
      implied++;
      const seen = skbs.filter((skb) => passes(pair[0], skb));
      shown += seen.length;
      const refuted = seen.some((skb) => !passes(pair[1], skb));
      expect({ narrowText, wideText, refuted }).toEqual({ narrowText, wideText, refuted: false });
    }
    expect(implied).toBeGreaterThan(500);
    expect(shown).toBeGreaterThan(5000);
  });

  test('single matches against each other, both ways round', () => {
    const random = new Random(SEED ^ 0xabcdef);
    const skbs = Array.from({ length: 400 }, () => randomSkb(random, family));
    let implied = 0;
    for (let round = 0; round < 10_000; round++) {
      const [narrow, wide] = [randomMatches(random, family), randomMatches(random, family)].map(
        (matches) => ({
          protocol: matches.protocol,
          texts: matches.texts.slice(0, 1),
        }),
      );
      if (narrow === undefined || wide === undefined) continue;
      const protocol = pick(random, [narrow.protocol, wide.protocol]);
      const texts = [narrow, wide].map(({ texts }) => ruleText({ protocol, texts }, family));
      let matches: (readonly Match[])[];
      try {
        matches = texts.map((text) => matchesOf(text, family));
      } catch {
        continue;
      }
      const [a = [], b = []] = matches;
      if (!impliesAll(a, b)) continue;
      implied++;
      const witness = skbs.find((skb) => passes(a, skb) && !passes(b, skb));
      expect({ texts, refuted: witness !== undefined }).toEqual({ texts, refuted: false });
    }
    expect(implied).toBeGreaterThan(700);
  });
});
