/** Why a NetworkPolicy did not let a packet through. */
import { explainPolicyDrop, type PolicyPacket } from '../../cni/policy/explain.ts';
import type { Packet } from '../../wire/packet.ts';
import type { NetworkPlan } from '../network/network-plan.ts';
import type { Hop } from './hop.ts';

function policyPacket({ src, dst, transport }: Packet): PolicyPacket {
  const ends = { source: src, destination: dst, protocol: transport.kind.toUpperCase() };
  return 'dport' in transport ? { ...ends, port: transport.dport } : ends;
}

/** The policies behind the rule that dropped the packet at `hop`; undefined when none of theirs did. */
export function policyReason({ policies }: NetworkPlan, hop: Hop | undefined): string | undefined {
  if (policies === undefined || hop === undefined) return undefined;
  const rule = hop.events.findLast((event) => event.kind === 'rule' && event.effect.kind === 'drop');
  if (rule?.kind !== 'rule') return undefined;
  // As the chain saw it: behind destination NAT.
  const hook = hop.events.findLast((event) => event.kind === 'hook');
  const packet = hook?.kind === 'hook' ? policyPacket(hook.packet) : undefined;
  const drop = explainPolicyDrop(policies, rule.chain, packet);
  return drop && `${drop.sentence}.`;
}
