/** Random targets, each where iptables allows it. */

import { formatIpAddress } from '../../../src/wire/ip-address.ts';
import { addressRange, addressText, isV6, MARKS, oneOf, PORTS, type Scene } from './fuzz-scene.ts';

export interface TargetText {
  /** `-p` that the target insists on. */
  readonly protocol?: string;
  /** `-j …`, or nothing: a rule that only counts. */
  readonly text: string;
}

function natFlags({ dice }: Scene): string {
  return dice.weighted([10, ''], [1, ' --persistent'], [1, ' --random']);
}

/** Ports need a protocol that has them. */
function ported(scene: Scene, text: string): TargetText {
  return { protocol: scene.dice.weighted([4, 'tcp'], [4, 'udp'], [1, 'sctp']), text: `-j ${text}` };
}

const plain = (text: string): TargetText => ({ text: `-j ${text}` });

function destinationTarget(scene: Scene): TargetText {
  const { dice, host } = scene;
  const { withPort } = host.addresses;
  const to = dice.chance(85)
    ? formatIpAddress(dice.pick(dice.pick(host.segments).peers))
    : addressText(scene);
  const port = dice.pick(PORTS);
  const range = `${port}-${port + dice.between(0, 5)}`;
  return dice.weighted<() => TargetText>(
    [5, () => ported(scene, `DNAT --to-destination ${withPort(to, String(port))}`)],
    [3, () => plain(`DNAT --to-destination ${to}`)],
    [1, () => ported(scene, `DNAT --to-destination :${port}`)],
    [1, () => ported(scene, `DNAT --to-destination ${withPort(to, range)}`)],
    [1, () => ported(scene, `DNAT --to-destination ${withPort(to, range)}${natFlags(scene)}`)],
    [2, () => plain(`DNAT --to-destination ${addressRange(scene, [9, 9], [10, 20])}${natFlags(scene)}`)],
    [
      1,
      () =>
        ported(scene, `DNAT --to-destination ${withPort(isV6(scene) ? '::1' : '127.0.0.1', String(port))}`),
    ],
    [3, () => ported(scene, `REDIRECT --to-ports ${port}`)],
    [1, () => ported(scene, `REDIRECT --to-ports ${range}`)],
    [1, () => plain('REDIRECT')],
  )();
}

function sourceTarget(scene: Scene): TargetText {
  const { dice, host, hooks } = scene;
  const { withPort, remote } = host.addresses;
  const { own } = dice.pick(host.segments);
  const to = formatIpAddress(dice.pick(own.length > 0 && dice.chance(75) ? own : remote));
  const low = dice.pick([500, 1000, 2000, 40000]);
  const ports = `${low}-${low + dice.between(0, 5)}`;
  // The kernel takes MASQUERADE in POSTROUTING only, where there is a device to take the address of.
  const masquerade = hooks.every((hook) => hook === 'POSTROUTING') ? 1 : 0;
  return dice.weighted<() => TargetText>(
    [masquerade * 5, () => plain('MASQUERADE')],
    [masquerade, () => plain(`MASQUERADE${dice.pick([' --random', ' --random-fully'])}`)],
    [masquerade, () => ported(scene, `MASQUERADE --to-ports ${ports}`)],
    [4, () => plain(`SNAT --to-source ${to}`)],
    [2, () => ported(scene, `SNAT --to-source ${withPort(to, ports)}`)],
    [1, () => ported(scene, `SNAT --to-source ${withPort(to, String(low))}`)],
    [1, () => plain(`SNAT --to-source ${to}${dice.pick([' --random', ' --random-fully', ' --persistent'])}`)],
    [2, () => plain(`SNAT --to-source ${addressRange(scene, [1, 1], [2, 6])}${natFlags(scene)}`)],
  )();
}

