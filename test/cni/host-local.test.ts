/** Addresses from range sets: round robin, requests, release. */
import { describe, expect, it } from 'vitest';
import { allocateAddresses, hasFreeAddresses, IpamError } from '../../src/cni/ipam/host-local.ts';
import { HostLocalStore } from '../../src/cni/ipam/host-local-store.ts';
import { addressRange, type RangeSet, rangeSet } from '../../src/cni/ipam/range-set.ts';
import { Random } from '../../src/sim/random.ts';
import { AddressError, formatIpAddress, parseIpAddress } from '../../src/wire/ip-address.ts';
import { parseIpPrefix } from '../../src/wire/ip-prefix.ts';

const owner = (containerId: string, ifName = 'eth0') => ({ containerId, ifName });

/** `10.0.0.0/24 5-9 gw 1` counted from the network's address. */
function range(text: string) {
  const [subnet = '', span = '', , gateway] = text.split(' ');
  const prefix = parseIpPrefix(subnet);
  const at = (offset: string | undefined) =>
    parseIpAddress(formatIpAddress(prefix.address).replace(/\d+$/, offset ?? '0'));
  const [start, end] = span.split('-');
  return addressRange({
    subnet: prefix,
    ...(span === '' ? {} : { rangeStart: at(start), rangeEnd: at(end) }),
    ...(gateway === undefined ? {} : { gateway: at(gateway) }),
  });
}

const set = (...ranges: readonly string[]): RangeSet => rangeSet(ranges.map(range));
const allocate = (
  sets: readonly RangeSet[],
  store: HostLocalStore,
  id: string,
  requests: readonly string[] = [],
) =>
  allocateAddresses(sets, store, { owner: owner(id), requests: requests.map(parseIpAddress) }).map(
    ({ address }) => formatIpAddress(address),
  );

describe('a range set', () => {
  it('gives addresses one after the other, and a released one only when its turn comes', () => {
    const store = new HostLocalStore();
    const sets = [set('10.0.0.0/29')];
    expect(allocate(sets, store, 'a')).toEqual(['10.0.0.2']);
    store.release((each) => each.containerId === 'a');
    expect(allocate(sets, store, 'b')).toEqual(['10.0.0.3']);
    for (const id of ['c', 'd', 'e']) allocate(sets, store, id);
    expect(allocate(sets, store, 'f')).toEqual(['10.0.0.2']);
    expect(() => allocate(sets, store, 'g')).toThrow('no address is free in range set 10.0.0.1-10.0.0.6');
  });

  it('goes on in its next range, and never gives out a gateway', () => {
    const store = new HostLocalStore();
    const sets = [set('10.0.0.0/24 5-7 gw 6', '10.0.1.0/24 9-10 gw 9')];
    const got = ['a', 'b', 'c'].map((id) => allocate(sets, store, id)[0]);
    expect(got).toEqual(['10.0.0.5', '10.0.0.7', '10.0.1.10']);
    expect(() => allocate(sets, store, 'd')).toThrow(IpamError);
    store.release((each) => each.containerId === 'b');
    expect(allocate(sets, store, 'd')).toEqual(['10.0.0.7']);
  });

  it('of one address that is its gateway has none', () => {
    expect(() => allocate([set('10.0.0.0/24 6-6 gw 6')], new HostLocalStore(), 'a')).toThrow(
      'no address is free',
    );
  });

  it('begins anew when what it gave last is no longer in it', () => {
    const store = new HostLocalStore();
    allocate([set('10.9.0.0/24')], store, 'a');
    expect(allocate([set('10.0.0.0/24 5-9')], store, 'b')).toEqual(['10.0.0.5']);
  });

  it('finds its place in the middle of a long IPv6 subnet', () => {
    const store = new HostLocalStore();
    const sets = [rangeSet([addressRange({ subnet: parseIpPrefix('fd00::/64') })])];
    expect(['a', 'b'].map((id) => allocate(sets, store, id)[0])).toEqual(['fd00::2', 'fd00::3']);
  });
});

describe('several range sets', () => {
  const sets = [set('10.0.0.0/29'), rangeSet([addressRange({ subnet: parseIpPrefix('fd00::/126') })])];

  it('give one address each', () => {
    expect(allocate(sets, new HostLocalStore(), 'a')).toEqual(['10.0.0.2', 'fd00::2']);
  });

  it('take nothing when one of them has none', () => {
    const store = new HostLocalStore();
    for (const id of ['a', 'b']) allocate(sets, store, id);
    expect(() => allocate(sets, store, 'c')).toThrow('no address is free in range set fd00::1-fd00::3');
    expect(store.addressesOf(owner('c'))).toEqual([]);
    expect(hasFreeAddresses(sets, store)).toBe(false);
    store.release((each) => each.containerId === 'a');
    expect(hasFreeAddresses(sets, store)).toBe(true);
  });
});

describe('an address that is asked for', () => {
  const sets = [set('10.0.0.0/29'), set('10.0.1.0/29')];

  it('is taken from the set that has it', () => {
    expect(allocate(sets, new HostLocalStore(), 'a', ['10.0.1.4'])).toEqual(['10.0.0.2', '10.0.1.4']);
  });

  it.each([
    ['10.0.0.1', 'is the gateway of its subnet'],
    ['10.7.0.1', 'no range set holds the address asked for: 10.7.0.1'],
    ['10.0.0.3', '10.0.0.3 is not available in range set'],
  ])('is refused: %s', (text, message) => {
    const store = new HostLocalStore();
    store.reserve(parseIpAddress('10.0.0.3'), owner('other'), 0);
    expect(() => allocate(sets, store, 'a', [text])).toThrow(message);
    expect(store.addressesOf(owner('a'))).toEqual([]);
  });
});

it('a container has one address a set and device', () => {
  const store = new HostLocalStore();
  const sets = [set('10.0.0.0/24')];
  allocate(sets, store, 'a');
  expect(() => allocate(sets, store, 'a')).toThrow('10.0.0.2 is allocated to a already');
  expect(store.addressesOf(owner('a'))).toHaveLength(1);
  expect(allocateAddresses(sets, store, { owner: owner('a', 'net1') })).toHaveLength(1);
});

it.each(['10.0.0.0/31', '10.0.0.0/32', 'fd00::/127'])('%s is too small for a range', (text) => {
  expect(() => addressRange({ subnet: parseIpPrefix(text) })).toThrow(AddressError);
});

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));

it(`gives everybody another address, in turn (SEED=${seed})`, () => {
  const random = new Random(seed);
  const sets = [set('10.0.0.0/24 3-9 gw 5', '10.0.1.0/24 250-254')];
  const store = new HostLocalStore();
  const held = new Map<string, string>();
  /** Every address of the set, in the order in which it goes round. */
  const ring = [3, 4, 6, 7, 8, 9]
    .map((n) => `10.0.0.${n}`)
    .concat([250, 251, 252, 253, 254].map((n) => `10.0.1.${n}`));
  let last = -1;
  for (let step = 0; step < 500; step++) {
    const id = `c${random.below(20)}`;
    const own = held.get(id);
    if (own !== undefined) {
      store.release((each) => each.containerId === id);
      held.delete(id);
      continue;
    }
    const taken = new Set(held.values());
    const next = ring
      .map((_, index) => (last + 1 + index) % ring.length)
      .find((index) => !taken.has(ring[index] ?? ''));
    if (next === undefined) {
      expect(() => allocate(sets, store, id)).toThrow(IpamError);
      continue;
    }
    const [got = ''] = allocate(sets, store, id);
    expect(got).toBe(ring[next]);
    held.set(id, got);
    last = next;
  }
});
