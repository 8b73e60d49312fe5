/** Random packets that meet the rules of a rule set: its addresses, ports and what is next to them. */
import type { RuleSet, Table } from '../../../src/netfilter/rule-set.ts';
import { addToAddress, type IpAddress, parseIpAddress } from '../../../src/wire/ip-address.ts';
import { PROTOCOL } from '../../../src/wire/protocol.ts';
import { ADDRESSES, type Dice, MARKS, PORTS } from './random-rules.ts';
import type { FlatPacket } from './reference.ts';

/** What rules name, to aim at. */
export interface Targets {
  readonly addresses: readonly IpAddress[];
  /** Destination, protocol and port named together. */
  readonly sockets: readonly { readonly dst: IpAddress; readonly protocol: number; readonly dport: number }[];
  readonly ports: readonly number[];
}

/** What the rules of `table` name. */
export function targetsOf({ family }: RuleSet, table: Table): Targets {
  const addresses: IpAddress[] = ADDRESSES[family].map(parseIpAddress);
  const sockets: Targets['sockets'][number][] = [];
  const ports = [...PORTS];
  for (const { rules } of table.chains.values()) {
    for (const { matches } of rules) {
      let dst: IpAddress | undefined;
      let protocol: number | undefined;
      let dport: number | undefined;
      for (const match of matches) {
        if (match.kind === 'source' || match.kind === 'destination') addresses.push(match.address);
        if (match.kind === 'destination') dst = match.address;
        if (match.kind === 'protocol') protocol = match.protocol;
        if (match.kind === 'tcp' || match.kind === 'udp' || match.kind === 'sctp') dport = match.dport?.from;
        if (dport !== undefined) ports.push(dport);
      }
      if (dst !== undefined && protocol !== undefined && dport !== undefined) {
        sockets.push({ dst, protocol, dport });
      }
    }
  }
  return { addresses, sockets, ports };
}

export function randomPacket(dice: Dice, { family }: RuleSet, targets: Targets): FlatPacket {
  const near = () => {
    const address = dice.pick(targets.addresses);
    return dice.chance(15) ? addToAddress(address, 1 + dice.random.below(3)) : address;
  };
  const icmp = family === 'ipv4' ? PROTOCOL.icmp : PROTOCOL.icmpv6;
  const socket =
    targets.sockets.length > 0 && dice.chance(70)
      ? dice.pick(targets.sockets)
      : {
          dst: near(),
          protocol: dice.pick([PROTOCOL.tcp, PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.sctp, icmp, 50]),
          dport: dice.chance(80) ? dice.pick(targets.ports) : dice.random.below(65_536),
        };
  const ported = ([PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.sctp] as number[]).includes(socket.protocol);
  return {
    src: near(),
    ...socket,
    dport: ported ? socket.dport : 0,
    sport: ported ? (dice.chance(50) ? dice.pick(PORTS) : 1024 + dice.random.below(60_000)) : 0,
    mark: dice.chance(70) ? 0 : dice.pick(MARKS),
    state: dice.pick(['NEW', 'NEW', 'ESTABLISHED', 'RELATED']),
    translated: dice.chance(30),
  };
}
