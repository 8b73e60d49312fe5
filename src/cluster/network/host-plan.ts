/** What is known of a host of the emulated cluster before its first packet. */
import type { IpSet } from '../../netfilter/ip-set.ts';
import type { RuleSet } from '../../netfilter/rule-set.ts';
import type { IpAddress } from '../../wire/ip-address.ts';
import type { Packet } from '../../wire/packet.ts';

export type HostKind = 'pod' | 'node' | 'outside' | 'router';

/** Whether something on the host listens where `packet` is addressed to. */
export type Listens = (packet: Packet) => boolean;

export interface HostPlan {
  /** `pod/NAMESPACE/NAME`, `node/NAME`, `host/NAME`, `external/ADDRESS`, `router`. */
  readonly label: string;
  readonly kind: HostKind;
  /** The node that a pod runs on. */
  readonly node?: string;
  /** The addresses others reach it by, preferred first. */
  readonly ownAddresses: readonly IpAddress[];
  readonly listens: Listens;
  /** Rule sets in force. Most hosts of a large cluster never see a packet, so they are made late. */
  readonly rules: () => readonly RuleSet[];
  /** Rule sets of the legacy iptables, in force beside the others. */
  readonly legacyRules?: readonly RuleSet[];
  /** The sets that the rules look into. */
  readonly sets?: () => ReadonlyMap<string, IpSet>;
}

/** `make`, called at the first use and remembered. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

export const NO_RULES = (): readonly RuleSet[] => [];
