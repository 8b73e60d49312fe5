/** The words of an `ip` command line that are still to be read, and the values that they name. */
import type { Interface } from '../../../netstack/link/interface.ts';
import type { Namespace } from '../../../netstack/namespace.ts';
import { AddressError, type IpAddress, type IpFamily, tryParseIpAddress } from '../../../wire/ip-address.ts';
import { type IpPrefix, parseInterfaceAddress, prefixOf } from '../../../wire/ip-prefix.ts';
import { type ToolContext, ToolExit } from '../tool.ts';

/** Options of `ip` itself, in front of the object. */
export interface Globals {
  readonly family: IpFamily | undefined;
  readonly brief: boolean;
  readonly statistics: boolean;
  readonly oneLine: boolean;
}

/** What one command of `ip` is given. */
export interface Request {
  readonly words: Words;
  readonly globals: Globals;
  readonly context: ToolContext;
}

export class Words {
  readonly #words: readonly string[];
  #at = 0;

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  get next(): string | undefined {
    return this.#words[this.#at];
  }

  /** The next word; undefined at the end. */
  take(): string | undefined {
    return this.#words[this.#at++];
  }

  /** The next word, which must be there. Throws ToolExit. */
  value(): string {
    const word = this.take();
    if (word === undefined) throw new ToolExit(255, 'Command line is not complete. Try option "help"');
    return word;
  }
}

/** The first of `names` that begins with `word`: iproute2 lets most words be cut short. */
export function expand(word: string, names: readonly string[]): string | undefined {
  return word === '' ? undefined : names.find((name) => name.startsWith(word));
}

/** The device called `name`. Throws ToolExit. */
export function deviceNamed(namespace: Namespace, name: string): Interface {
  const device = namespace.interface(name);
  if (device === undefined) throw new ToolExit(1, `Device "${name}" does not exist.`);
  return device;
}

/** The device called `name`, as `ip route` and `ip neigh` look for it. Throws ToolExit. */
export function routeDevice(namespace: Namespace, name: string): Interface {
  const device = namespace.interface(name);
  if (device === undefined) throw new ToolExit(1, `Cannot find device "${name}"`);
  return device;
}

function notAPrefix(text: string): ToolExit {
  return new ToolExit(1, `Error: any valid prefix is expected rather than "${text}".`);
}

/** The network that `text` names; host bits are cleared. Throws ToolExit. */
export function prefixNamed(text: string): IpPrefix {
  try {
    const { address, length } = parseInterfaceAddress(text);
    return prefixOf(address, length);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    throw notAPrefix(text);
  }
}

/** The address that `text` names. Throws ToolExit. */
export function addressNamed(text: string): IpAddress {
  const address = tryParseIpAddress(text);
  if (address === undefined) throw notAPrefix(text);
  return address;
}
