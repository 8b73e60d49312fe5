/**
 * Where somebody may look at frames inside a bridge, and stop or change them: the bridge's netfilter hooks
 * (NF_BR_*), to which br_netfilter binds the IP ones.
 */
import type { Skb } from '../../netfilter/skb.ts';
import type { Frame } from '../../wire/frame.ts';
import type { Interface } from '../link/interface.ts';

export type BridgeHook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';

/** A frame inside a bridge. */
export interface BridgedFrame {
  readonly bridge: Interface;
  readonly frame: Frame;
  /** The port it came in on; undefined when the bridge device itself sends it. */
  readonly inPort: Interface | undefined;
  /** The port it is about to leave by: from `forward` and `output` on. */
  readonly outPort: Interface | undefined;
  /**
   * What the namespace knows beside the packet: made by the first hook that needs it, kept through the
   * bridge; present from the start for packets that the namespace itself sends through the bridge.
   */
  readonly skb: Skb | undefined;
  /** The IP prerouting hooks have been run by the bridge: the IP layer must not run them again. */
  readonly prerouted?: boolean;
}

/**
 * Runs a hook. Whoever wants the frame to go on calls `proceed`, at once or later, with the same frame or a
 * changed one (a new destination MAC is looked up anew behind prerouting); not calling it stops the frame.
 */
export interface BridgeHooks {
  run(hook: BridgeHook, bridged: BridgedFrame, proceed: (bridged: BridgedFrame) => void): void;
  /** The bridge device is about to send `frame`; true when it belongs to a frame whose way was interrupted. */
  resume(frame: Frame, skb: Skb): boolean;
}
