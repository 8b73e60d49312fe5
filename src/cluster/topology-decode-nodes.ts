/** Decodes what a Topology says of single nodes: sysctls, routes, rules of their own. */
import { networkText } from '../kube/decode/addresses.ts';
import { type Cursor, documentPath, fail, field, members } from '../kube/decode/cursor.ts';
import {
  defined,
  integer,
  list,
  oneOf,
  optional,
  required,
  string,
  text,
  withDefault,
} from '../kube/decode/decoders.ts';
import { dns1123Subdomain } from '../kube/decode/names.ts';
import { refuseUnknownFields } from '../kube/decode/strict.ts';
import { parseRules } from '../ruletext/parse-rules.ts';
import type { SavedRules } from '../ruletext/saved-rules.ts';
import { InputError } from '../sim/input-error.ts';
import { familyOf, type IpAddress, type IpFamily, tryParseIpAddress } from '../wire/ip-address.ts';
import { hostPrefix, type IpPrefix, parseIpPrefix } from '../wire/ip-prefix.ts';
import type { NodeSettings, StaticRoute, Sysctls } from './topology.ts';

/** Values are text to the kernel; numbers are what people write. */
export function sysctls(at: Cursor): Sysctls {
  return Object.fromEntries(
    members(at).map((member) => {
      const key = String(member.key);
      if (!/^[a-z0-9_]+([./][A-Za-z0-9_-]+)+$/.test(key)) fail(member, 'is not the name of a sysctl');
      const value = typeof member.value === 'number' ? String(member.value) : string(member);
      return [key, value];
    }),
  );
}

const ROUTE_TYPES = ['unicast', 'unreachable', 'prohibit', 'blackhole', 'throw'] as const;

/** A network, or one address. */
function destination(at: Cursor): IpPrefix {
  const address = tryParseIpAddress(string(at));
  return address === undefined ? parseIpPrefix(networkText(at)) : hostPrefix(address);
}

function address(at: Cursor): IpAddress {
  const value = string(at);
  return tryParseIpAddress(value) ?? fail(at, `${JSON.stringify(value)} is not an IP address`);
}

function staticRoute(at: Cursor): StaticRoute {
  refuseUnknownFields(at, ['dst', 'via', 'dev', 'metric', 'type']);
  const viaAt = field(at, 'via');
  const gateway = optional(address)(viaAt);
  const dstAt = field(at, 'dst');
  const isDefault = dstAt.value === 'default';
  if (isDefault && gateway === undefined) fail(at, 'a default route needs `via` here, to know its family');
  const prefix =
    isDefault && gateway !== undefined
      ? { address: typeof gateway === 'number' ? 0 : { w0: 0, w1: 0, w2: 0, w3: 0 }, length: 0 }
      : required(destination)(dstAt);
  if (gateway !== undefined && familyOf(gateway) !== familyOf(prefix.address)) {
    fail(viaAt, 'is of another IP family than dst');
  }
  return defined<StaticRoute>({
    type: withDefault(oneOf(ROUTE_TYPES), 'unicast')(field(at, 'type')),
    prefix,
    gateway,
    device: optional(string)(field(at, 'dev')),
    metric: withDefault(integer(0, 0xffffffff), 0)(field(at, 'metric')),
  });
}

/** iptables-restore text. Throws InputError with the line inside the manifest, as far as it can be told. */
function rules(at: Cursor, family: IpFamily): SavedRules[] {
  if (at.value === undefined) return [];
  const { document } = at.manifest;
  try {
    return [parseRules(string(at), { file: document.file, family })];
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    // A block scalar begins on the line behind its key.
    const line = document.lineOf(documentPath(at)) + (error.line ?? 0);
    throw new InputError(error.message, { file: document.file, line });
  }
}

/** Decodes one entry of `nodes`: whose it is, and what it says. */
export function nodeSettings(at: Cursor): readonly [string, NodeSettings] {
  refuseUnknownFields(at, [
    'name',
    'sysctls',
    'routes',
    'iptables',
    'ip6tables',
    'iptablesLegacy',
    'ip6tablesLegacy',
  ]);
  const name = required(text(dns1123Subdomain))(field(at, 'name'));
  const settings = {
    sysctls: sysctls(field(at, 'sysctls')),
    routes: list(staticRoute)(field(at, 'routes')),
    rules: [...rules(field(at, 'iptables'), 'ipv4'), ...rules(field(at, 'ip6tables'), 'ipv6')],
    legacyRules: [
      ...rules(field(at, 'iptablesLegacy'), 'ipv4'),
      ...rules(field(at, 'ip6tablesLegacy'), 'ipv6'),
    ],
  };
  return [name, settings];
}
