/** Route lookups: the table against a plain reading of the rules, and policy routing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressBook } from '../../src/netstack/addressing.ts';
import { DEFAULT_DEVICE_SYSCTLS } from '../../src/netstack/device.ts';
import { DEFAULT_RULES, type Flow, type PolicyRule } from '../../src/netstack/policy-rule.ts';
import { type Route, RouteTable, type RouteType } from '../../src/netstack/route-table.ts';
import { type IpAddress, ipv6, parseIpAddress } from '../../src/wire/ip-address.ts';
import { parseInterfaceAddress, parseIpPrefix, prefixContains, prefixOf } from '../../src/wire/ip-prefix.ts';
import { checkProperty } from '../wire/property.ts';

const LOCAL: readonly RouteType[] = ['local', 'broadcast', 'anycast', 'multicast'];

/** The kernel's own table first, then the longest prefix, the lowest metric, the oldest: by looking at all. */
function plainLookup(routes: readonly Route[], address: IpAddress, device?: string): Route | undefined {
  const metric = ({ metric, prefix, type }: Route) =>
    metric === 0 && typeof prefix.address !== 'number' && !LOCAL.includes(type) ? 1024 : metric;
  const candidates = routes.filter(
    (route) => (device === undefined || route.device === device) && prefixContains(route.prefix, address),
  );
  const [best] = candidates.sort(
    (a, b) =>
      Number(LOCAL.includes(b.type)) - Number(LOCAL.includes(a.type)) ||
      b.prefix.length - a.prefix.length ||
      metric(a) - metric(b),
  );
  return best?.type === 'throw' ? undefined : best;
}

// Few addresses, so that prefixes hold them and each other.
const addressV4 = fc.nat(255).map((low) => (0x0a000000 | (low * 0x01010101)) >>> 0);
const addressV6 = fc.nat(255).map((low) => ipv6(0xfd000000 | low, 0, low << 24, low));
const address: fc.Arbitrary<IpAddress> = fc.oneof(addressV4, addressV6);
const device = fc.constantFrom('eth0', 'eth1', 'lo');
const route: fc.Arbitrary<Route> = fc
  .record({
    type: fc.constantFrom<RouteType>(
      'unicast',
      'unicast',
      'local',
      'broadcast',
      'blackhole',
      'throw',
      'multicast',
    ),
    address,
    length: fc.nat(32),
    device,
    metric: fc.constantFrom(0, 100, 1024),
  })
  .map(({ address: within, length, ...rest }) => ({
    ...rest,
    prefix: prefixOf(within, typeof within === 'number' ? length : length * 4),
  }));

describe('lookups', () => {
  it('find what looking at every route finds', () => {
    const property = fc.property(
      fc.array(route, { maxLength: 40 }),
      fc.array(fc.tuple(address, fc.option(device, { nil: undefined })), { minLength: 1 }),
      (routes, questions) => {
        const table = new RouteTable(routes);
        for (const [wanted, by] of questions) {
          expect(table.lookup(wanted, by)).toBe(plainLookup(routes, wanted, by));
        }
      },
    );
    checkProperty('route lookups', property);
  });

  it('are the same under the default rules, written out', () => {
    const property = fc.property(
      fc.array(route, { maxLength: 40 }),
      fc.array(address),
      (routes, questions) => {
        const table = new RouteTable(routes);
        const ruled = new RouteTable(routes, DEFAULT_RULES);
        // A `throw` in main ends the lookup there, and `default` is empty.
        for (const wanted of questions) expect(ruled.lookup(wanted)).toBe(table.lookup(wanted));
      },
    );
    checkProperty('default rules', property);
  });
});

function unicast(to: string, device: string, table?: number): Route {
  const base = { type: 'unicast' as const, prefix: parseIpPrefix(to), device, metric: 0 };
  return table === undefined ? base : { ...base, table };
}

function ruled(routes: readonly Route[], rules: readonly PolicyRule[]): RouteTable {
  const all = [...DEFAULT_RULES.ipv4, ...rules].sort((a, b) => a.priority - b.priority);
  return new RouteTable(routes, { ipv4: all, ipv6: DEFAULT_RULES.ipv6 });
}

