/**
 * Plugins as code: what a plugin is called with, and what it acts on.
 *
 *     ADD    (configuration, call) → result      makes, and undoes what it made when it fails
 *     DEL    (configuration, call)               removes and releases; finding nothing is no error
 *     CHECK  (configuration, call)               compares with prevResult; throws CniError
 *     GC     (configuration, valid attachments)  frees what belongs to no valid attachment
 *     STATUS (configuration, host)               throws CniError when ADD cannot be served
 */
import type { Interface } from '../../netstack/link/interface.ts';
import type { Namespace } from '../../netstack/namespace.ts';
import type { IpAddress } from '../../wire/ip-address.ts';
import type { MacAddress } from '../../wire/mac.ts';
import { HostLocalStore, type IpamOwner } from '../ipam/host-local-store.ts';
import { PluginRules } from './plugin-rules.ts';
import type { CniResult } from './result.ts';

export type PortProtocol = 'tcp' | 'udp' | 'sctp';

/** An entry of the `portMappings` capability. */
export interface PortMapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: PortProtocol;
  /** Only for packets to this address of the host; absent or unspecified: to any. */
  readonly hostIP?: IpAddress;
}

/** Capability arguments: a plugin gets those it asks for. */
export interface RuntimeConfig {
  readonly portMappings?: readonly PortMapping[];
  readonly ips?: readonly IpAddress[];
  readonly mac?: MacAddress;
}

/** What plugins act on outside the container. */
export class CniHost {
  readonly namespace: Namespace;
  /** To be merged with everybody else's rules on the host, kube-proxy's before them. */
  readonly rules = new PluginRules();
  /** The host's end of each container's veth. */
  readonly peers = new Map<Interface, Interface>();
  readonly #stores = new Map<string, HostLocalStore>();

  constructor(namespace: Namespace) {
    this.namespace = namespace;
  }

  /** The addresses given out in the network called `name`, kept in `dataDir`. */
  store(dataDir: string, name: string): HostLocalStore {
    const key = `${dataDir}/${name}`;
    const store = this.#stores.get(key) ?? new HostLocalStore();
    this.#stores.set(key, store);
    return store;
  }
}

/** The network namespace of a container, and the path it has on the host. */
export interface Sandbox {
  readonly path: string;
  readonly namespace: Namespace;
}

export interface PluginCall {
  readonly host: CniHost;
  /** Of the network. */
  readonly name: string;
  readonly containerId: string;
  /** The device in the container. */
  readonly ifName: string;
  /** Absent in a DEL after the container is gone. */
  readonly sandbox?: Sandbox;
  readonly runtimeConfig: RuntimeConfig;
  /** What the plugin before answered; in DEL and CHECK what the whole ADD did. */
  readonly prevResult?: CniResult;
}

export interface GcCall {
  readonly host: CniHost;
  readonly name: string;
  readonly valid: readonly IpamOwner[];
}

export interface Plugin<C> {
  add(configuration: C, call: PluginCall): CniResult;
  del(configuration: C, call: PluginCall): void;
  check(configuration: C, call: PluginCall): void;
  gc(configuration: C, call: GcCall): void;
  status(configuration: C, host: CniHost, name: string): void;
}

/** Who an attachment is, for IPAM. */
export function ownerOf({ containerId, ifName }: PluginCall): IpamOwner {
  return { containerId, ifName };
}
