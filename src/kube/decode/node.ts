/** v1 Node. */

import { familyOf } from '../../wire/ip-address.ts';
import { parseIpPrefix } from '../../wire/ip-prefix.ts';
import type { Node, NodeAddress, Taint } from '../objects.ts';
import { ipText, networkText } from './addresses.ts';
import { type Cursor, elements, fail, field } from './cursor.ts';
import { boolean, defined, list, oneOf, optional, required, string, text, withDefault } from './decoders.ts';
import { metadata } from './metadata.ts';
import { qualifiedName } from './names.ts';

const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const;

function taint(at: Cursor): Taint {
  return defined<Taint>({
    key: required(text(qualifiedName))(field(at, 'key')),
    value: optional(string)(field(at, 'value')),
    effect: required(oneOf(TAINT_EFFECTS))(field(at, 'effect')),
  });
}

/** The types whose address must be one; Hostname and the DNS names are anything. */
const IP_ADDRESS_TYPES = new Set(['InternalIP', 'ExternalIP']);

function nodeAddress(at: Cursor): NodeAddress {
  const type = required(string)(field(at, 'type'));
  const address = field(at, 'address');
  return { type, address: required(IP_ADDRESS_TYPES.has(type) ? ipText : string)(address) };
}

/**
 * `podCIDRs`, or `podCIDR` when the two disagree or the first is missing: the API's conversion takes the
 * older field for an old client's word.
 */
function podCidrs(spec: Cursor): string[] {
  const plural = field(spec, 'podCIDRs');
  const cidrs = list(networkText)(plural);
  const single = field(spec, 'podCIDR');
  const first = single.value === '' ? undefined : optional(networkText)(single);
  if (first !== undefined && first !== cidrs[0]) return [first];
  if (cidrs.length > 2) fail(plural, 'at most one network per IP family may be given');
  const families = new Set(cidrs.map((cidr) => familyOf(parseIpPrefix(cidr).address)));
  if (families.size < cidrs.length) fail(plural, 'the two networks must be of different IP families');
  return cidrs;
}

/** The Ready condition is True, or there is none yet. */
function isReady(status: Cursor): boolean {
  const conditions = elements(field(status, 'conditions'));
  const ready = conditions.find((at) => field(at, 'type').value === 'Ready');
  return ready === undefined || required(string)(field(ready, 'status')) === 'True';
}

/** Decodes a Node. */
export function decodeNode(at: Cursor): Node {
  const spec = field(at, 'spec');
  const status = field(at, 'status');
  return {
    kind: 'Node',
    metadata: metadata(at, { namespaced: false }),
    origin: at.manifest.origin,
    spec: {
      podCIDRs: podCidrs(spec),
      unschedulable: withDefault(boolean, false)(field(spec, 'unschedulable')),
      taints: list(taint)(field(spec, 'taints')),
    },
    status: { addresses: list(nodeAddress)(field(status, 'addresses')), ready: isReady(status) },
  };
}
