/** How a frame was addressed, as seen by the device it reached (eth_type_trans). */
import type { PacketType } from '../../netfilter/skb.ts';
import { BROADCAST_MAC, isMulticastMac, type MacAddress } from '../../wire/mac.ts';

/** `own`: the device's address. */
export function packetTypeOf(destination: MacAddress, own: MacAddress): PacketType {
  if (destination === own) return 'host';
  if (destination === BROADCAST_MAC) return 'broadcast';
  return isMulticastMac(destination) ? 'multicast' : 'other-host';
}
