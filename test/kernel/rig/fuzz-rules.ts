/**
 * Random rule sets as text, over every table, with the matches and targets the engine claims to know. Chains
 * call only later ones, so nothing loops; a chain's place decides what may stand in it.
 */
import { formatIpAddress, type IpAddress } from '../../../src/wire/ip-address.ts';
import type { Dice } from './dice.ts';
import type { FuzzHost } from './fuzz-host.ts';

export interface FuzzRules {
  /** `*table … COMMIT` blocks, one text per table so that shrinking can drop them. */
  readonly tables: readonly FuzzTable[];
}

export interface FuzzTable {
  readonly name: string;
  /** `:CHAIN POLICY` lines. */
  readonly chains: readonly string[];
  /** `-A …` lines. */
  readonly rules: readonly string[];
}

/** The text that iptables-restore reads. */
export function rulesText({ tables }: FuzzRules): string {
  return tables
    .map(({ name, chains, rules }) => [`*${name}`, ...chains, ...rules, 'COMMIT', ''].join('\n'))
    .join('');
}

type Hook = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';

const TABLE_HOOKS: Readonly<Record<string, readonly Hook[]>> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  security: ['INPUT', 'FORWARD', 'OUTPUT'],
};

const PORTS = [22, 53, 80, 443, 500, 1000, 5353, 8080, 30000, 32767];
const MARKS = ['0x1', '0x4000', '0x4000/0x4000', '0xff/0xff00', '0x2/0x3', '0x0/0x4000'];

/** What the writer of one rule has at hand. */
interface Scene {
  readonly dice: Dice;
  readonly host: FuzzHost;
  readonly table: string;
  /** The hooks from which the rule's chain can be reached. */
  readonly hooks: readonly Hook[];
  /** A number of its own, for names of lists. */
  readonly serial: number;
}

function anyAddress({ dice, host }: Scene): IpAddress {
  const segment = dice.pick(host.segments);
  return dice.weighted<() => IpAddress>(
    [4, () => dice.pick(segment.peers)],
    [3, () => dice.pick(segment.own.length > 0 ? segment.own : segment.peers)],
    [3, () => dice.pick(host.remote)],
  )();
}

function addressText(scene: Scene): string {
  const text = formatIpAddress(anyAddress(scene));
  const octets = text.split('.');
  return scene.dice.weighted(
    [5, text],
    [3, `${octets.slice(0, 3).join('.')}.0/24`],
    [1, `${octets.slice(0, 2).join('.')}.0.0/16`],
    [1, '10.0.0.0/8'],
    [1, `0.0.0.${octets[3]}/0.0.0.255`],
    [1, '0.0.0.0/0'],
  );
}

const not = (scene: Scene, percent = 20) => (scene.dice.chance(percent) ? '! ' : '');

/** iptables-nft refuses the negation of every address. */
function addressMatch(scene: Scene, option: string): string {
  const text = addressText(scene);
  return `${text.endsWith('/0') ? '' : not(scene)}${option} ${text}`;
}

function portText({ dice }: Scene): string {
  const port = dice.pick(PORTS);
  return dice.weighted([4, String(port)], [1, `${port}:${port + 2000}`], [1, `:${port}`], [1, `${port}:`]);
}

function portList({ dice }: Scene): string {
  const ports = dice.some(PORTS, 40).map((port) => (dice.chance(25) ? `${port}:${port + 1}` : String(port)));
  return (ports.length === 0 ? ['80'] : ports).slice(0, 7).join(',');
}

function deviceText({ dice, host }: Scene): string {
  const name = dice.pick(host.segments).device;
  return dice.weighted([5, name], [1, `${name.slice(0, 3)}+`], [1, 'lo'], [1, 'eth+']);
}

