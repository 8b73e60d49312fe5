/**
 * The last sentence of a trace: what happened and why, naming the API object and the field behind it. Pure:
 * it reads the walk and the objects, and knows nothing of how the trace is printed.
 */
import { DROP_REASONS } from '../../netfilter/verdict.ts';
import type { Refusal } from '../../netstack/fate.ts';
import { familyOf, formatIpAddress, type IpFamily } from '../../wire/ip-address.ts';
import type { Packet } from '../../wire/packet.ts';
import type { NetworkPlan } from '../network/network-plan.ts';
import { policyReason } from './explain-policy.ts';
import {
  explainClosedPort,
  explainMissingPort,
  explainNoEndpoints,
  explainSourceRanges,
} from './explain-service.ts';
import type { Hop } from './hop.ts';
import type { Outcome } from './outcome.ts';
import { findServiceOf, type ServiceHit, serviceWords } from './service-lookup.ts';
import { type MasqueradeCause, type Translations, translationsOf } from './translation.ts';
import type { Walk } from './walk.ts';

export interface Explanation {
  readonly plan: NetworkPlan;
  readonly walk: Walk;
  readonly outcome: Outcome;
  readonly hit: ServiceHit | undefined;
  readonly translations: Translations;
}

/** ICMP errors by family, type and code, in the words of those who meet them. */
const REFUSAL_WORDS: Readonly<Record<IpFamily, Readonly<Record<string, string>>>> = {
  ipv4: {
    '3-0': 'ICMP network unreachable',
    '3-1': 'ICMP host unreachable',
    '3-3': 'ICMP port unreachable (the client sees "connection refused")',
    '3-13': 'ICMP administratively prohibited',
    '11-0': 'ICMP time exceeded',
  },
  ipv6: {
    '1-0': 'ICMPv6 no route to destination',
    '1-4': 'ICMPv6 port unreachable (the client sees "connection refused")',
    '3-0': 'ICMPv6 time exceeded',
  },
};

function refusalWords(refusal: Refusal, family: IpFamily): string {
  if (refusal.kind === 'tcp-reset') return 'a TCP reset';
  const { type, code } = refusal;
  return REFUSAL_WORDS[family][`${type}-${code}`] ?? `ICMP type ${type} code ${code}`;
}

/** `pod/default/web-0 on worker-2` */
function hostWords(label: string, plan: NetworkPlan): string {
  const node = plan.hosts.get(label)?.node;
  return node === undefined ? label : `${label} on ${node}`;
}

/** How many endpoints the deciding node chose among: the rules of its KUBE-SVC or KUBE-SVL chain. */
function endpointCount({ walk, translations, plan }: Explanation): number | undefined {
  const node = translations.destination?.host;
  const hop = walk.hops.find(({ leg, host }) => leg === 'request' && host === node);
  const jump = hop?.events.findLast(
    (event) =>
      event.kind === 'rule' && event.effect.kind === 'jump' && event.effect.chain.startsWith('KUBE-SEP-'),
  );
  if (node === undefined || jump?.kind !== 'rule') return undefined;
  for (const rules of plan.hosts.get(node)?.rules() ?? []) {
    const chain = rules.tables.get('nat')?.chains.get(jump.chain);
    const targets =
      chain?.rules.flatMap(({ target }) => (target.kind === 'jump' ? [target.chain] : [])) ?? [];
    const endpoints = new Set(targets.filter((name) => name.startsWith('KUBE-SEP-')));
    if (endpoints.size > 0) return endpoints.size;
  }
  return undefined;
}

function endpointWords(count: number | undefined): string {
  if (count === undefined) return '';
  return count === 1 ? ', its only usable endpoint there' : `, one of ${count} endpoints`;
}

const MASQUERADE_WORDS: Readonly<Record<MasqueradeCause, string>> = {
  hairpin: 'because it called itself through its own Service',
  external: 'because externalTrafficPolicy is Cluster',
  'off-cluster': 'because the client is not a pod of the cluster (detectLocalMode)',
  local: 'because the traffic is from the node itself',
  network: 'because it leaves the pod networks',
  other: 'because a masquerade rule matched',
};

/** Whose address the server sees, and why. */
function sourceWords({ walk, translations }: Explanation, packet: Packet): string {
  const { source } = translations;
  if (source === undefined) return "the server sees the client's own address";
  const seen = formatIpAddress(packet.src);
  if (seen === formatIpAddress(walk.request.packet.src)) return "the server sees the client's own address";
  return `the server sees ${seen}, masqueraded on ${source.host.replace('node/', '')} ${MASQUERADE_WORDS[source.cause]}`;
}

function explainDelivered(about: Explanation, outcome: Extract<Outcome, { kind: 'delivered' }>): string {
  const { hit, plan, translations, walk } = about;
  const verb = outcome.answered ? 'Delivered and answered.' : 'Delivered.';
  const where = hostWords(outcome.host, plan);
  if (hit === undefined || translations.destination === undefined) {
    const seen = sourceWords(about, outcome.packet);
    if (translations.destination !== undefined) {
      const node = translations.destination.host.replace('node/', '');
      return `${verb} ${walk.request.from} reached ${where} through a port that ${node} maps to it (hostPort); ${seen}.`;
    }
    return `${verb} ${walk.request.from} reached ${where} directly, through no Service; ${seen}.`;
  }
  const asked = formatIpAddress(walk.request.packet.dst);
  const count = endpointWords(endpointCount(about));
  return `${verb} ${serviceWords(hit)} sent it to ${where}${count}. The client sees ${asked}; ${sourceWords(about, outcome.packet)}.`;
}

