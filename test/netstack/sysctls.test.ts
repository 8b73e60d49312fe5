/** Sysctls: defaults, what devices inherit, what `all` means. */
import { describe, expect, it } from 'vitest';
import { deviceSettings } from '../../src/netstack/sysctls/device.ts';
import { SysctlTable } from '../../src/netstack/sysctls/sysctl-table.ts';

type Writes = Readonly<Record<string, string | number>>;

describe('a sysctl', () => {
  it.each<[string, Writes, string, string | undefined]>([
    ['has Linux’s default', {}, 'net.ipv4.icmp_ratemask', '6168'],
    ['of a device, too', {}, 'net.ipv4.neigh.eth0.unres_qlen_bytes', '212992'],
    ['of IPv6', {}, 'net.ipv6.conf.eth0.dad_transmits', '1'],
    ['that nobody knows is none', {}, 'net.ipv4.no_such_thing', undefined],
    [
      'that nobody knows is kept when written',
      { 'net.ipv4.no_such_thing': 7 },
      'net.ipv4.no_such_thing',
      '7',
    ],
    [
      'of a device comes from default',
      { 'net.ipv4.conf.default.rp_filter': 2 },
      'net.ipv4.conf.eth0.rp_filter',
      '2',
    ],
    ['does not come from all', { 'net.ipv4.conf.all.rp_filter': 2 }, 'net.ipv4.conf.eth0.rp_filter', '0'],
    [
      'of a device is its own once written',
      { 'net.ipv4.conf.eth0.rp_filter': 1, 'net.ipv4.conf.default.rp_filter': 2 },
      'net.ipv4.conf.eth0.rp_filter',
      '1',
    ],
    [
      'may be written with slashes',
      { 'net/ipv4/conf/eth0.100/rp_filter': 1 },
      'net.ipv4.conf.eth0.100.rp_filter',
      '1',
    ],
    ['ip_forward is conf.all.forwarding', { 'net.ipv4.ip_forward': 1 }, 'net.ipv4.conf.all.forwarding', '1'],
    [
      'ip_forward writes every device',
      { 'net.ipv4.conf.eth0.forwarding': 0, 'net.ipv4.ip_forward': 1 },
      'net.ipv4.conf.eth0.forwarding',
      '1',
    ],
    [
      'a device may differ afterwards',
      { 'net.ipv4.ip_forward': 1, 'net.ipv4.conf.eth0.forwarding': 0 },
      'net.ipv4.conf.eth0.forwarding',
      '0',
    ],
    [
      'disable_ipv6 of all writes every device',
      { 'net.ipv6.conf.all.disable_ipv6': 1 },
      'net.ipv6.conf.eth0.disable_ipv6',
      '1',
    ],
    [
      'neigh has a default to inherit',
      { 'net.ipv4.neigh.default.mcast_solicit': 9 },
      'net.ipv4.neigh.br0.mcast_solicit',
      '9',
    ],
  ])('%s', (_, writes, name, value) => {
    expect(new SysctlTable(writes).get(name)).toBe(value);
  });

  it.each<[string, Writes, Partial<ReturnType<typeof deviceSettings>>]>([
    [
      'rp_filter: the larger of both',
      { 'net.ipv4.conf.all.rp_filter': 1, 'net.ipv4.conf.eth0.rp_filter': 2 },
      { rpFilter: 2 },
    ],
    ['rp_filter: all alone', { 'net.ipv4.conf.all.rp_filter': 1 }, { rpFilter: 1 }],
    ['accept_local: either', { 'net.ipv4.conf.all.accept_local': 1 }, { acceptLocal: true }],
    ['route_localnet: either', { 'net.ipv4.conf.eth0.route_localnet': 1 }, { routeLocalnet: true }],
    ['forwarding: off at first', {}, { forwarding: false, forwardingIpv6: false }],
    [
      'forwarding: one switch a family',
      { 'net.ipv4.ip_forward': 1 },
      { forwarding: true, forwardingIpv6: false },
    ],
    [
      'forwarding of IPv6',
      { 'net.ipv6.conf.all.forwarding': 1 },
      { forwarding: false, forwardingIpv6: true },
    ],
  ])('as a device takes it: %s', (_, writes, settings) => {
    expect(deviceSettings(new SysctlTable(writes), 'eth0')).toMatchObject(settings);
  });

  it('a list has every name once, sorted, with aliases and devices', () => {
    const names = new SysctlTable({ 'net.foo.bar': 1 }).list(['lo', 'eth0']).map(([name]) => name);
    expect(names).toEqual([...new Set(names)].sort());
    for (const name of [
      'net.foo.bar',
      'net.ipv4.ip_forward',
      'net.ipv4.conf.eth0.rp_filter',
      'net.ipv6.neigh.lo.locktime',
    ]) {
      expect(names).toContain(name);
    }
  });
});
