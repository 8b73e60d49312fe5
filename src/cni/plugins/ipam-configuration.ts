/** The `ipam` section: host-local with its range sets, old form and new. */
import { AddressError, type IpAddress, tryParseIpAddress } from '../../wire/ip-address.ts';
import {
  type AddressRange,
  addressRange,
  familyOfSet,
  type RangeSet,
  rangeSet,
  setsOverlap,
} from '../ipam/range-set.ts';
import type { JsonField } from './json-field.ts';
import type { ResultRoute } from './result.ts';

export interface IpamConfiguration {
  readonly type: 'host-local';
  readonly ranges: readonly RangeSet[];
  readonly routes: readonly ResultRoute[];
  /** Networks of one name share their addresses when this is the same too. */
  readonly dataDir: string;
  /** Addresses that the configuration asks for. */
  readonly ips: readonly IpAddress[];
}

const DATA_DIR = '/var/lib/cni/networks';

/** `make`, its AddressError an error about `at`. */
function about<T>(at: JsonField, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof AddressError) return at.fail(error.message);
    throw error;
  }
}

function readRange(at: JsonField): AddressRange {
  const address = (name: string) => {
    const field = at.field(name);
    return field.absent ? {} : { [name]: field.address() };
  };
  const spec = {
    subnet: at.field('subnet').prefix(),
    ...address('rangeStart'),
    ...address('rangeEnd'),
    ...address('gateway'),
  };
  return about(at, () => addressRange(spec));
}

/** Addresses, with or without the length of their network. */
function readAddresses(at: JsonField): IpAddress[] {
  return at.elements().map((element) => {
    const text = element.string();
    return (
      tryParseIpAddress(text.split('/')[0] ?? '') ??
      element.fail(`${JSON.stringify(text)} is not an IP address`)
    );
  });
}

/**
 * Reads `ipam` of the plugin configuration `plugin`. The old form, a single `subnet` of the section itself, is a
 * set of its own before the others.
 */
export function readIpam(at: JsonField, plugin: JsonField): IpamConfiguration {
  const typeField = at.field('type');
  const type = typeField.string();
  if (type !== 'host-local') typeField.fail(`no IPAM plugin ${JSON.stringify(type)}; emulated is host-local`);
  if (!at.field('resolvConf').absent) at.field('resolvConf').fail('is not emulated');
  const rangesAt = at.field('ranges');
  const single = at.field('subnet').absent ? [] : [{ at, set: about(at, () => rangeSet([readRange(at)])) }];
  const listed = rangesAt.elements().map((each) => {
    return { at: each, set: about(each, () => rangeSet(each.elements().map(readRange))) };
  });
  const sets = [...single, ...listed];
  if (sets.length === 0) rangesAt.fail('no address ranges are given');
  for (const [index, { at: where, set }] of sets.entries()) {
    const other = sets
      .slice(0, index)
      .findIndex((before) => familyOfSet(before.set) === familyOfSet(set) && setsOverlap(before.set, set));
    if (other >= 0) where.fail(`the range set overlaps set ${other}`);
  }
  return {
    type: 'host-local',
    ranges: sets.map(({ set }) => set),
    routes: at
      .field('routes')
      .elements()
      .map((route): ResultRoute => {
        const gw = route.field('gw');
        return { dst: route.field('dst').prefix(), ...(gw.absent ? {} : { gw: gw.address() }) };
      }),
    dataDir: at.field('dataDir').optionalString() ?? DATA_DIR,
    ips: readAddresses(plugin.field('args').field('cni').field('ips')),
  };
}
