/** What ADD answers (CNI specification 1.0 and 1.1, § Success): a value inside, JSON at the edge. */
import { formatIpAddress, type IpAddress } from '../../wire/ip-address.ts';
import { formatIpPrefix, type InterfaceAddress, type IpPrefix } from '../../wire/ip-prefix.ts';
import { formatMac, type MacAddress } from '../../wire/mac.ts';

export interface ResultInterface {
  readonly name: string;
  readonly mac: MacAddress;
  /** The path of the container's namespace; absent: a device of the host. */
  readonly sandbox?: string;
}

export interface ResultIp {
  readonly address: InterfaceAddress;
  readonly gateway?: IpAddress;
  /** An index into `interfaces`. */
  readonly interface?: number;
}

export interface ResultRoute {
  readonly dst: IpPrefix;
  /** Absent: the gateway of the first address of the family. */
  readonly gw?: IpAddress;
}

export interface ResultDns {
  readonly nameservers?: readonly string[];
  readonly domain?: string;
  readonly search?: readonly string[];
  readonly options?: readonly string[];
}

export interface CniResult {
  readonly interfaces: readonly ResultInterface[];
  readonly ips: readonly ResultIp[];
  readonly routes: readonly ResultRoute[];
  readonly dns: ResultDns;
}

export const EMPTY_RESULT: CniResult = { interfaces: [], ips: [], routes: [], dns: {} };

/** `given` when a configuration says anything there, else `fallback`. */
export function givenDns(given: ResultDns, fallback: ResultDns): ResultDns {
  return Object.keys(given).length > 0 ? given : fallback;
}

/** A result as JSON, member for member as plugins print it: lists that are empty are left out. */
export function resultJson({ interfaces, ips, routes, dns }: CniResult, cniVersion: string): object {
  const listed = <T>(name: string, list: readonly T[]) => (list.length === 0 ? {} : { [name]: list });
  return {
    cniVersion,
    ...listed(
      'interfaces',
      interfaces.map(({ name, mac, sandbox }) => ({
        name,
        mac: formatMac(mac),
        ...(sandbox === undefined ? {} : { sandbox }),
      })),
    ),
    ...listed(
      'ips',
      ips.map(({ address, gateway, interface: index }) => ({
        ...(index === undefined ? {} : { interface: index }),
        address: formatIpPrefix(address),
        ...(gateway === undefined ? {} : { gateway: formatIpAddress(gateway) }),
      })),
    ),
    ...listed(
      'routes',
      routes.map(({ dst, gw }) => ({
        dst: formatIpPrefix(dst),
        ...(gw === undefined ? {} : { gw: formatIpAddress(gw) }),
      })),
    ),
    dns,
  };
}