/** A reminder that policies in the namespace of the pod `host` do nothing here. */
function unenforcedWords({ plan }: Explanation, host: string): string {
  const [kind, namespace] = host.split('/');
  const { networkPolicies, topology } = plan.cluster;
  const concerns = networkPolicies.some(({ metadata }) => kind === 'pod' && metadata.namespace === namespace);
  if (!concerns || plan.policies !== undefined) return '';
  return ` No NetworkPolicy was asked: ${topology.cni.plugin} does not act on them.`;
}

/** The hop where the request ended. */
function lastHop({ walk, outcome }: Explanation): Hop | undefined {
  return walk.hops.findLast(({ leg, host }) => leg === 'request' && host === outcome.host);
}

/** The rule that dropped or refused the packet at `hop`. */
function decidingRule(hop: Hop | undefined) {
  const rule = hop?.events.findLast(
    (event) => event.kind === 'rule' && (event.effect.kind === 'drop' || event.effect.kind === 'reject'),
  );
  return rule?.kind === 'rule' ? rule : undefined;
}

/** The comment of that rule, as kube-proxy wrote it. */
function decidingComment(about: Explanation): string {
  const comment = decidingRule(lastHop(about))?.rule.matches.find((match) => match.kind === 'comment');
  return comment?.kind === 'comment' ? comment.text : '';
}

/** The Service's own reason for a drop or a refusal, when a rule of kube-proxy decided. */
function serviceReason(about: Explanation): string | undefined {
  const { hit, outcome, plan } = about;
  if (hit === undefined) return undefined;
  const comment = decidingComment(about);
  const node = outcome.host.replace('node/', '');
  if (comment.endsWith('has no endpoints')) return explainNoEndpoints(hit, plan.cluster, undefined);
  if (comment.endsWith('has no local endpoints')) return explainNoEndpoints(hit, plan.cluster, node);
  if (comment.includes('traffic not accepted by KUBE-FW'))
    return explainSourceRanges(hit, about.walk.request.packet);
  return hit.port === undefined ? explainMissingPort(hit, about.walk.request.packet) : undefined;
}

function explainDropped(about: Explanation, outcome: Extract<Outcome, { kind: 'dropped' }>): string {
  const why =
    serviceReason(about) ?? policyReason(about.plan, lastHop(about)) ?? `${DROP_REASONS[outcome.reason]}.`;
  return `Dropped in silence by ${outcome.host} (${outcome.reason}); the client waits until it times out: ${why}`;
}

function explainReplyLost(
  about: Explanation,
  { host, reply }: Extract<Outcome, { kind: 'reply-lost' }>,
): string {
  const { fate } = reply;
  const arrived = `The request arrived at ${hostWords(host, about.plan)}, but the answer did not come back:`;
  const { loss } = reply;
  if (loss?.nextHop !== undefined) {
    return `${arrived} ${reply.host} found no neighbour ${formatIpAddress(loss.nextHop)} on ${loss.device}.`;
  }
  if (loss !== undefined) {
    return `${arrived} it left ${reply.host} by ${loss.device} and was lost (${loss.reason}): ${DROP_REASONS[loss.reason]}.`;
  }
  if (fate.kind === 'dropped') {
    const why = policyReason(about.plan, reply) ?? `${DROP_REASONS[fate.reason]}.`;
    return `${arrived} ${reply.host} dropped it (${fate.reason}): ${why}`;
  }
  if (fate.kind === 'rejected')
    return `${arrived} ${reply.host} refused it with ${refusalWords(fate.refusal, familyOf(about.walk.request.packet.src))}.`;
  return `${arrived} it ended at ${reply.host} (${fate.kind}).`;
}

function explain(about: Explanation): string {
  const { outcome, plan, walk } = about;
  switch (outcome.kind) {
    case 'delivered':
      return `${explainDelivered(about, outcome)}${unenforcedWords(about, outcome.host)}`;
    case 'closed':
      return `Refused by ${hostWords(outcome.host, plan)}: ${explainClosedPort(about.hit, outcome.packet, plan.pods)}`;
    case 'refused': {
      const why = serviceReason(about);
      const words = refusalWords(outcome.refusal, familyOf(walk.request.packet.src));
      return `Refused by ${outcome.host} with ${words}${why === undefined ? '.' : `: ${why}`}`;
    }
    case 'dropped':
      return explainDropped(about, outcome);
    case 'lost':
      return `Lost at ${outcome.host} ${outcome.device} (${outcome.reason}); the client waits until it times out: ${DROP_REASONS[outcome.reason]}.`;
    case 'no-neighbour': {
      const { nextHop, device } = outcome;
      return `Lost: ${outcome.host} sent it out of ${device}, where nobody has the address ${formatIpAddress(nextHop)}.`;
    }
    case 'unknown':
      return `Undecided: ${outcome.host} met a rule that kubewire does not understand (${outcome.reason}).`;
    case 'reply-unrecognised': {
      const from = formatIpAddress(outcome.packet.src);
      const asked = formatIpAddress(walk.request.packet.dst);
      return `Delivered, but the answer came from ${from} while the client had asked ${asked}: it was not translated back on the way, so the client resets it.`;
    }
    case 'reply-lost':
      return explainReplyLost(about, outcome);
  }
}

/** One or two sentences about how `walk` ended in `outcome`. */
export function explainWalk(plan: NetworkPlan, walk: Walk, outcome: Outcome): string {
  const hit = findServiceOf(walk.request.packet, plan.cluster);
  return explain({ plan, walk, outcome, hit, translations: translationsOf(walk) });
}
