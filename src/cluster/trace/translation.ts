/** What happened to a packet's addresses on its way, and which rule asked for it. */
import { NAT_OUTGOING_CHAIN } from '../../cni/networks/calico.ts';
import { POSTROUTING_CHAIN } from '../../cni/networks/flannel.ts';
import { MASQ_CHAIN } from '../../cni/networks/kindnet.ts';
import type { NetfilterEvent } from '../../netfilter/events.ts';
import type { NamespaceEvent } from '../../netstack/namespace-events.ts';
import type { Packet } from '../../wire/packet.ts';
import type { Walk } from './walk.ts';

/** Why kube-proxy's rules marked the packet for masquerading, or that the cluster network's did it. */
export type MasqueradeCause = 'hairpin' | 'external' | 'off-cluster' | 'local' | 'network' | 'other';

export interface Translation {
  readonly host: string;
  readonly before: Packet;
  readonly after: Packet;
}

export interface SourceTranslation extends Translation {
  readonly cause: MasqueradeCause;
}

export interface Translations {
  readonly destination?: Translation;
  readonly source?: SourceTranslation;
}

/** The chain from which a packet was sent to KUBE-MARK-MASQ tells why. */
const CAUSE_BY_CHAIN: readonly (readonly [prefix: string, cause: MasqueradeCause])[] = [
  ['KUBE-SEP-', 'hairpin'],
  ['KUBE-EXT-', 'external'],
  ['KUBE-SVC-', 'off-cluster'],
  ['KUBE-SVL-', 'off-cluster'],
];

function commentOf(event: Extract<NetfilterEvent, { kind: 'rule' }>): string {
  const comment = event.rule.matches.find((match) => match.kind === 'comment');
  return comment?.kind === 'comment' ? comment.text : '';
}

/** The chains in which cluster networks masquerade what leaves the pod networks. */
const NETWORK_CHAINS: ReadonlySet<string> = new Set([MASQ_CHAIN, POSTROUTING_CHAIN, NAT_OUTGOING_CHAIN]);

function masqueradeCause(events: readonly NamespaceEvent[]): MasqueradeCause {
  const deciding = events.findLast((event) => event.kind === 'rule' && event.effect.kind === 'nat');
  if (deciding?.kind === 'rule' && NETWORK_CHAINS.has(deciding.chain)) return 'network';
  const marking = events.findLast(
    (event) =>
      event.kind === 'rule' && event.effect.kind === 'jump' && event.effect.chain === 'KUBE-MARK-MASQ',
  );
  if (marking?.kind !== 'rule') return 'other';
  if (commentOf(marking).startsWith('masquerade LOCAL traffic')) return 'local';
  return CAUSE_BY_CHAIN.find(([prefix]) => marking.chain.startsWith(prefix))?.[1] ?? 'other';
}

/** The translations of the request, the last of each kind when several nodes translated it. */
export function translationsOf(walk: Walk): Translations {
  let found: Translations = {};
  for (const { leg, host, events } of walk.hops) {
    if (leg !== 'request') continue;
    for (const event of events) {
      if (event.kind !== 'translate') continue;
      const { before, after } = event;
      if (event.manip === 'destination') found = { ...found, destination: { host, before, after } };
      else found = { ...found, source: { host, before, after, cause: masqueradeCause(events) } };
    }
  }
  return found;
}
