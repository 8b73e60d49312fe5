/** One rule in the order in which iptables-save prints its parts. */
import { formatAddress } from '../../ruletext/address-text.ts';
import { quote } from '../../ruletext/quoting.ts';
import type { IpAddress } from '../../wire/ip-address.ts';
import { hostPrefix, type IpPrefix } from '../../wire/ip-prefix.ts';
import type { Layer4 } from '../service-port.ts';

/** A match value that may stand behind `!`. */
export interface Negatable<T> {
  readonly value: T;
  readonly not?: boolean;
}

/** The parts of a rule; absent ones are not tested. */
export interface RuleParts {
  readonly source?: Negatable<IpPrefix>;
  readonly destination?: Negatable<IpPrefix>;
  readonly inInterface?: Negatable<string>;
  readonly protocol?: Layer4;
  /** `-m …` texts in their order. */
  readonly matches?: readonly string[];
  /** What follows `-j`. */
  readonly target?: string;
}

function option<T>(flag: string, part: Negatable<T> | undefined, format: (value: T) => string): string {
  if (part === undefined) return '';
  return `${part.not === true ? ' !' : ''} ${flag} ${format(part.value)}`;
}

function formatPrefix({ address, length }: IpPrefix): string {
  return `${formatAddress(address)}/${length}`;
}

/** A prefix of length 0 matches every packet, and the kernel does not keep it apart from no match at all. */
function prefixOption(flag: string, part: Negatable<IpPrefix> | undefined): string {
  if (part !== undefined && part.value.length === 0 && part.not !== true) return '';
  return option(flag, part, formatPrefix);
}

/** The line `-A CHAIN …`. */
export function ruleLine(chain: string, parts: RuleParts): string {
  const { source, destination, inInterface, protocol, matches = [], target } = parts;
  let line = `-A ${chain}${prefixOption('-s', source)}${prefixOption('-d', destination)}`;
  line += option('-i', inInterface, (name) => name);
  if (protocol !== undefined) line += ` -p ${protocol}`;
  for (const match of matches) line += ` ${match}`;
  return target === undefined ? line : `${line} -j ${target}`;
}

/** Exactly one address. */
export function host(address: IpAddress): Negatable<IpPrefix> {
  return { value: hostPrefix(address) };
}

export function comment(text: string): string {
  return `-m comment --comment ${quote(text)}`;
}

export function destinationPort(protocol: Layer4, port: number): string {
  return `-m ${protocol} --dport ${port}`;
}

/** `states` as iptables-save lists them. */
export function ctstate(states: string): string {
  return `-m conntrack --ctstate ${states}`;
}
