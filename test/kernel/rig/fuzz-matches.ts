/** Random matches of every kind that the engine claims to know, as a rule's author would write them. */
import { addressMatch, addressRange, isV6, MARKS, not, oneOf, PORTS, type Scene } from './fuzz-scene.ts';

function portText({ dice }: Scene): string {
  const port = dice.pick(PORTS);
  return dice.weighted([4, String(port)], [1, `${port}:${port + 2000}`], [1, `:${port}`], [1, `${port}:`]);
}

function portList({ dice }: Scene): string {
  const ports = dice.some(PORTS, 40).map((port) => (dice.chance(25) ? `${port}:${port + 1}` : String(port)));
  return (ports.length === 0 ? ['80'] : ports).slice(0, 7).join(',');
}

function multiport(scene: Scene): string {
  return `-m multiport ${not(scene)}--${scene.dice.pick(['dports', 'sports', 'ports'])} ${portList(scene)}`;
}

function tcpMatch(scene: Scene): string {
  const { dice } = scene;
  const masks = ['SYN,ACK', 'ALL', 'FIN,RST', 'PSH,URG', 'FIN,SYN,RST,ACK'];
  const sets = ['SYN', 'ACK', 'NONE', 'ACK,PSH', 'SYN,ACK'];
  return oneOf(
    scene,
    [4, () => `-m tcp ${not(scene)}--dport ${portText(scene)}`],
    [2, () => `-m tcp ${not(scene)}--sport ${portText(scene)}`],
    [2, () => `-m tcp ${not(scene)}--syn`],
    [2, () => `-m tcp ${not(scene)}--tcp-flags ${dice.pick(masks)} ${dice.pick(sets)}`],
    [1, () => `-m tcp ${not(scene)}--tcp-option ${dice.pick([2, 3, 8])}`],
    [2, () => multiport(scene)],
  );
}

function icmpMatch(scene: Scene): string {
  const { dice } = scene;
  return isV6(scene)
    ? `-m icmp6 ${not(scene)}--icmpv6-type ${dice.pick(['128', '129', '1', '1/4', '3', '128/0', '2', '4'])}`
    : `-m icmp ${not(scene)}--icmp-type ${dice.pick(['8', '0', '3', '3/3', '11', '8/0', 'any', '13', '5'])}`;
}

/** `-p` and what goes with it. */
function protocolMatches(scene: Scene): string[] {
  const { dice } = scene;
  const protocol = dice.weighted(
    [5, 'tcp'],
    [5, 'udp'],
    [3, isV6(scene) ? 'icmpv6' : 'icmp'],
    [1, 'sctp'],
    [1, '47'],
    [1, '50'],
  );
  if (dice.chance(15)) return [`${not(scene)}-p ${protocol}`];
  const base = `-p ${protocol}`;
  switch (protocol) {
    case 'tcp':
      return [base, tcpMatch(scene)];
    case 'udp':
    case 'sctp': {
      const side = dice.pick(['dport', 'sport']);
      return [
        base,
        dice.chance(30) ? multiport(scene) : `-m ${protocol} ${not(scene)}--${side} ${portText(scene)}`,
      ];
    }
    case 'icmp':
    case 'icmpv6':
      return [base, icmpMatch(scene)];
    default:
      return [base];
  }
}

