/** What a link's receiver takes in (net/core/dev.c is_skb_forwardable). */
import { type Frame, payloadLength } from '../../wire/frame.ts';

/** A VLAN tag's worth of bytes is always granted on top of the MTU. */
const VLAN_TAG = 4;

/** True when a device with this MTU (bytes behind the Ethernet header) takes the frame. */
export function fits(frame: Frame, mtu: number): boolean {
  return payloadLength(frame) <= mtu + VLAN_TAG;
}