const REJECTS = {
  ipv4: [
    'icmp-net-unreachable',
    'icmp-host-unreachable',
    'icmp-proto-unreachable',
    'icmp-port-unreachable',
    'icmp-net-prohibited',
    'icmp-host-prohibited',
    'icmp-admin-prohibited',
  ],
  ipv6: [
    'icmp6-no-route',
    'icmp6-adm-prohibited',
    'icmp6-addr-unreachable',
    'icmp6-port-unreachable',
    'icmp6-policy-fail',
    'icmp6-reject-route',
  ],
} as const;

function mangleTarget(scene: Scene): string {
  const { dice } = scene;
  const hops = isV6(scene) ? 'HL --hl' : 'TTL --ttl';
  const markOps = ['set-xmark', 'set-mark'];
  return oneOf(
    scene,
    [5, () => `MARK --${dice.pick(markOps)} ${dice.pick(MARKS)}`],
    [1, () => `MARK --${dice.pick(['and-mark', 'or-mark', 'xor-mark'])} ${dice.pick(['0xff', '0x4000'])}`],
    [2, () => `CONNMARK --save-mark${dice.pick(['', ' --nfmask 0xff --ctmask 0xffff'])}`],
    [2, () => `CONNMARK --restore-mark${dice.pick(['', ' --nfmask 0xff --ctmask 0xff'])}`],
    [1, () => `CONNMARK --${dice.pick(markOps)} ${dice.pick(MARKS)}`],
    [1, () => `TOS --set-tos ${dice.pick(['0x10/0x3f', '0x00/0xff', '0x08/0x08'])}`],
    [1, () => `DSCP --set-dscp ${dice.pick(['0x04', '0x00', '0x2e'])}`],
    [1, () => `${hops}-${dice.pick(['set 64', 'inc 1', 'dec 1', 'set 2', 'dec 70', 'set 1'])}`],
    [1, () => 'DROP'],
    [2, () => 'ACCEPT'],
    [2, () => 'RETURN'],
  );
}

/** What a router's rules say of SYNs: where a route is known, the path's MTU decides. */
function segmentSize({ dice, hooks }: Scene): TargetText {
  const routed = hooks.every((hook) => hook === 'FORWARD' || hook === 'OUTPUT' || hook === 'POSTROUTING');
  const size = routed && dice.chance(50) ? '--clamp-mss-to-pmtu' : `--set-mss ${dice.pick([500, 1360])}`;
  return { protocol: 'tcp', text: `-m tcp --tcp-flags SYN,RST SYN -j TCPMSS ${size}` };
}

/** A target for a rule of the scene's table. */
export function randomTarget(scene: Scene): TargetText {
  const { dice, table, hooks, host } = scene;
  const setMark = () => plain(`MARK --set-xmark ${dice.pick(MARKS)}`);
  switch (table) {
    case 'raw':
      return dice.weighted<() => TargetText>(
        [3, () => plain('CT --notrack')],
        [1, () => plain('NOTRACK')],
        [2, () => plain('ACCEPT')],
        [2, () => plain('RETURN')],
        [1, () => plain('DROP')],
        [2, setMark],
      )();
    case 'mangle':
      return dice.chance(4) ? segmentSize(scene) : plain(mangleTarget(scene));
    case 'nat': {
      const destination = hooks.some((hook) => hook === 'PREROUTING' || hook === 'OUTPUT');
      return dice.weighted<() => TargetText>(
        [8, () => (destination ? destinationTarget(scene) : sourceTarget(scene))],
        [2, setMark],
        [1, () => plain('ACCEPT')],
        [1, () => plain('RETURN')],
      )();
    }
    default: {
      const filter = table === 'filter';
      return dice.weighted<() => TargetText>(
        [6, () => plain('ACCEPT')],
        [3, () => plain('DROP')],
        [4, () => plain('RETURN')],
        [filter ? 4 : 0, () => plain(`REJECT --reject-with ${dice.pick(REJECTS[host.addresses.family])}`)],
        [filter ? 2 : 0, () => ({ protocol: 'tcp', text: '-j REJECT --reject-with tcp-reset' })],
        [filter ? 1 : 0, setMark],
        [1, () => plain('LOG --log-prefix "seen "')],
        [1, () => ({ text: '' })],
      )();
    }
  }
}
