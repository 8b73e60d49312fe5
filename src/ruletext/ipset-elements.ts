/** Elements of IP sets as `ipset add` writes them: `10.0.0.0/8,tcp:80`, ranges spelled out. */
import type { IpSetPart, IpSetPartName } from '../netfilter/ip-set.ts';
import {
  addressBits,
  addToAddress,
  compareAddress,
  familyOf,
  type IpAddress,
  type IpFamily,
  maskAddress,
  sameAddress,
} from '../wire/ip-address.ts';
import { type IpPrefix, lastAddress, prefixOf } from '../wire/ip-prefix.ts';
import { tryParseFamilyAddress } from './address-text.ts';
import { ICMP_TYPE_NAMES, ICMPV6_TYPE_NAMES } from './icmp-types.ts';
import { parsePort, tryParseNumber } from './numbers.ts';
import { parseProtocol } from './protocols.ts';
import type { RuleContext } from './rule-context.ts';

/** A range or network of single addresses is not spelled out into more elements than a set holds by default. */
const MAX_SPELLED_OUT = 65_536;

const DEFAULT_PROTOCOL = 6;
const ICMP = 1;
const ICMPV6 = 58;

export interface ElementShape {
  readonly family: IpFamily;
  /** What addresses are cut to. */
  readonly mask: IpAddress | undefined;
  readonly markMask: number | undefined;
  /** Of a bitmap:ip: elements are every address, or every network of its netmask. */
  readonly bitmap: boolean;
}

export interface AddressSpan {
  readonly from: IpAddress;
  readonly to: IpAddress;
}

/** `ADDRESS`, `ADDRESS/LENGTH` or `ADDRESS-ADDRESS`; complains about `what` otherwise. */
export function parseSpan(context: RuleContext, what: string, family: IpFamily, text: string): AddressSpan {
  const complain = (): never =>
    context.fail(`bad ${what} '${text}'; expected an ${family} ADDRESS, ADDRESS/LENGTH or ADDRESS-ADDRESS`);
  const slash = text.indexOf('/');
  if (slash >= 0) {
    const address = tryParseFamilyAddress(family, text.slice(0, slash)) ?? complain();
    const length = tryParseNumber(text.slice(slash + 1), 0, addressBits(family)) ?? complain();
    const prefix = prefixOf(address, length);
    return { from: prefix.address, to: lastAddress(prefix) };
  }
  const dash = text.indexOf('-');
  const from = tryParseFamilyAddress(family, dash < 0 ? text : text.slice(0, dash)) ?? complain();
  const to = dash < 0 ? from : (tryParseFamilyAddress(family, text.slice(dash + 1)) ?? complain());
  return compareAddress(from, to) <= 0 ? { from, to } : { from: to, to: from };
}

function spellOut(context: RuleContext, shape: ElementShape, text: string): readonly IpSetPart[] {
  const { from, to } = parseSpan(context, 'address', shape.family, text);
  const cut = (address: IpAddress) => (shape.mask === undefined ? address : maskAddress(address, shape.mask));
  const parts: IpSetPart[] = [];
  let previous: IpAddress | undefined;
  for (let address = from; ; address = addToAddress(address, 1)) {
    const masked = cut(address);
    if (previous === undefined || !sameAddress(previous, masked)) parts.push({ kind: 'ip', address: masked });
    if (parts.length > MAX_SPELLED_OUT)
      throw context.error(`'${text}' holds more than ${MAX_SPELLED_OUT} addresses`);
    previous = masked;
    if (sameAddress(address, to)) return parts;
    // Whole networks of the netmask need one look each, not one for every address.
    if (shape.mask !== undefined && compareAddress(lastOf(masked, shape.mask), to) < 0) {
      address = lastOf(masked, shape.mask);
    }
  }
}

function lastOf(network: IpAddress, mask: IpAddress): IpAddress {
  if (typeof network === 'number' && typeof mask === 'number') return (network | ~mask) >>> 0;
  return network;
}

