/** `--at`: the device at which packets of a capture appear. */
import { InputError } from '../../sim/input-error.ts';
import { type IpAddress, tryParseIpAddress } from '../../wire/ip-address.ts';
import type { ClusterNetwork } from '../network/cluster-network.ts';
import { POD_DEVICE } from '../network/plan-pods.ts';

/** `--at` as written: the host may be missing. */
export interface PlaceWords {
  readonly host: string | undefined;
  readonly device: string;
}

export interface ReplayPlace {
  readonly host: string;
  readonly device: string;
}

const FORMS =
  'WHO:DEVICE, as in node/worker-1:eth0 or pod/default/client:eth0, or a DEVICE that only one host has';

/** Reads `--at`. Throws InputError. */
export function parsePlace(text: string): PlaceWords {
  const split = text.includes('/') || text.startsWith('router:') ? text.lastIndexOf(':') : -1;
  const host = split < 0 ? undefined : text.slice(0, split);
  const device = text.slice(split + 1);
  const whole = split >= 0 || !text.includes('/');
  if (device === '' || host === '' || !whole || /[\s:]/.test(device)) {
    throw new InputError(`--at '${text}': expected ${FORMS}`);
  }
  return { host, device };
}

/** The address of a host that --at names by its address only. */
export function strangerAt({ host }: PlaceWords): IpAddress | undefined {
  return host?.startsWith('external/') ? tryParseIpAddress(host.slice('external/'.length)) : undefined;
}

const SHOWN = 3;

/** Finds the device. Throws InputError, naming what there is instead. */
export function findPlace(network: ClusterNetwork, words: PlaceWords): ReplayPlace {
  const { host, device } = words;
  if (host !== undefined) {
    const namespace = network.namespace(host);
    if (namespace.interface(device) !== undefined) return { host, device };
    const names = namespace.interfaces().map(({ name }) => name);
    throw new InputError(`--at '${host}:${device}': ${host} has no ${device}, only ${names.join(', ')}`);
  }
  const owners = [...network.plan.hosts.values()]
    // All pods have the same device; the others are asked.
    .filter(({ kind, label }) =>
      kind === 'pod' ? device === POD_DEVICE : network.namespace(label).interface(device) !== undefined,
    )
    .map(({ label }) => label);
  const [only, ...others] = owners;
  if (only === undefined) throw new InputError(`--at '${device}': no host has a device of that name`);
  if (others.length === 0) return { host: only, device };
  const shown = owners.slice(0, SHOWN).map((label) => `${label}:${device}`);
  const more = owners.length > SHOWN ? ` and ${owners.length - SHOWN} more` : '';
  throw new InputError(
    `--at '${device}': ${owners.length} hosts have it, say which: ${shown.join(', ')}${more}`,
  );
}
