/** What addresses of the emulated cluster are called: pods, nodes, hosts outside, and Services with their ports. */
import { formatIpAddress, type IpAddress, tryParseIpAddress } from '../../wire/ip-address.ts';
import type { AddressName } from '../../wire/pcapng.ts';
import type { NetworkPlan } from '../network/network-plan.ts';

interface Named {
  readonly address: IpAddress;
  readonly name: string;
  /** Of a Service: its ports by number. */
  readonly ports: ReadonlyMap<number, string>;
}

const NO_PORTS: ReadonlyMap<number, string> = new Map();

export class NameBook {
  readonly #byAddress = new Map<string, Named>();

  /** The names in `plan`; a host's own address goes before a Service that uses it. */
  constructor(plan: NetworkPlan) {
    for (const { metadata, spec } of plan.cluster.services) {
      const ports = new Map(spec.ports.map(({ port, name }) => [port, name === '' ? String(port) : name]));
      const status = [...spec.clusterIPs, ...spec.externalIPs];
      for (const text of status) {
        const address = tryParseIpAddress(text);
        if (address !== undefined) this.#add(address, `svc/${metadata.namespace}/${metadata.name}`, ports);
      }
    }
    for (const { label, ownAddresses } of plan.hosts.values()) {
      for (const address of ownAddresses) this.#add(address, label, NO_PORTS);
    }
  }

  #add(address: IpAddress, name: string, ports: ReadonlyMap<number, string>): void {
    this.#byAddress.set(formatIpAddress(address), { address, name, ports });
  }

  /** `pod/default/web-0`, `svc/default/web:http`; undefined for addresses nobody has. */
  nameOf(address: IpAddress, port?: number): string | undefined {
    const known = this.#byAddress.get(formatIpAddress(address));
    if (known === undefined) return undefined;
    const portName = port === undefined ? undefined : known.ports.get(port);
    return portName === undefined ? known.name : `${known.name}:${portName}`;
  }

  /** For a capture's name resolution block: names without slashes, which resolvers would not take. */
  all(): AddressName[] {
    return [...this.#byAddress.values()].map(({ address, name }) => ({
      address,
      names: [name.replaceAll('/', '.')],
    }));
  }
}