/** Matches that go with a protocol, `-p` itself included. */
function protocolMatches(scene: Scene): string[] {
  const { dice } = scene;
  const protocol = dice.weighted([5, 'tcp'], [5, 'udp'], [3, 'icmp'], [1, 'sctp'], [1, '47']);
  if (dice.chance(15)) return [`${not(scene)}-p ${protocol}`];
  const base = `-p ${protocol}`;
  switch (protocol) {
    case 'tcp':
      return [
        base,
        dice.weighted<() => string>(
          [4, () => `-m tcp ${not(scene)}--dport ${portText(scene)}`],
          [2, () => `-m tcp ${not(scene)}--sport ${portText(scene)}`],
          [2, () => `-m tcp ${not(scene)}--syn`],
          [
            2,
            () =>
              `-m tcp ${not(scene)}--tcp-flags ${dice.pick(['SYN,ACK', 'ALL', 'FIN,RST', 'PSH,URG'])} ${dice.pick(['SYN', 'ACK', 'NONE', 'ACK,PSH', 'SYN,ACK'])}`,
          ],
          [1, () => `-m tcp ${not(scene)}--tcp-option ${dice.pick([2, 3, 8])}`],
          [
            2,
            () =>
              `-m multiport ${not(scene)}--${dice.pick(['dports', 'sports', 'ports'])} ${portList(scene)}`,
          ],
        )(),
      ];
    case 'udp':
      return [
        base,
        dice.weighted<() => string>(
          [3, () => `-m udp ${not(scene)}--dport ${portText(scene)}`],
          [2, () => `-m udp ${not(scene)}--sport ${portText(scene)}`],
          [
            2,
            () =>
              `-m multiport ${not(scene)}--${dice.pick(['dports', 'sports', 'ports'])} ${portList(scene)}`,
          ],
        )(),
      ];
    case 'icmp':
      return [
        base,
        `-m icmp ${not(scene)}--icmp-type ${dice.pick(['8', '0', '3', '3/3', '11', '8/0', 'any', '13', '5'])}`,
      ];
    case 'sctp':
      return [base, `-m sctp ${not(scene)}--${dice.pick(['dport', 'sport'])} ${portText(scene)}`];
    default:
      return [base];
  }
}

