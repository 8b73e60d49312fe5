/** What a rule says besides its extensions: `-s -d -i -o -p -f`, and where it goes. */
import type { AddressMatch, DeviceMatch, FragmentMatch, Match, ProtocolMatch } from '../netfilter/match.ts';
import type { Counters, Rule } from '../netfilter/rule-set.ts';
import type { Target } from '../netfilter/target.ts';
import { type AddressAndMask, parseNetwork } from './address-text.ts';
import { MAX_CHAIN_NAME } from './chain-names.ts';
import { parseProtocol } from './protocols.ts';
import type { RuleContext } from './rule-context.ts';

/** IFNAMSIZ less the terminator. */
const MAX_IFNAME = 15;

/** Built-in chains that a packet passes without one of its devices. */
const WITHOUT_OUT: ReadonlySet<string> = new Set(['PREROUTING', 'INPUT']);
const WITHOUT_IN: ReadonlySet<string> = new Set(['POSTROUTING', 'OUTPUT']);

interface Networks {
  readonly negate: boolean;
  readonly networks: readonly AddressAndMask[];
}

export class RuleHead {
  readonly #context: RuleContext;
  #source: Networks | undefined;
  #destination: Networks | undefined;
  #inDevice: DeviceMatch | undefined;
  #outDevice: DeviceMatch | undefined;
  #protocol: ProtocolMatch | undefined;
  #fragment: FragmentMatch | undefined;
  /** The word after `-j` or `-g`. */
  destinationChain: { readonly name: string; readonly goto: boolean } | undefined;
  counters: Counters | undefined;

  constructor(context: RuleContext) {
    this.#context = context;
  }

  /** Forgets everything: a new line begins. */
  clear(): void {
    this.#source = undefined;
    this.#destination = undefined;
    this.#inDevice = undefined;
    this.#outDevice = undefined;
    this.#protocol = undefined;
    this.#fragment = undefined;
    this.destinationChain = undefined;
    this.counters = undefined;
    this.#context.protocol = undefined;
  }

  /** Takes one of the letters `s d p i o f j g`; answers false for any other. */
  read(letter: string, text: string, negate: boolean): boolean {
    switch (letter) {
      case 's':
        this.#once(this.#source, letter);
        this.#source = this.#networks('-s', text, negate);
        return true;
      case 'd':
        this.#once(this.#destination, letter);
        this.#destination = this.#networks('-d', text, negate);
        return true;
      case 'p':
        this.#once(this.#protocol, letter);
        this.#readProtocol(text, negate);
        return true;
      case 'i':
        this.#once(this.#inDevice, letter);
        this.#inDevice = this.#device('in-device', text, negate);
        return true;
      case 'o':
        this.#once(this.#outDevice, letter);
        this.#outDevice = this.#device('out-device', text, negate);
        return true;
      case 'f':
        this.#once(this.#fragment, letter);
        if (this.#context.family === 'ipv6')
          throw this.#context.error('-f is not for IPv6; expected -m frag');
        this.#fragment = { kind: 'fragment', negate };
        return true;
      case 'j':
      case 'g':
        this.#readJump(letter, text, negate);
        return true;
      default:
        return false;
    }
  }

  #once(taken: unknown, letter: string): void {
    if (taken !== undefined) throw this.#context.error(`-${letter} is given twice`);
  }

