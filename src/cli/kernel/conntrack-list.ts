/** What `conntrack -L` prints, read into values that compare. */
import { type IpAddress, parseIpAddress } from '../../wire/ip-address.ts';

/** One direction of a flow. ICMP: `sport` is the id, `dport` type and code (type × 256 + code). */
export interface ListedTuple {
  readonly src: IpAddress;
  readonly dst: IpAddress;
  readonly sport: number;
  readonly dport: number;
}

export interface ListedEntry {
  readonly protocol: number;
  /** Seconds left; rounded down by the kernel. */
  readonly timeout: number;
  /** TCP's or SCTP's. */
  readonly state?: string;
  readonly original: ListedTuple;
  readonly reply: ListedTuple;
  readonly seenReply: boolean;
  readonly assured: boolean;
  readonly mark: number;
  readonly zone: number;
}

function tupleFrom(fields: ReadonlyMap<string, string>): ListedTuple {
  const number = (name: string) => Number(fields.get(name) ?? 0);
  const address = (name: string) => parseIpAddress(fields.get(name) ?? '');
  const icmp = fields.has('type');
  return {
    src: address('src'),
    dst: address('dst'),
    sport: icmp ? number('id') : number('sport'),
    dport: icmp ? number('type') * 256 + number('code') : number('dport'),
  };
}

/**
 * One line of `conntrack -L`: protocol name and number, seconds, state, the original tuple, flags, the reply
 * tuple, flags, `mark=`, `zone=`. Throws when it is not one.
 */
export function parseConntrackLine(line: string): ListedEntry {
  const words = line.trim().split(/\s+/);
  const tuples: Map<string, string>[] = [];
  const flags = new Set<string>();
  const rest = new Map<string, string>();
  let state: string | undefined;
  for (const word of words.slice(3)) {
    const [, key, value] = /^([a-z-]+)=(.*)$/.exec(word) ?? [];
    if (key === 'src') tuples.push(new Map());
    if (key !== undefined && value !== undefined) {
      const inTuple = /^(src|dst|sport|dport|type|code|id|srckey|dstkey)$/.test(key);
      (inTuple ? (tuples.at(-1) ?? rest) : rest).set(key, value);
    } else if (word.startsWith('[')) flags.add(word);
    else state = word;
  }
  const [original, reply] = tuples;
  const protocol = Number(words[1]);
  const timeout = Number(words[2]);
  if (original === undefined || reply === undefined || Number.isNaN(protocol + timeout)) {
    throw new Error(`conntrack printed '${line}', expected an entry with two tuples`);
  }
  return {
    protocol,
    timeout,
    ...(state === undefined ? {} : { state }),
    original: tupleFrom(original),
    reply: tupleFrom(reply),
    seenReply: !flags.has('[UNREPLIED]'),
    assured: flags.has('[ASSURED]'),
    mark: Number(rest.get('mark') ?? 0),
    zone: Number(rest.get('zone') ?? 0),
  };
}

/** All entries in the output of `conntrack -L`. */
export function parseConntrackList(text: string): ListedEntry[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(parseConntrackLine);
}