const CT_STATES = ['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'UNTRACKED', 'SNAT', 'DNAT'];

function conntrackMatch(scene: Scene): string {
  const { dice } = scene;
  const states = dice.some(CT_STATES, 30);
  const list = (states.length === 0 ? ['NEW'] : states).join(',');
  const one = (text: () => string) => text;
  return dice.weighted(
    [6, one(() => `-m conntrack ${not(scene)}--ctstate ${list}`)],
    [
      2,
      one(
        () =>
          `-m state ${not(scene)}--state ${
            list
              .split(',')
              .filter((s) => !/NAT/.test(s))
              .join(',') || 'NEW'
          }`,
      ),
    ],
    [
      1,
      one(
        () =>
          `-m conntrack ${not(scene)}--ctstatus ${dice.pick(['SEEN_REPLY', 'ASSURED', 'CONFIRMED', 'SEEN_REPLY,ASSURED', 'NONE', 'EXPECTED'])}`,
      ),
    ],
    [1, one(() => `-m conntrack --ctdir ${dice.pick(['ORIGINAL', 'REPLY'])}`)],
    [
      1,
      one(
        () =>
          `-m conntrack ${not(scene)}--${dice.pick(['ctorigsrc', 'ctorigdst', 'ctreplsrc', 'ctrepldst'])} ${addressText(scene)}`,
      ),
    ],
    [
      1,
      one(
        () =>
          `-m conntrack ${not(scene)}--${dice.pick(['ctorigsrcport', 'ctorigdstport', 'ctreplsrcport', 'ctrepldstport'])} ${dice.pick(PORTS)}`,
      ),
    ],
    [1, one(() => `-m conntrack ${not(scene)}--ctproto ${dice.pick(['tcp', 'udp', 'icmp'])}`)],
  )();
}

function addrtypeMatch(scene: Scene): string {
  const { dice } = scene;
  const types = dice.weighted(
    [5, 'LOCAL'],
    [2, 'UNICAST'],
    [1, 'BROADCAST'],
    [1, 'MULTICAST'],
    [1, 'LOCAL,BROADCAST'],
  );
  const limited = dice.chance(20)
    ? scene.hooks.every((hook) => hook === 'PREROUTING' || hook === 'INPUT')
      ? ' --limit-iface-in'
      : scene.hooks.every((hook) => hook === 'OUTPUT' || hook === 'POSTROUTING')
        ? ' --limit-iface-out'
        : ''
    : '';
  return `-m addrtype ${not(scene)}--${dice.pick(['dst-type', 'src-type'])} ${types}${limited}`;
}

function statefulMatch(scene: Scene): string {
  const { dice, serial } = scene;
  const list = `list${serial % 3}`;
  const one = (text: () => string) => text;
  return dice.weighted(
    [
      3,
      one(() => {
        const every = dice.between(2, 4);
        return `-m statistic --mode nth ${not(scene, 15)}--every ${every} --packet ${dice.between(0, every - 1)}`;
      }),
    ],
    [
      1,
      one(
        () =>
          `-m statistic --mode random ${not(scene, 15)}--probability ${dice.pick(['0.5', '0.33333333349', '1.0', '0'])}`,
      ),
    ],
    [
      2,
      one(
        () =>
          `-m limit --limit ${dice.pick(['3/hour', '2/hour', '2/min'])} --limit-burst ${dice.between(1, 4)}`,
      ),
    ],
    [2, one(() => `-m recent ${not(scene, 10)}--set --name ${list} --${dice.pick(['rsource', 'rdest'])}`)],
    [2, one(() => `-m recent ${not(scene)}--rcheck --name ${list} --${dice.pick(['rsource', 'rdest'])}`)],
    [1, one(() => `-m recent --update --hitcount ${dice.between(1, 4)} --name ${list} --rsource`)],
    [1, one(() => `-m recent --remove --name ${list} --rsource`)],
    [
      1,
      one(
        () =>
          `-m connlimit --connlimit-${dice.pick(['above', 'upto'])} ${dice.between(1, 3)} --connlimit-mask ${dice.pick([32, 24, 0])} --connlimit-${dice.pick(['saddr', 'daddr'])}`,
      ),
    ],
    [
      1,
      one(
        () =>
          `-m hashlimit --hashlimit-${dice.pick(['upto', 'above'])} ${dice.pick(['1/hour', '2/min'])} --hashlimit-burst ${dice.between(1, 4)} --hashlimit-mode ${dice.pick(['srcip', 'dstip', 'srcip,dstport'])} --hashlimit-name hl${serial}`,
      ),
    ],
  )();
}

function headerMatch(scene: Scene): string {
  const { dice, host } = scene;
  const one = (text: () => string) => text;
  const range = () => {
    const base = formatIpAddress(dice.pick(host.segments).peers[0] ?? 0).replace(/\d+$/, '');
    return `${base}${dice.between(1, 15)}-${base}${dice.between(16, 220)}`;
  };
  return dice.weighted(
    [4, one(() => `-m mark ${not(scene)}--mark ${dice.pick(MARKS)}`)],
    [2, one(() => `-m connmark ${not(scene)}--mark ${dice.pick(MARKS)}`)],
    [2, one(() => `-m iprange ${not(scene)}--${dice.pick(['src-range', 'dst-range'])} ${range()}`)],
    [2, one(() => `-m length ${not(scene)}--length ${dice.pick(['40', '0:60', '28:48', '60:'])}`)],
    [
      2,
      one(
        () =>
          `-m ttl ${dice.pick(['--ttl-eq 64', '--ttl-lt 64', '--ttl-gt 1', '! --ttl-eq 63', '--ttl-eq 1'])}`,
      ),
    ],
    [1, one(() => `-m tos ${not(scene)}--tos ${dice.pick(['0x10/0x3f', '0x08/0xff', '0x00/0x01'])}`)],
    [1, one(() => `-m dscp ${not(scene)}--dscp ${dice.pick(['0x04', '0x00', '0x0a'])}`)],
    [1, one(() => `-m comment --comment "rule ${scene.serial}, its \\"own\\""`)],
    [1, one(() => `-m pkttype ${not(scene)}--pkt-type ${dice.pick(['unicast', 'broadcast', 'multicast'])}`)],
    [1, one(() => `-m physdev ${not(scene)}--physdev-is-bridged`)],
  )();
}

function matchesFor(scene: Scene): string[] {
  const { dice } = scene;
  const matches: string[] = [];
  if (dice.chance(25)) matches.push(addressMatch(scene, '-s'));
  if (dice.chance(25)) matches.push(addressMatch(scene, '-d'));
  const input = scene.hooks.every((hook) => hook !== 'OUTPUT' && hook !== 'POSTROUTING');
  const output = scene.hooks.every((hook) => hook !== 'PREROUTING' && hook !== 'INPUT');
  if (input && dice.chance(15)) matches.push(`${not(scene)}-i ${deviceText(scene)}`);
  if (output && dice.chance(15)) matches.push(`${not(scene)}-o ${deviceText(scene)}`);
  if (dice.chance(40)) matches.push(...protocolMatches(scene));
  const extras: readonly [number, (scene: Scene) => string][] = [
    [14, headerMatch],
    [16, conntrackMatch],
    [8, addrtypeMatch],
    [8, statefulMatch],
  ];
  for (const [percent, make] of extras) if (dice.chance(percent)) matches.push(make(scene));
  return matches;
}

function natFlags(scene: Scene): string {
  return scene.dice.weighted([10, ''], [1, ' --persistent'], [1, ' --random']);
}

function destinationTarget(scene: Scene): readonly [needsPorts: boolean, text: string] {
  const { dice, host } = scene;
  const peers = dice.pick(host.segments).peers;
  const to = formatIpAddress(dice.chance(85) ? dice.pick(peers) : anyAddress(scene));
  const port = dice.pick(PORTS);
  const prefix = to.replace(/\d+$/, '');
  return dice.weighted<readonly [boolean, string]>(
    [5, [true, `DNAT --to-destination ${to}:${port}`]],
    [3, [false, `DNAT --to-destination ${to}`]],
    [1, [true, `DNAT --to-destination :${port}`]],
    [1, [true, `DNAT --to-destination ${to}:${port}-${port + dice.between(0, 5)}`]],
    [2, [false, `DNAT --to-destination ${prefix}9-${prefix}${dice.between(10, 20)}${natFlags(scene)}`]],
    [1, [true, `DNAT --to-destination 127.0.0.1:${port}`]],
    [3, [true, `REDIRECT --to-ports ${port}`]],
    [1, [false, 'REDIRECT']],
  );
}

function sourceTarget(scene: Scene): readonly [needsPorts: boolean, text: string] {
  const { dice, host } = scene;
  const segment = dice.pick(host.segments);
  const own = segment.own.length > 0 ? segment.own : host.remote;
  const to = formatIpAddress(dice.chance(75) ? dice.pick(own) : dice.pick(host.remote));
  const prefix = to.replace(/\d+$/, '');
  const low = dice.pick([500, 1000, 2000, 40000]);
  // The kernel takes MASQUERADE in POSTROUTING only, where there is a device to take the address of.
  const masquerade = scene.hooks.every((hook) => hook === 'POSTROUTING') ? 1 : 0;
  return dice.weighted<readonly [boolean, string]>(
    [masquerade * 5, [false, 'MASQUERADE']],
    [masquerade, [false, `MASQUERADE${dice.pick([' --random', ' --random-fully'])}`]],
    [masquerade, [true, `MASQUERADE --to-ports ${low}-${low + dice.between(0, 3)}`]],
    [4, [false, `SNAT --to-source ${to}`]],
    [2, [true, `SNAT --to-source ${to}:${low}-${low + dice.between(0, 5)}`]],
    [1, [true, `SNAT --to-source ${to}:${low}`]],
    [2, [false, `SNAT --to-source ${prefix}1-${prefix}${dice.between(2, 6)}${natFlags(scene)}`]],
  );
}

const REJECTS = [
  'icmp-net-unreachable',
  'icmp-host-unreachable',
  'icmp-proto-unreachable',
  'icmp-port-unreachable',
  'icmp-net-prohibited',
  'icmp-host-prohibited',
  'icmp-admin-prohibited',
];

/** Matches that a target needs beside it, and the target. */
function targetFor(scene: Scene): readonly [matches: readonly string[], target: string] {
  const { dice, table, hooks } = scene;
  const plain = (text: string): readonly [readonly string[], string] => [[], text];
  const translated = ([needsPorts, text]: readonly [boolean, string]): readonly [
    readonly string[],
    string,
  ] => [needsPorts ? [`-p ${dice.pick(['tcp', 'udp'])}`] : [], `-j ${text}`];
  const accept = plain('-j ACCEPT');
  const leave = plain('-j RETURN');
  switch (table) {
    case 'raw':
      return dice.weighted<() => readonly [readonly string[], string]>(
        [3, () => plain('-j CT --notrack')],
        [1, () => plain('-j NOTRACK')],
        [2, () => accept],
        [2, () => leave],
        [1, () => plain('-j DROP')],
        [2, () => plain(`-j MARK --set-xmark ${dice.pick(MARKS)}`)],
      )();
    case 'mangle':
      return dice.weighted<() => readonly [readonly string[], string]>(
        [5, () => plain(`-j MARK --${dice.pick(['set-xmark', 'set-mark'])} ${dice.pick(MARKS)}`)],
        [
          1,
          () =>
            plain(
              `-j MARK --${dice.pick(['and-mark', 'or-mark', 'xor-mark'])} ${dice.pick(['0xff', '0x4000'])}`,
            ),
        ],
        [2, () => plain(`-j CONNMARK --save-mark${dice.pick(['', ' --nfmask 0xff --ctmask 0xffff'])}`)],
        [2, () => plain(`-j CONNMARK --restore-mark${dice.pick(['', ' --nfmask 0xff --ctmask 0xff'])}`)],
        [1, () => plain(`-j CONNMARK --set-xmark ${dice.pick(MARKS)}`)],
        [1, () => plain(`-j TOS --set-tos ${dice.pick(['0x10/0x3f', '0x00/0xff', '0x08/0x08'])}`)],
        [1, () => plain(`-j DSCP --set-dscp ${dice.pick(['0x04', '0x00', '0x2e'])}`)],
        [1, () => plain(`-j TTL --ttl-${dice.pick(['set 64', 'inc 1', 'dec 1', 'set 2', 'dec 70'])}`)],
        [1, () => plain('-j DROP')],
        [2, () => accept],
        [2, () => leave],
      )();
    case 'nat':
      return dice.weighted<() => readonly [readonly string[], string]>(
        [
          8,
          () =>
            translated(
              hooks.some((hook) => hook === 'PREROUTING' || hook === 'OUTPUT')
                ? destinationTarget(scene)
                : sourceTarget(scene),
            ),
        ],
        [2, () => plain(`-j MARK --set-xmark ${dice.pick(MARKS)}`)],
        [1, () => accept],
        [1, () => leave],
      )();
    default:
      return dice.weighted<() => readonly [readonly string[], string]>(
        [6, () => accept],
        [3, () => plain('-j DROP')],
        [4, () => leave],
        [table === 'filter' ? 4 : 0, () => plain(`-j REJECT --reject-with ${dice.pick(REJECTS)}`)],
        [
          table === 'filter' ? 2 : 0,
          (): readonly [readonly string[], string] => [['-p tcp'], '-j REJECT --reject-with tcp-reset'],
        ],
        [table === 'security' ? 0 : 1, () => plain(`-j MARK --set-xmark ${dice.pick(MARKS)}`)],
        [1, () => plain('-j LOG --log-prefix "seen "')],
        [1, () => plain('')],
      )();
  }
}

/** `-p` and what depends on it stand first and once. */
function combine(matches: readonly string[], needed: readonly string[]): string[] {
  if (needed.length === 0) return [...matches];
  const dependent = /^(! )?-p |^-m (tcp|udp|icmp|sctp|multiport) /;
  return [...needed, ...matches.filter((match) => !dependent.test(match))];
}

interface PlannedChain {
  readonly name: string;
  readonly hooks: readonly Hook[];
}

/** The groups of hooks from which one user-defined chain may be reached without meeting a target it must not have. */
function hookGroups(table: string): readonly (readonly Hook[])[] {
  if (table === 'nat') return [['PREROUTING', 'OUTPUT'], ['INPUT', 'POSTROUTING'], ['POSTROUTING']];
  return [TABLE_HOOKS[table] ?? []];
}

function randomTable(dice: Dice, host: FuzzHost, table: string, serial: () => number): FuzzTable {
  const bases: PlannedChain[] = (TABLE_HOOKS[table] ?? []).map((hook) => ({ name: hook, hooks: [hook] }));
  const users: PlannedChain[] = hookGroups(table).flatMap((hooks, group) =>
    Array.from({ length: dice.between(0, 4) }, (_, index) => ({ name: `u${group}-${index}`, hooks })),
  );
  const rules: string[] = [];
  const all = [...bases, ...users];
  for (const [position, chain] of all.entries()) {
    // Only chains that come later and can be reached from every hook this one can.
    const callable = users.filter(
      (user) => all.indexOf(user) > position && chain.hooks.every((hook) => user.hooks.includes(hook)),
    );
    const count = dice.weighted(
      [2, 0],
      [3, dice.between(1, 2)],
      [3, dice.between(2, 5)],
      [1, dice.between(5, 9)],
    );
    for (let i = 0; i < count; i++) {
      const scene: Scene = { dice, host, table, hooks: chain.hooks, serial: serial() };
      const matches = matchesFor(scene);
      if (callable.length > 0 && dice.chance(35)) {
        rules.push(
          [
            `-A ${chain.name}`,
            ...matches,
            `${dice.chance(75) ? '-j' : '-g'} ${dice.pick(callable).name}`,
          ].join(' '),
        );
        continue;
      }
      const [needed, target] = targetFor(scene);
      rules.push(
        [`-A ${chain.name}`, ...combine(matches, needed), target].filter((word) => word !== '').join(' '),
      );
    }
  }
  const policy = () => (table === 'nat' || dice.chance(93) ? 'ACCEPT' : 'DROP');
  const chains = [
    ...bases.map(({ name }) => `:${name} ${policy()} [0:0]`),
    ...users.map(({ name }) => `:${name} - [0:0]`),
  ];
  return { name: table, chains, rules };
}

/** A rule set over a random choice of tables. */
export function randomRules(dice: Dice, host: FuzzHost): FuzzRules {
  let count = 0;
  const serial = () => count++;
  const tables = [
    ...(dice.chance(30) ? ['raw'] : []),
    ...(dice.chance(50) ? ['mangle'] : []),
    ...(dice.chance(80) ? ['nat'] : []),
    ...(dice.chance(75) ? ['filter'] : []),
    ...(dice.chance(15) ? ['security'] : []),
  ];
  return { tables: tables.map((table) => randomTable(dice, host, table, serial)) };
}