  #networks(option: string, text: string, negate: boolean): Networks {
    const context = this.#context;
    if (!text.includes(',')) return { negate, networks: [parseNetwork(context, option, text)] };
    return {
      negate,
      networks: text.split(',').map((part) => parseNetwork(context, option, part.trimStart())),
    };
  }

  #readProtocol(text: string, negate: boolean): void {
    const context = this.#context;
    const { protocol, name } = parseProtocol(context, '-p', text.toLowerCase());
    if (protocol === 0 && negate) throw context.error("'! -p all' never matches");
    context.protocol = { number: protocol, negate };
    this.#protocol = { kind: 'protocol', negate, protocol, name };
  }

  #device(kind: DeviceMatch['kind'], text: string, negate: boolean): DeviceMatch {
    if (text === '') throw this.#context.error('an empty device name; expected the name of a device');
    if (text.length > MAX_IFNAME) {
      throw this.#context.error(`device name '${text}' is longer than ${MAX_IFNAME} characters`);
    }
    const wildcard = text.endsWith('+');
    return { kind, negate, ifname: wildcard ? text.slice(0, -1) : text, wildcard };
  }

  #readJump(letter: string, text: string, negate: boolean): void {
    const context = this.#context;
    if (negate) throw context.error(`'!' cannot stand before -${letter}`);
    if (this.destinationChain !== undefined) throw context.error('more than one -j or -g');
    if (text === '' || text.length > MAX_CHAIN_NAME || /\s/.test(text)) {
      throw context.error(
        `bad target name '${text}'; expected 1 to ${MAX_CHAIN_NAME} characters without blanks`,
      );
    }
    this.destinationChain = { name: text, goto: letter === 'g' };
  }

  /**
   * The rules that the line stands for in `chain`, one for each pair of listed addresses; `extensions` are
   * its `-m` matches in order.
   */
  rules(chain: string, extensions: readonly Match[], target: Target): readonly Rule[] {
    this.#checkDevices(chain);
    this.#checkLists();
    const tail: Match[] = [];
    if (this.#inDevice !== undefined && !isAnyDevice(this.#inDevice)) tail.push(this.#inDevice);
    if (this.#outDevice !== undefined && !isAnyDevice(this.#outDevice)) tail.push(this.#outDevice);
    if (this.#protocol !== undefined && this.#protocol.protocol !== 0) tail.push(this.#protocol);
    if (this.#fragment !== undefined) tail.push(this.#fragment);
    for (const match of extensions) tail.push(match);
    const rules: Rule[] = [];
    for (const source of addressMatches('source', this.#source)) {
      for (const destination of addressMatches('destination', this.#destination)) {
        rules.push(this.#rule(source, destination, tail, target));
      }
    }
    return rules;
  }

  #rule(
    source: AddressMatch | undefined,
    destination: AddressMatch | undefined,
    tail: readonly Match[],
    target: Target,
  ): Rule {
    const matches: Match[] = [];
    if (source !== undefined) matches.push(source);
    if (destination !== undefined) matches.push(destination);
    for (const match of tail) matches.push(match);
    const { counters } = this;
    return counters === undefined ? { matches, target } : { matches, target, counters };
  }

  #checkLists(): void {
    const both = [this.#source, this.#destination];
    const listed = both.some((given) => given !== undefined && given.networks.length > 1);
    if (listed && both.some((given) => given?.negate)) {
      throw this.#context.error("'!' is not allowed with several source or destination addresses");
    }
  }

  #checkDevices(chain: string): void {
    if (this.#outDevice !== undefined && WITHOUT_OUT.has(chain)) {
      throw this.#context.error(`-o cannot be used in ${chain}: the packet has no outgoing device there`);
    }
    if (this.#inDevice !== undefined && WITHOUT_IN.has(chain)) {
      throw this.#context.error(`-i cannot be used in ${chain}: the packet has no incoming device there`);
    }
  }
}

/** The alternatives of `-s` or `-d`; `0.0.0.0/0` says nothing and is left out, as saves do. */
function addressMatches(
  kind: AddressMatch['kind'],
  given: Networks | undefined,
): readonly (AddressMatch | undefined)[] {
  if (given === undefined) return [undefined];
  const { negate, networks } = given;
  return networks.map(({ address, mask }) =>
    !negate && isZero(mask) ? undefined : { kind, negate, address, mask },
  );
}

function isZero(mask: AddressAndMask['mask']): boolean {
  return typeof mask === 'number' ? mask === 0 : (mask.w0 | mask.w1 | mask.w2 | mask.w3) === 0;
}

/** `-i +` matches every device and is left out of saves, negated or not. */
function isAnyDevice(match: DeviceMatch): boolean {
  return match.wildcard && match.ifname === '' && !match.negate;
}
