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

function push<T>(words: string[], flag: string, part: Negatable<T>, format: (value: T) => string): void {
  if (part.not === true) words.push('!');
  words.push(flag, format(part.value));
}

function formatPrefix({ address, length }: IpPrefix): string {
  return `${formatAddress(address)}/${length}`;
}

/** A prefix of length 0 matches every packet, and the kernel does not keep it apart from no match at all. */
function pushPrefix(words: string[], flag: string, part: Negatable<IpPrefix> | undefined): void {
  if (part === undefined || (part.value.length === 0 && part.not !== true)) return;
  push(words, flag, part, formatPrefix);
}

/** The line `-A CHAIN …`. */
export function ruleLine(chain: string, parts: RuleParts): string {
  const { source, destination, inInterface, protocol, matches, target } = parts;
  const words = ['-A', chain];
  pushPrefix(words, '-s', source);
  pushPrefix(words, '-d', destination);
  if (inInterface !== undefined) push(words, '-i', inInterface, (name) => name);
  if (protocol !== undefined) words.push('-p', protocol);
  if (matches !== undefined) words.push(...matches);
  if (target !== undefined) words.push('-j', target);
  return words.join(' ');
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
