/** Files keep everything that their programs print, and what nobody understands. */
import { describe, expect, test } from 'vitest';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { printRules } from '../../src/ruletext/print-rules.ts';
import type { IpFamily } from '../../src/wire/ip-address.ts';

function expectSame(text: string, family: IpFamily = 'ipv4'): void {
  expect(printRules(parseRules(text, { family }))).toBe(text);
}

describe('lines around the rules', () => {
  test.each([
    ['nothing at all', ''],
    ['remarks only', '# a\n\n# b\n'],
    ['remarks without a newline', '# a'],
    ['an empty table', '*nat\nCOMMIT\n'],
    ['no newline at the end', '*nat\nCOMMIT'],
    [
      'remarks everywhere',
      '# 1\n*nat\n# 2\n:INPUT ACCEPT [0:0]\n\n# 3\n-A INPUT -j ACCEPT\n# 4\nCOMMIT\n# 5\n\n*raw\nCOMMIT\n# 6\n',
    ],
    [
      'a warning of the nft back end',
      '# Warning: iptables-legacy tables present, use iptables-legacy-save to see them\n',
    ],
    ['a table nft keeps for itself', "*nat\nCOMMIT\n# Table `kube-proxy' is incompatible, use 'nft' tool.\n"],
    ['chains without counters', '*filter\n:INPUT DROP\n:X -\nCOMMIT\n'],
    [
      'chains in any order',
      '*filter\n:Z - [0:0]\n:OUTPUT ACCEPT [0:0]\n:A - [0:0]\n-A A -j Z\n-A OUTPUT -j A\nCOMMIT\n',
    ],
    [
      'counters of 64 bits',
      '*filter\n:INPUT ACCEPT [18446744073709551615:18446744073709551614]\n[9007199254740993:1] -A INPUT -j ACCEPT\nCOMMIT\n',
    ],
    ['a table twice', '*nat\nCOMMIT\n*nat\n-A INPUT -j ACCEPT\nCOMMIT\n'],
    [
      'commands',
      '*nat\n-N X\n-I INPUT 1 -j X\n-R INPUT 1 -j ACCEPT\n-D INPUT 1\n-D INPUT -j X\n-C INPUT -j X\n-F X\n-F\n-Z\n-E X Y\n-X Y\n-X\n-P INPUT ACCEPT\nCOMMIT\n',
    ],
  ])('%s', (_, text) => expectSame(text));
});

describe('what nobody understands', () => {
  const place = (rule: string) => `*mangle\n:X - [0:0]\n-A PREROUTING ${rule}\nCOMMIT\n`;
  test.each([
    ['a match of iptables', '-m u32 --u32 "0>>22&0x3C@0>>24=0:3" -j X'],
    ['a negated option', '-m owner ! --uid-owner 0 -m mark --mark 0x1 -j X'],
    ['a negation that belongs to what follows', '-m socket --transparent -m mark ! --mark 0x1 -j X'],
    ['options without values', '-m time --timestart 01:00 --timestop 02:00 --contiguous --kerneltz -j X'],
    ['a match from elsewhere', '-m geoip ! --source-country DE,CH -m comment --comment x -j X'],
    ['a match from elsewhere with words', '-m foo --bar a b "c d" ! --baz -j X'],
    ['a match from elsewhere that looks like an option', '-m foo --bar "-j" --baz "! x" -j X'],
    ['a match without options', '-m foo -j X'],
    ['two blanks', '-m foo --name  x --other  y -j X'],
    [
      'an option of a known match',
      '-m set --match-set s src,dst --return-nomatch ! --update-counters --packets-gt 5 -j X',
    ],
    ['a set without options', '-m set ! --match-set s src -j X'],
    ['a target of iptables', '-p tcp -j TPROXY --on-port 15001 --on-ip 0.0.0.0 --tproxy-mark 0x1/0xffffffff'],
    ['a target from elsewhere', '-j FOO --bar 1 --baz'],
    ['a target with a set', '-j SET --add-set s src,dst --exist --timeout 5'],
    ['CONNMARK shifts', '-j CONNMARK --set-xmark 0x1/0xff --left-shift-mark 2'],
    [
      'an accounting object',
      '-m conntrack --ctstate INVALID -m nfacct --nfacct-name  ct_state_invalid_dropped_pkts -j DROP',
    ],
  ])('%s', (_, rule) => expectSame(place(rule)));

  test('is kept as text, with its name', () => {
    const text = place('-m owner ! --uid-owner 0 --gid-owner 5 -j NFQUEUE --queue-num 3 --queue-bypass');
    const [command] = parseRules(text, { family: 'ipv4' }).sections[0]?.commands.slice(1) ?? [];
    expect(command).toMatchObject({
      kind: 'append',
      rule: {
        matches: [{ kind: 'unknown', name: 'owner', text: '! --uid-owner 0 --gid-owner 5' }],
        target: { kind: 'unknown', name: 'NFQUEUE', text: '--queue-num 3 --queue-bypass' },
      },
    });
  });
});

describe('protocols that iptables has no name of its own for', () => {
  test.each([
    ['a number, as iptables 1.8.11 saves it', '47'],
    ['a name, as iptables 1.8.9 saves it', 'gre'],
  ])('%s', (_, name) => expectSame(`*filter\n-A INPUT ! -p ${name} -j ACCEPT\nCOMMIT\n`));
});
