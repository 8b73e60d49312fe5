/** What is left behind in neighbour tables and forwarding tables: the kernel's beside the emulator's. */

import { Bridge } from '../../../src/netstack/bridge/bridge.ts';
import type { Namespace } from '../../../src/netstack/namespace.ts';
import { VxlanDriver } from '../../../src/netstack/tunnel/vxlan.ts';
import { formatIpAddress } from '../../../src/wire/ip-address.ts';
import { formatMac, isMulticastMac, type MacAddress, parseMac } from '../../../src/wire/mac.ts';

/** The part of `ip -json neigh` that is compared. */
interface NeighbourRow {
  readonly dst: string;
  readonly dev: string;
  readonly lladdr?: string;
  readonly state: readonly string[];
  /** Present, and null, when it is a router. */
  readonly router?: null;
}

/** The part of `bridge -json fdb show` that is compared. */
interface FdbRow {
  readonly mac: string;
  readonly ifname: string;
  readonly dst?: string;
  readonly master?: string;
  readonly state: string;
}

function differences(what: string, kernel: readonly string[], emulator: readonly string[]): string[] {
  return [
    ...kernel
      .filter((line) => !emulator.includes(line))
      .map((line) => `${what}: only the kernel has ${line}`),
    ...emulator
      .filter((line) => !kernel.includes(line))
      .map((line) => `${what}: only the emulator has ${line}`),
  ];
}

/** Compares `listed` (`ip -json neigh`) with the neighbours of `namespace`. */
export function compareNeighbours(listed: string, namespace: Namespace): string[] {
  const kernel = (JSON.parse(listed) as readonly NeighbourRow[]).map(
    ({ dst, dev, lladdr = '-', state, router }) =>
      `${dst} dev ${dev} ${lladdr} ${state.join()}${router === undefined ? '' : ' router'}`,
  );
  const emulator = namespace.neighbours
    .list()
    .filter(({ state }) => state !== 'NONE' && state !== 'NOARP')
    .map(({ address, device, mac, state, router }) => {
      const link = mac === undefined ? '-' : formatMac(mac);
      return `${formatIpAddress(address)} dev ${device} ${link} ${state}${router ? ' router' : ''}`;
    });
  // All namespaces of a machine share one table, from which failed entries are swept when it is large.
  return differences('neighbour', kernel, emulator).filter(
    (line) => !/only the emulator .* FAILED$/.test(line),
  );
}

function bridgeRows(namespace: Namespace): string[] {
  return namespace.interfaces().flatMap(({ driver }) => {
    if (!(driver instanceof Bridge)) return [];
    return driver
      .listFdb()
      .filter(({ kind, mac, port }) => kind !== 'permanent' && mac !== port.mac)
      .map(
        ({ mac, port, kind }) => `${formatMac(mac)} dev ${port.name} ${kind === 'static' ? 'static' : ''}`,
      );
  });
}

function tunnelRows(namespace: Namespace): string[] {
  const now = namespace.scheduler.clock.now();
  return namespace.interfaces().flatMap(({ driver, name }) => {
    if (!(driver instanceof VxlanDriver)) return [];
    return driver
      .listFdb(now)
      .flatMap(({ mac, remotes, static: isStatic }) =>
        remotes.map(
          (remote) =>
            `${formatMac(mac)} dev ${name} ${isStatic ? 'permanent' : ''} dst ${formatIpAddress(remote)}`,
        ),
      );
  });
}

/**
 * Compares `listed` (`bridge -json fdb show`) with the bridges and VXLAN devices of `namespace`. The kernel may have
 * learned where those are who have spoken unasked: `chatterers`.
 */
export function compareFdb(
  listed: string,
  namespace: Namespace,
  chatterers: ReadonlySet<MacAddress>,
): string[] {
  const here = new Set(
    tunnelRows(namespace)
      .concat(bridgeRows(namespace))
      .map((row) => row.slice(0, 17)),
  );
  const rows = (JSON.parse(listed) as readonly FdbRow[]).filter(({ mac }) => {
    const unasked = chatterers.has(parseMac(mac)) && !here.has(mac);
    return !unasked && !isMulticastMac(parseMac(mac));
  });
  const kernel = rows.flatMap(({ mac, ifname, dst, master, state }) => {
    if (dst !== undefined) return [`${mac} dev ${ifname} ${state} dst ${dst}`];
    return master === undefined || state === 'permanent' ? [] : [`${mac} dev ${ifname} ${state}`];
  });
  return differences('fdb', kernel, [...bridgeRows(namespace), ...tunnelRows(namespace)]);
}