/** The fewest networks that cover a span, in order. */
function coveringPrefixes({ from, to }: AddressSpan): readonly IpPrefix[] {
  const bits = addressBits(familyOf(from));
  const prefixes: IpPrefix[] = [];
  for (let address = from; ; ) {
    let length = bits as number;
    while (length > 0) {
      const wider = prefixOf(address, length - 1);
      if (!sameAddress(wider.address, address) || compareAddress(lastAddress(wider), to) > 0) break;
      length--;
    }
    const prefix = { address, length };
    prefixes.push(prefix);
    const last = lastAddress(prefix);
    if (sameAddress(last, to)) return prefixes;
    address = addToAddress(last, 1);
  }
}

function icmpNumber(context: RuleContext, protocol: number, text: string): number {
  const slash = text.indexOf('/');
  if (slash >= 0) {
    const type = tryParseNumber(text.slice(0, slash), 0, 255);
    const code = tryParseNumber(text.slice(slash + 1), 0, 255);
    if (type !== undefined && code !== undefined) return type * 256 + code;
  }
  const names = protocol === ICMP ? ICMP_TYPE_NAMES : ICMPV6_TYPE_NAMES;
  const named = names.find(({ name }) => name.toLowerCase() === text.toLowerCase());
  if (named !== undefined) return named.type * 256 + named.code.from;
  throw context.error(`bad ICMP type '${text}'; expected TYPE/CODE or a type name`);
}

function readPorts(context: RuleContext, shape: ElementShape, text: string): readonly IpSetPart[] {
  const colon = text.indexOf(':');
  const named = colon < 0 ? undefined : parseProtocol(context, 'the port', text.slice(0, colon)).protocol;
  const protocol = shape.bitmap ? undefined : (named ?? DEFAULT_PROTOCOL);
  const rest = text.slice(colon + 1);
  if (protocol === ICMP || protocol === ICMPV6) {
    return [{ kind: 'port', protocol, port: icmpNumber(context, protocol, rest) }];
  }
  // A service name may hold a dash; only numbers make a range.
  const range = /^(\d+)-(\d+)$/.exec(rest);
  const low = parsePort(context, 'the port', range?.[1] ?? rest);
  const high = range === null ? low : parsePort(context, 'the port', range[2] ?? '');
  const parts: IpSetPart[] = [];
  for (let port = Math.min(low, high); port <= Math.max(low, high); port++) {
    parts.push(protocol === undefined ? { kind: 'port', port } : { kind: 'port', protocol, port });
  }
  return parts;
}

const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/;

/** Everything that `text` stands for in one dimension of a set: several parts for a range. */
export function readParts(
  context: RuleContext,
  name: IpSetPartName,
  shape: ElementShape,
  text: string,
): readonly IpSetPart[] {
  switch (name) {
    case 'ip':
      return spellOut(context, shape, text);
    case 'net':
      return coveringPrefixes(parseSpan(context, 'network', shape.family, text)).map(
        ({ address, length }) => ({
          kind: 'net',
          address,
          length,
        }),
      );
    case 'port':
      return readPorts(context, shape, text);
    case 'iface': {
      const physdev = text.startsWith('physdev:');
      return [
        { kind: 'iface', ifname: physdev ? text.slice('physdev:'.length) : text, physdev, wildcard: false },
      ];
    }
    case 'mark': {
      const mark = tryParseNumber(text, 0, 0xffffffff);
      if (mark === undefined) throw context.error(`bad mark '${text}'; expected a number up to 0xffffffff`);
      return [{ kind: 'mark', value: (mark & (shape.markMask ?? 0xffffffff)) >>> 0 }];
    }
    case 'mac': {
      const address = text.toLowerCase();
      if (!MAC.test(address))
        throw context.error(`bad MAC address '${text}'; expected six octets with colons`);
      return [{ kind: 'mac', address }];
    }
    case 'set':
      return [{ kind: 'set', name: text }];
  }
}
