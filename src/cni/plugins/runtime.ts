/**
 * The runtime's side (CNI specification § Section 2 and 3; libcni): a network's plugins one after the other, each
 * with what the one before answered; results kept for DEL, CHECK and GC.
 */
import { type IpamOwner, sameOwner } from '../ipam/host-local-store.ts';
import { bridge } from './bridge.ts';
import { CniError } from './cni-error.ts';
import type { NetworkConfiguration, PluginConfiguration } from './configuration.ts';
import { loopback } from './loopback.ts';
import type { CniHost, GcCall, Plugin, PluginCall, RuntimeConfig, Sandbox } from './plugin.ts';
import { portmap } from './portmap.ts';
import { ptp } from './ptp.ts';
import { type CniResult, EMPTY_RESULT } from './result.ts';

/** One container's place in a network. */
export interface Attachment extends IpamOwner {
  readonly sandbox: Sandbox;
  readonly runtimeConfig?: RuntimeConfig;
}

interface Attached {
  readonly attachment: Attachment;
  readonly result: CniResult;
}

/** The plugin of `configuration`, ready to be called. */
function bound(configuration: PluginConfiguration) {
  switch (configuration.type) {
    case 'bridge':
      return bind(bridge, configuration);
    case 'ptp':
      return bind(ptp, configuration);
    case 'loopback':
      return bind(loopback, configuration);
    case 'portmap':
      return bind(portmap, configuration);
  }
}

function bind<C>(plugin: Plugin<C>, configuration: C) {
  return {
    add: (call: PluginCall) => plugin.add(configuration, call),
    del: (call: PluginCall) => plugin.del(configuration, call),
    check: (call: PluginCall) => plugin.check(configuration, call),
    gc: (call: GcCall) => plugin.gc(configuration, call),
    status: (host: CniHost, name: string) => plugin.status(configuration, host, name),
  };
}

/** What of the runtime's arguments the plugin asks for by its capabilities. */
function argumentsFor({ capabilities }: PluginConfiguration, given: RuntimeConfig = {}): RuntimeConfig {
  return Object.fromEntries(Object.entries(given).filter(([name]) => capabilities.has(name)));
}

const keyOf = ({ containerId, ifName }: IpamOwner) => `${containerId} ${ifName}`;
/** The specification's pattern for container IDs. */
const CONTAINER_ID = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const MAX_DEVICE_NAME = 15;

function checkParameters({ containerId, ifName }: IpamOwner): void {
  if (!CONTAINER_ID.test(containerId)) {
    throw new CniError('invalid-parameter', `${JSON.stringify(containerId)} is no container ID`);
  }
  if (
    ifName === '' ||
    ifName.length > MAX_DEVICE_NAME ||
    /[\s/:]/.test(ifName) ||
    ifName === '.' ||
    ifName === '..'
  ) {
    throw new CniError('invalid-parameter', `${JSON.stringify(ifName)} is no device name`);
  }
}

/** One network of one host. */
export class CniRuntime {
  readonly configuration: NetworkConfiguration;
  readonly #host: CniHost;
  readonly #attached = new Map<string, Attached>();

  constructor(host: CniHost, configuration: NetworkConfiguration) {
    this.#host = host;
    this.configuration = configuration;
  }

  #call(
    plugin: PluginConfiguration,
    { sandbox, runtimeConfig, ...owner }: Attachment,
    prevResult?: CniResult,
  ): PluginCall {
    return {
      host: this.#host,
      name: this.configuration.name,
      ...owner,
      sandbox,
      runtimeConfig: argumentsFor(plugin, runtimeConfig),
      ...(prevResult === undefined ? {} : { prevResult }),
    };
  }

  /**
   * Attaches a container: ADD of every plugin in order. What was done is undone when one fails. Throws CniError.
   */
  add(attachment: Attachment): CniResult {
    checkParameters(attachment);
    if (this.#attached.has(keyOf(attachment))) {
      throw new CniError('invalid-parameter', `${keyOf(attachment)} is attached already`);
    }
    let result: CniResult | undefined;
    for (const [index, plugin] of this.configuration.plugins.entries()) {
      try {
        result = bound(plugin).add(this.#call(plugin, attachment, result));
      } catch (error) {
        this.#delete(attachment, result, this.configuration.plugins.slice(0, index));
        throw error;
      }
    }
    const last = result ?? EMPTY_RESULT;
    this.#attached.set(keyOf(attachment), { attachment, result: last });
    return last;
  }

  #delete(
    attachment: Attachment,
    result: CniResult | undefined,
    plugins: readonly PluginConfiguration[],
  ): void {
    for (const plugin of plugins.toReversed()) bound(plugin).del(this.#call(plugin, attachment, result));
  }

  /** Detaches a container: DEL of every plugin, the last first. One that is not attached is no error. */
  del(attachment: Attachment): void {
    checkParameters(attachment);
    const known = this.#attached.get(keyOf(attachment));
    this.#delete(known?.attachment ?? attachment, known?.result, this.configuration.plugins);
    this.#attached.delete(keyOf(attachment));
  }

  /** Whether the container is as ADD left it: CHECK of every plugin in order. Throws CniError when it is not. */
  check(attachment: Attachment): void {
    checkParameters(attachment);
    if (this.configuration.disableCheck) return;
    const known = this.#attached.get(keyOf(attachment));
    if (known === undefined) throw new CniError('unknown-container', `${keyOf(attachment)} is not attached`);
    for (const plugin of this.configuration.plugins) {
      bound(plugin).check(this.#call(plugin, known.attachment, known.result));
    }
  }

  /** Detaches every container that is not among `valid`, then lets plugins free what is left of such. */
  gc(valid: readonly IpamOwner[]): void {
    if (this.configuration.disableGC) return;
    for (const { attachment } of [...this.#attached.values()]) {
      if (!valid.some((owner) => sameOwner(owner, attachment))) this.del(attachment);
    }
    const call: GcCall = { host: this.#host, name: this.configuration.name, valid };
    for (const plugin of this.configuration.plugins) bound(plugin).gc(call);
  }

  /** Throws CniError when a plugin cannot serve ADD. */
  status(): void {
    for (const plugin of this.configuration.plugins)
      bound(plugin).status(this.#host, this.configuration.name);
  }

  /** What ADD answered for an attachment. */
  resultOf(owner: IpamOwner): CniResult | undefined {
    return this.#attached.get(keyOf(owner))?.result;
  }
}
