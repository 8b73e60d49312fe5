/** `-m set`: is the packet in an IP set? (xt_set.c, ip_set_getport.c) */
import { familyOf } from '../../wire/ip-address.ts';
import { type Packet, protocolOf } from '../../wire/packet.ts';
import { type IpSetPacket, ipSetContains } from '../ip-set.ts';
import type { SetMatch } from '../match.ts';
import { lacksTransportHeader, portsOf } from '../ports.ts';
import type { Skb } from '../skb.ts';
import type { Evaluator } from './environment.ts';

/** Bytes of UDP-Lite's header, which travels unparsed. */
const WHOLE_HEADER = 8;

/** The parts of the transport header that a set may ask for; nothing when they cannot be read. */
function transportParts(packet: Packet): Pick<IpSetPacket, 'sport' | 'dport' | 'icmpType' | 'icmpCode'> {
  const { transport } = packet;
  if (lacksTransportHeader(packet)) return {};
  if (transport.kind === 'icmp') return { icmpType: transport.type, icmpCode: transport.code };
  const whole = transport.kind !== 'opaque' || transport.data.length >= WHOLE_HEADER;
  const ports = whole ? portsOf(transport) : undefined;
  return ports === undefined ? {} : { sport: ports.sport, dport: ports.dport };
}

/** What of the packet a set looks at. */
function setPacket({ packet, mark, inDevice, outDevice }: Skb): IpSetPacket {
  return {
    family: familyOf(packet.src),
    source: packet.src,
    destination: packet.dst,
    protocol: protocolOf(packet),
    ...transportParts(packet),
    ...(inDevice === undefined ? {} : { inDevice }),
    ...(outDevice === undefined ? {} : { outDevice }),
    mark,
  };
}

export const matchSet: Evaluator<SetMatch> = (match, skb, { sets, setsLoadedAt, now }) => {
  const set = sets.get(match.set);
  // Options such as --return-nomatch change the answer, and a set that nobody loaded has none.
  if (match.rest !== '' || set === undefined) return 'unsupported';
  const { directions } = match;
  const inside = ipSetContains(set, {
    packet: setPacket(skb),
    directions,
    elapsed: now - setsLoadedAt,
    sets,
  });
  return inside === undefined ? 'unsupported' : inside !== match.negate;
};
