/** What a host of the emulated cluster is made from: everything about it that no packet changes. */
import type { ConntrackSysctls } from '../../netfilter/conntrack/timeouts.ts';
import type { RuleSet } from '../../netfilter/rule-set.ts';
import type { AddressBook } from '../../netstack/addressing.ts';
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
  readonly addresses: AddressBook;
  /** The addresses others reach it by, preferred first. */
  readonly ownAddresses: readonly IpAddress[];
  readonly listens: Listens;
  /** Rule sets in force; computed when the host is first needed. */
  readonly rules: () => readonly RuleSet[];
  readonly conntrack?: ConntrackSysctls;
}

export const NO_RULES = (): readonly RuleSet[] => [];