const CT_STATES = ['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'UNTRACKED', 'SNAT', 'DNAT'];
const CT_STATUSES = ['SEEN_REPLY', 'ASSURED', 'CONFIRMED', 'SEEN_REPLY,ASSURED', 'NONE', 'EXPECTED'];

function conntrackMatch(scene: Scene): string {
  const { dice } = scene;
  const states = dice.some(CT_STATES, 30);
  const plain = states.filter((state) => !/NAT$/.test(state));
  const list = (names: readonly string[]) => (names.length === 0 ? 'NEW' : names.join(','));
  const ends = ['ctorigsrc', 'ctorigdst', 'ctreplsrc', 'ctrepldst'];
  return oneOf(
    scene,
    [6, () => `-m conntrack ${not(scene)}--ctstate ${list(states)}`],
    [2, () => `-m state ${not(scene)}--state ${list(plain)}`],
    [1, () => `-m conntrack ${not(scene)}--ctstatus ${dice.pick(CT_STATUSES)}`],
    [1, () => `-m conntrack --ctdir ${dice.pick(['ORIGINAL', 'REPLY'])}`],
    [1, () => `-m conntrack ${addressMatch(scene, `--${dice.pick(ends)}`)}`],
    [1, () => `-m conntrack ${not(scene)}--${dice.pick(ends)}port ${dice.pick(PORTS)}`],
    [
      1,
      () => `-m conntrack ${not(scene)}--ctproto ${dice.pick(['tcp', 'udp', isV6(scene) ? '58' : 'icmp'])}`,
    ],
    [
      1,
      () => `-m conntrack ${not(scene)}--ctstate ${list(states)} --ctdir ${dice.pick(['ORIGINAL', 'REPLY'])}`,
    ],
  );
}

function addrtypeMatch(scene: Scene): string {
  const { dice, hooks } = scene;
  const types = dice.weighted(
    [5, 'LOCAL'],
    [2, 'UNICAST'],
    [1, isV6(scene) ? 'LOCAL' : 'BROADCAST'],
    [1, 'MULTICAST'],
    [1, isV6(scene) ? 'UNICAST,LOCAL' : 'LOCAL,BROADCAST'],
  );
  const only = (...allowed: string[]) => hooks.every((hook) => allowed.includes(hook));
  const limits = [
    ...(only('PREROUTING', 'INPUT', 'FORWARD') ? [' --limit-iface-in'] : []),
    ...(only('OUTPUT', 'POSTROUTING', 'FORWARD') ? [' --limit-iface-out'] : []),
  ];
  const limit = limits.length > 0 && dice.chance(20) ? dice.pick(limits) : '';
  return `-m addrtype ${not(scene)}--${dice.pick(['dst-type', 'src-type'])} ${types}${limit}`;
}

function recentMatch(scene: Scene): string {
  const { dice, serial, timed } = scene;
  const list = `--name list${serial % 3} --${dice.pick(['rsource', 'rdest'])}`;
  const seconds = timed && dice.chance(40) ? ` --seconds ${dice.between(1, 4)}` : '';
  const hits = dice.chance(40) ? ` --hitcount ${dice.between(1, 4)}` : '';
  return oneOf(
    scene,
    [3, () => `-m recent ${not(scene, 10)}--set ${list}`],
    [3, () => `-m recent ${not(scene)}--rcheck${seconds}${hits} ${list}`],
    [2, () => `-m recent ${not(scene)}--update${seconds}${hits} ${list}`],
    [1, () => `-m recent ${not(scene, 10)}--remove ${list}`],
  );
}

/** Matches that remember. Without pauses only slow rates, of which nothing comes back while the case runs. */
function statefulMatch(scene: Scene): string {
  const { dice, serial, timed } = scene;
  const bits = isV6(scene) ? [128, 64, 0] : [32, 24, 0];
  const rate = () => dice.pick(timed ? ['1/sec', '30/min', '2/sec'] : ['3/hour', '2/hour', '2/min']);
  // The collector of hashlimit's tables goes round when the machine has time: here it finds nothing to forget.
  const patience = timed ? ' --hashlimit-htable-expire 600000' : '';
  const modes = ['srcip', 'dstip', 'srcip,dstport', 'srcip,srcport,dstip,dstport'];
  return oneOf(
    scene,
    [
      3,
      () => {
        const every = dice.between(2, 4);
        return `-m statistic --mode nth ${not(scene, 15)}--every ${every} --packet ${dice.between(0, every - 1)}`;
      },
    ],
    [
      1,
      () =>
        `-m statistic --mode random ${not(scene, 15)}--probability ${dice.pick(['0.5', '0.33333333349', '1.0', '0'])}`,
    ],
    [2, () => `-m limit --limit ${rate()} --limit-burst ${dice.between(1, 4)}`],
    [6, () => recentMatch(scene)],
    [
      1,
      () =>
        `-m connlimit --connlimit-${dice.pick(['above', 'upto'])} ${dice.between(1, 3)} --connlimit-mask ${dice.pick(bits)} --connlimit-${dice.pick(['saddr', 'daddr'])}`,
    ],
    [
      1,
      () =>
        `-m hashlimit --hashlimit-${dice.pick(['upto', 'above'])} ${rate()} --hashlimit-burst ${dice.between(1, 4)} --hashlimit-mode ${dice.pick(modes)} --hashlimit-name hl${serial}${patience}`,
    ],
  );
}

function headerMatch(scene: Scene): string {
  const { dice } = scene;
  const hops = isV6(scene) ? 'hl' : 'ttl';
  return oneOf(
    scene,
    [4, () => `-m mark ${not(scene)}--mark ${dice.pick(MARKS)}`],
    [2, () => `-m connmark ${not(scene)}--mark ${dice.pick(MARKS)}`],
    [
      2,
      () =>
        `-m iprange ${not(scene)}--${dice.pick(['src-range', 'dst-range'])} ${addressRange(scene, [1, 15], [16, 220])}`,
    ],
    [2, () => `-m length ${not(scene)}--length ${dice.pick(['40', '0:60', '28:48', '60:', '60:80'])}`],
    [3, () => `-m ${hops} --${hops}-${dice.pick(['eq 64', 'lt 64', 'gt 1', 'eq 1', 'eq 63'])}`],
    [1, () => `-m ${hops} ! --${hops}-eq 63`],
    [1, () => `-m tos ${not(scene)}--tos ${dice.pick(['0x10/0x3f', '0x08/0xff', '0x00/0x01'])}`],
    [1, () => `-m dscp ${not(scene)}--dscp ${dice.pick(['0x04', '0x00', '0x0a'])}`],
    [1, () => `-m comment --comment "rule ${scene.serial}, its \\"own\\""`],
    [1, () => `-m pkttype ${not(scene)}--pkt-type ${dice.pick(['unicast', 'broadcast', 'multicast'])}`],
    [1, () => `-m physdev ${not(scene)}--physdev-is-bridged`],
    ...(isV6(scene) ? [] : [[1, () => `${not(scene)}-f`] as const]),
  );
}

function setMatch(scene: Scene): string {
  const { dice, host } = scene;
  const { name, dimensions } = dice.pick(host.sets);
  const directions = Array.from({ length: dimensions }, () => dice.pick(['src', 'dst'])).join(',');
  return `-m set ${not(scene)}--match-set ${name} ${directions}`;
}

function deviceText({ dice, host }: Scene): string {
  const name = dice.pick(host.segments).device;
  return dice.weighted([5, name], [1, `${name.slice(0, 3)}+`], [1, 'lo'], [1, 'eth+']);
}

/** Up to half a dozen matches, mostly few. */
export function randomMatches(scene: Scene): string[] {
  const { dice, hooks, host } = scene;
  const input = hooks.every((hook) => hook !== 'OUTPUT' && hook !== 'POSTROUTING');
  const output = hooks.every((hook) => hook !== 'PREROUTING' && hook !== 'INPUT');
  const makers: readonly (readonly [percent: number, () => readonly string[]])[] = [
    [25, () => [addressMatch(scene, '-s')]],
    [25, () => [addressMatch(scene, '-d')]],
    [input ? 15 : 0, () => [`${not(scene)}-i ${deviceText(scene)}`]],
    [output ? 15 : 0, () => [`${not(scene)}-o ${deviceText(scene)}`]],
    [40, () => protocolMatches(scene)],
    [14, () => [headerMatch(scene)]],
    [16, () => [conntrackMatch(scene)]],
    [8, () => [addrtypeMatch(scene)]],
    [8, () => [statefulMatch(scene)]],
    [host.sets.length > 0 ? 25 : 0, () => [setMatch(scene)]],
  ];
  return makers.flatMap(([percent, make]) => (dice.chance(percent) ? make() : []));
}
