/** `ipset save` text → sets. Takes what `ipset restore` takes of `create` and `add` lines. */
import {
  IP_SET_PARTS,
  type IpSet,
  type IpSetElement,
  type IpSetPart,
  type IpSetPartName,
} from '../netfilter/ip-set.ts';
import type { IpAddress, IpFamily } from '../wire/ip-address.ts';
import { parseMask } from './address-text.ts';
import { type AddressSpan, type ElementShape, parseSpan, readParts } from './ipset-elements.ts';
import { createLineTokens, splitLine } from './line-tokens.ts';
import { parseNumber, tryParseNumber } from './numbers.ts';
import { RuleContext } from './rule-context.ts';

interface OpenSet {
  readonly name: string;
  readonly method: IpSet['method'];
  readonly parts: readonly IpSetPartName[];
  readonly family: IpFamily | undefined;
  readonly mask: IpAddress | undefined;
  readonly markMask: number | undefined;
  readonly range: AddressSpan | undefined;
  readonly ports: { readonly from: number; readonly to: number } | undefined;
  readonly defaultTimeout: number | undefined;
  readonly withTimeout: boolean;
  /** By their text, so that adding one again replaces it. */
  readonly elements: Map<string, IpSetElement>;
}

/** IPSET_MAXNAMELEN less the terminator. */
const MAX_SET_NAME = 31;

/** How many words follow each option of `create`. */
const CREATE_OPTIONS: ReadonlyMap<string, 0 | 1> = new Map([
  ...['family', 'hashsize', 'maxelem', 'netmask', 'bitmask', 'timeout', 'range', 'size'].map(
    (o) => [o, 1] as const,
  ),
  ...['bucketsize', 'initval', 'markmask', 'probes', 'resize', 'gc'].map((o) => [o, 1] as const),
  ...['counters', 'comment', 'skbinfo', 'forceadd', '-exist', '-!'].map((o) => [o, 0] as const),
]);

/** The same for `add`. */
const ADD_OPTIONS: ReadonlyMap<string, 0 | 1> = new Map([
  ...['timeout', 'packets', 'bytes', 'comment', 'skbmark', 'skbprio', 'skbqueue', 'before', 'after'].map(
    (o) => [o, 1] as const,
  ),
  ...['nomatch', 'wildcard', '-exist', '-!'].map((o) => [o, 0] as const),
]);

function readOptions(
  context: RuleContext,
  words: readonly string[],
  known: ReadonlyMap<string, 0 | 1>,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    const values = known.get(word);
    if (values === undefined) throw context.error(`unknown option '${word}'`);
    if (values === 1 && i + 1 >= words.length) throw context.error(`option '${word}' needs a value`);
    found.set(word, values === 1 ? (words[++i] ?? '') : '');
  }
  return found;
}

function isPartName(word: string): word is IpSetPartName {
  return (IP_SET_PARTS as readonly string[]).includes(word);
}

function readType(
  context: RuleContext,
  text: string,
): { method: IpSet['method']; parts: readonly IpSetPartName[] } {
  const [method, partsText = ''] = text.split(':');
  const parts = partsText.split(',');
  if ((method !== 'hash' && method !== 'bitmap' && method !== 'list') || !parts.every(isPartName)) {
    throw context.error(
      `unknown set type '${text}'; expected one such as hash:ip, hash:net,port or bitmap:port`,
    );
  }
  return { method, parts };
}

function createSet(context: RuleContext, words: readonly string[]): OpenSet {
  const [name = '', typeText = '', ...rest] = words;
  if (name === '' || name.length > MAX_SET_NAME) {
    throw context.error(`bad set name '${name}'; expected 1 to ${MAX_SET_NAME} characters`);
  }
  const { method, parts } = readType(context, typeText);
  const options = readOptions(context, rest, CREATE_OPTIONS);
  const hasAddresses = parts.includes('ip') || parts.includes('net');
  const familyText = options.get('family') ?? 'inet';
  if (!['inet', 'inet6', 'ipv4', 'ipv6'].includes(familyText)) {
    throw context.error(`unknown family '${familyText}'; expected inet or inet6`);
  }
  const family: IpFamily = familyText === 'inet6' || familyText === 'ipv6' ? 'ipv6' : 'ipv4';
  const own = new RuleContext({ family, file: context.file });
  own.line = context.line;
  const range = options.get('range');
  if (method === 'bitmap' && range === undefined) throw context.error(`set ${name} needs a range`);
  const portRange = parts[0] === 'port' && range !== undefined ? readPortRange(context, range) : undefined;
  const maskText = options.get('netmask') ?? options.get('bitmask');
  const markMask = options.get('markmask');
  const timeout = options.get('timeout');
  return {
    name,
    method,
    parts,
    family: hasAddresses ? family : undefined,
    mask: maskText === undefined ? undefined : parseMask(own, 'netmask', maskText),
    markMask:
      markMask === undefined ? undefined : parseNumber(context, 'markmask', markMask, { max: 0xffffffff }),
    range: hasAddresses && range !== undefined ? parseSpan(context, 'range', family, range) : undefined,
    ports: portRange,
    defaultTimeout: timeout === undefined ? undefined : readTimeout(context, timeout),
    withTimeout: timeout !== undefined,
    elements: new Map(),
  };
}