describe('policy rules', () => {
  const routes = [
    unicast('0.0.0.0/0', 'main'),
    unicast('0.0.0.0/0', 'special', 100),
    unicast('10.9.0.0/16', 'narrow', 101),
  ];
  const rule = (match: Partial<PolicyRule>, table = 100): PolicyRule => ({ priority: 1000, table, ...match });

  it.each<[string, PolicyRule, Flow, string]>([
    ['a source', rule({ from: parseIpPrefix('10.1.0.0/16') }), { src: 0x0a010001 }, 'special'],
    ['another source', rule({ from: parseIpPrefix('10.1.0.0/16') }), { src: 0x0a020001 }, 'main'],
    ['no source yet', rule({ from: parseIpPrefix('10.1.0.0/16') }), {}, 'main'],
    ['a mark', rule({ fwmark: { mark: 0x4000, mask: 0x4000 } }), { mark: 0xc001 }, 'special'],
    ['another mark', rule({ fwmark: { mark: 0x4000, mask: 0x4000 } }), { mark: 0x8001 }, 'main'],
    ['a device', rule({ iif: 'eth0' }), { iif: 'eth0' }, 'special'],
    ['packets made here', rule({ iif: 'lo' }), {}, 'special'],
    ['packets from outside, asked for as made here', rule({ iif: 'lo' }), { iif: 'eth0' }, 'main'],
    ['not a mark', rule({ fwmark: { mark: 1, mask: 1 }, invert: true }), { mark: 2 }, 'special'],
    ['a destination', rule({ to: parseIpPrefix('10.9.0.0/16') }), {}, 'special'],
    ['a table without a route for it', rule({ to: parseIpPrefix('10.9.0.0/16') }, 55), {}, 'main'],
    ['a priority behind main', { ...rule({}), priority: 40_000 }, {}, 'main'],
  ])('%s', (_, added, flow, device) => {
    expect(ruled(routes, [added]).lookup(parseIpAddress('10.9.1.1'), undefined, flow)?.device).toBe(device);
  });

  it('of two that match, the lower priority; of equal ones the older', () => {
    const both = [rule({}), { ...rule({}, 101), priority: 999 }];
    expect(ruled(routes, both).lookup(parseIpAddress('10.9.1.1'))?.device).toBe('narrow');
    expect(ruled(routes, both).lookup(parseIpAddress('10.8.1.1'))?.device).toBe('special');
  });

  it('throw sends the search to the next rule', () => {
    const thrown: Route = {
      type: 'throw',
      prefix: parseIpPrefix('10.9.0.0/16'),
      device: 'lo',
      metric: 0,
      table: 100,
    };
    const table = ruled([...routes, thrown], [rule({})]);
    expect(table.lookup(parseIpAddress('10.9.1.1'))?.device).toBe('main');
    expect(table.lookup(parseIpAddress('10.8.1.1'))?.device).toBe('special');
  });

  it('may refuse instead of looking up', () => {
    const refusing: PolicyRule = { priority: 5, refuse: 'prohibit', to: parseIpPrefix('10.9.0.0/16') };
    expect(ruled(routes, [refusing]).lookup(parseIpAddress('10.9.1.1'))?.type).toBe('prohibit');
  });
});

describe('a device that is down', () => {
  const device = (up: boolean) => ({
    ...DEFAULT_DEVICE_SYSCTLS,
    name: 'eth0',
    up,
    addresses: [parseInterfaceAddress('10.0.0.1/24'), parseInterfaceAddress('fd00::1/64')],
  });
  it.each([
    ['its IPv4 address stays the host’s', '10.0.0.1', 'local', 'local'],
    ['its subnet is gone', '10.0.0.9', 'unicast', undefined],
    ['its broadcast address is gone', '10.0.0.255', 'broadcast', undefined],
    ['its IPv6 address is gone', 'fd00::1', 'local', undefined],
  ])('%s', (_, to, up, down) => {
    const type = (state: boolean) =>
      new AddressBook([device(state)], []).routes.lookup(parseIpAddress(to))?.type;
    expect([type(true), type(false)]).toEqual([up, down]);
  });
});
