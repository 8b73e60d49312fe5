/** Endpoints objects as EndpointSlices, as the endpoint-slice mirroring controller writes them. */
import { familyOf } from '../../wire/ip-address.ts';
import type { Endpoint, EndpointAddress, EndpointSlice, EndpointSubset, Endpoints } from '../objects.ts';
import { tryParseSloppyIp } from '../sloppy-address.ts';
import { SERVICE_NAME_LABEL } from './endpoint-slices.ts';
import { generateName } from './stable-name.ts';

const ADDRESS_TYPES = ['IPv4', 'IPv6'] as const;

function endpoint({ ip, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef }),
    zoneHints: [],
  };
}

function endpointsOf(subset: EndpointSubset, type: (typeof ADDRESS_TYPES)[number]): Endpoint[] {
  const isOfType = ({ ip }: EndpointAddress) => {
    const address = tryParseSloppyIp(ip);
    return address !== undefined && familyOf(address) === type.toLowerCase();
  };
  return [
    ...subset.addresses.filter(isOfType).map((address) => endpoint(address, true)),
    ...subset.notReadyAddresses.filter(isOfType).map((address) => endpoint(address, false)),
  ];
}

/** One slice for each subset and IP family of `endpoints`. */
export function mirrorEndpoints({ metadata, origin, subsets }: Endpoints): EndpointSlice[] {
  const { name: service, namespace } = metadata;
  const slices = subsets.flatMap((subset) =>
    ADDRESS_TYPES.map((addressType) => ({
      addressType,
      ports: subset.ports,
      endpoints: endpointsOf(subset, addressType),
    })),
  );
  const taken = new Set<string>();
  return slices
    .filter(({ endpoints }) => endpoints.length > 0)
    .map((slice, number): EndpointSlice => {
      const name = generateName(`${service}-`, `${namespace}/${service}/mirror/${number}`, taken);
      taken.add(name);
      const labels = {
        ...metadata.labels,
        [SERVICE_NAME_LABEL]: service,
        'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
      };
      return {
        kind: 'EndpointSlice',
        metadata: { name, namespace, labels, annotations: {} },
        origin,
        ...slice,
      };
    });
}