/** Seconds; 0 is for ever. */
function readTimeout(context: RuleContext, text: string): number | undefined {
  const seconds = tryParseNumber(text, 0, 2_147_483);
  if (seconds === undefined) throw context.error(`bad timeout '${text}'; expected seconds, at most 2147483`);
  return seconds === 0 ? undefined : seconds;
}

function readPortRange(context: RuleContext, text: string): { readonly from: number; readonly to: number } {
  const [low = '', high = low] = text.replaceAll(/(tcp|udp):/g, '').split('-');
  const from = tryParseNumber(low, 0, 0xffff);
  const to = tryParseNumber(high, 0, 0xffff);
  if (from === undefined || to === undefined) throw context.error(`bad range '${text}'; expected LOW-HIGH`);
  return { from, to };
}

function addElements(context: RuleContext, set: OpenSet, text: string, rest: readonly string[]): void {
  const options = readOptions(context, rest, ADD_OPTIONS);
  const texts = text.split(',');
  // The MAC address of a bitmap:ip,mac may be left out.
  const optionalMac = set.method === 'bitmap' && set.parts.includes('mac') && texts.length === 1;
  if (texts.length !== set.parts.length && !optionalMac) {
    throw context.error(
      `element '${text}' of set ${set.name} has ${texts.length} parts; expected ${set.parts.join(',')}`,
    );
  }
  const shape: ElementShape = {
    family: set.family ?? 'ipv4',
    mask: set.mask,
    markMask: set.markMask,
    bitmap: set.method === 'bitmap',
  };
  const wildcard = options.has('wildcard');
  let lists: readonly (readonly IpSetPart[])[] = [[]];
  for (const [index, part] of texts.entries()) {
    const alternatives = readParts(context, set.parts[index] ?? 'ip', shape, part).map((read) =>
      read.kind === 'iface' ? { ...read, wildcard } : read,
    );
    lists = lists.flatMap((list) => alternatives.map((alternative) => [...list, alternative]));
  }
  const timeout = options.get('timeout');
  if (timeout !== undefined && !set.withTimeout) {
    throw context.error(`set ${set.name} was created without timeout; its elements cannot have one`);
  }
  const seconds = timeout === undefined ? set.defaultTimeout : readTimeout(context, timeout);
  for (const parts of lists) {
    checkRange(context, set, parts, text);
    const element = {
      parts,
      nomatch: options.has('nomatch'),
      ...(seconds === undefined ? {} : { timeout: seconds }),
    };
    set.elements.set(JSON.stringify(parts), element);
  }
}

function checkRange(context: RuleContext, set: OpenSet, parts: readonly IpSetPart[], text: string): void {
  const [first] = parts;
  const { ports, range } = set;
  if (first?.kind === 'port' && ports !== undefined && (first.port < ports.from || first.port > ports.to)) {
    throw context.error(`port ${text} is outside the range ${ports.from}-${ports.to} of set ${set.name}`);
  }
  if (first?.kind !== 'ip' || range === undefined) return;
  const { address } = first;
  if (typeof address === 'number' && (address < Number(range.from) || address > Number(range.to))) {
    throw context.error(`address ${text} is outside the range of set ${set.name}`);
  }
}

function finish({ name, method, parts, family, mask, markMask, elements }: OpenSet): IpSet {
  return {
    name,
    method,
    parts,
    ...(family === undefined ? {} : { family }),
    ...(mask === undefined ? {} : { mask }),
    ...(markMask === undefined ? {} : { markMask }),
    elements: [...elements.values()],
  };
}

/**
 * Reads `text`, what `ipset save` printed or `ipset restore` would take, into sets by name. `file` is its
 * name for messages. Throws InputError with file and line.
 */
export function parseIpsetSave(text: string, file?: string): ReadonlyMap<string, IpSet> {
  const context = new RuleContext({ family: 'ipv4', file });
  const tokens = createLineTokens();
  const sets = new Map<string, OpenSet>();
  for (const line of text.split('\n')) {
    context.line++;
    splitLine(line, 0, line.length, tokens);
    if (tokens.problem !== undefined) throw context.error(tokens.problem);
    const [command, name = '', ...rest] = tokens.words.slice(0, tokens.count);
    if (command === undefined || command.startsWith('#') || command === 'COMMIT') continue;
    if (command === 'create' || command === '-N') {
      if (sets.has(name)) throw context.error(`set ${name} exists already`);
      sets.set(name, createSet(context, [name, ...rest]));
    } else if (command === 'add' || command === '-A') {
      const set = sets.get(name);
      if (set === undefined)
        throw context.error(`set ${name} is not created; expected 'create ${name} TYPE' before`);
      const [element, ...options] = rest;
      if (element === undefined) throw context.error(`no element to add to set ${name}`);
      if (set.method === 'list' && !sets.has(element)) throw context.error(`set ${element} is not created`);
      addElements(context, set, element, options);
    } else {
      throw context.error(`unknown command '${command}'; expected create or add`);
    }
  }
  return new Map([...sets].map(([name, set]) => [name, finish(set)]));
}
