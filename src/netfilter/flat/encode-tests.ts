/**
 * One match → what of it a record holds, and the tests for the rest. Matches are encoded in the rule's order
 * up to the first that the columns cannot answer; what comes behind that one is not looked at any more.
 */
import type { IpAddress } from '../../wire/ip-address.ts';
import { PROTOCOL } from '../../wire/protocol.ts';
import type {
  AddressTypeTest,
  AddrtypeMatch,
  ConntrackMatch,
  CtStateName,
  Match,
  PortTest,
} from '../match.ts';
import { DCCP } from '../ports.ts';
import { ANY_PORT, CT_BIT, HEAD, SIDE, TEST } from './layout.ts';

/** What a packet's device has to be for a device match to hold, `negate` aside. */
export interface DeviceTest {
  readonly side: 'in' | 'out';
  readonly ifname: string;
  readonly wildcard: boolean;
}

/** The words of an address, most significant first, as the signed numbers that Int32Array gives back. */
export function wordsOf(address: IpAddress): readonly number[] {
  if (typeof address === 'number') return [address | 0];
  return [address.w0 | 0, address.w1 | 0, address.w2 | 0, address.w3 | 0];
}

/** A rule's matches while they are put into words; used for one rule after another. */
export class EncodedMatches {
  readonly #width: number;
  /** The protocol the record asks for; undefined: any. */
  protocol: number | undefined;
  dports = ANY_PORT;
  sports = ANY_PORT;
  /** Address and mask; undefined: any. */
  destination:
    | { readonly address: IpAddress; readonly mask: IpAddress; readonly negate: boolean }
    | undefined;
  source: { readonly address: IpAddress; readonly mask: IpAddress; readonly negate: boolean } | undefined;
  /** The first `testWords` are the tests, without the `end`. */
  tests = new Int32Array(64);
  testWords = 0;
  /** No packet matches, or the columns cannot say: nothing behind it counts. */
  closed = false;
  readonly #deviceIndex: (test: DeviceTest) => number;

  /** `deviceIndex` numbers the device tests of the table. */
  constructor(width: number, deviceIndex: (test: DeviceTest) => number) {
    this.#width = width;
    this.#deviceIndex = deviceIndex;
  }

  /** Begins a rule. */
  clear(): void {
    this.protocol = undefined;
    this.dports = ANY_PORT;
    this.sports = ANY_PORT;
    this.destination = undefined;
    this.source = undefined;
    this.testWords = 0;
    this.closed = false;
  }

  get head(): number {
    return (
      (this.protocol ?? HEAD.anyProtocol) |
      (this.destination?.negate ? HEAD.notDestination : 0) |
      (this.source?.negate ? HEAD.notSource : 0)
    );
  }

  add(match: Match): void {
    if (this.closed) return;
    switch (match.kind) {
      // Counters of nfacct objects are not kept here, as those of rules are not.
      case 'comment':
      case 'nfacct':
        return;
      case 'source':
      case 'destination':
        this.#address(match);
        return;
      case 'protocol':
        if (match.protocol === 0) {
          if (match.negate) this.#close(TEST.never);
        } else if (match.negate) this.#push(TEST.protocol, true, match.protocol);
        else this.#wantProtocol(match.protocol);
        return;
      case 'fragment':
        if (!match.negate) this.#close(TEST.never);
        return;
      case 'tcp':
        this.#wantProtocol(PROTOCOL.tcp);
        this.#ports(match.sport, match.dport);
        if (match.flags !== undefined || match.option !== undefined) this.#close(TEST.undecided);
        return;
      case 'udp':
      case 'udplite':
      case 'sctp':
        this.#wantProtocol(PROTOCOL[match.kind]);
        this.#ports(match.sport, match.dport);
        return;
      case 'dccp':
        this.#wantProtocol(DCCP);
        this.#ports(match.sport, match.dport);
        return;
      case 'icmp':
      case 'icmp6':
        this.#wantProtocol(match.kind === 'icmp' ? PROTOCOL.icmp : PROTOCOL.icmpv6);
        if (match.test !== undefined) this.#close(TEST.undecided);
        return;
      case 'multiport': {
        const sides = { source: SIDE.source, destination: SIDE.destination, either: 3 }[match.which];
        const ranges = match.ports.flatMap(({ from, to }) => [from, to]);
        this.#push(TEST.multiport, match.negate, sides, match.ports.length, ...ranges);
        return;
      }
      case 'mark':
        this.#push(TEST.mark, match.negate, match.value, match.mask);
        return;
      case 'conntrack':
        this.#conntrack(match);
        return;
      case 'state': {
        // Unlike conntrack's, it knows nothing of SNAT and DNAT.
        const bits = stateBits(match.states) & ~(CT_BIT.SNAT | CT_BIT.DNAT);
        this.#push(TEST.state, match.negate, bits);
        return;
      }
      case 'addrtype':
        this.#addrtype(match);
        return;
      case 'statistic':
        if (match.mode === 'random') this.#push(TEST.random, match.negate, match.probability | 0);
        else this.#close(TEST.undecided);
        return;
      case 'in-device':
      case 'out-device': {
        const { ifname, wildcard, negate } = match;
        const side = match.kind === 'in-device' ? 'in' : 'out';
        this.#push(TEST.device, negate, this.#deviceIndex({ side, ifname, wildcard }));
        return;
      }
      case 'iprange':
        for (const side of ['source', 'destination'] as const) {
          const range = match[side];
          if (range === undefined) continue;
          this.#push(TEST.range, range.negate, SIDE[side], ...wordsOf(range.from), ...wordsOf(range.to));
        }
        return;
      default:
        this.#close(TEST.undecided);
    }
  }

  #push(test: number, negate: boolean, ...words: readonly number[]): void {
    const end = this.testWords + 2 + words.length;
    if (end > this.tests.length) {
      const larger = new Int32Array(2 * end);
      larger.set(this.tests);
      this.tests = larger;
    }
    this.tests[this.testWords] = test;
    this.tests[this.testWords + 1] = negate ? 1 : 0;
    this.tests.set(words, this.testWords + 2);
    this.testWords = end;
  }

  #close(test: typeof TEST.never | typeof TEST.undecided): void {
    this.#push(test, false);
    this.closed = true;
  }

  #wantProtocol(protocol: number): void {
    if (this.protocol === protocol) return;
    if (this.protocol !== undefined) this.#close(TEST.never);
    // A draw that came first has been made by then, but draws leave no trace.
    else this.protocol = protocol;
  }

  #ports(sport: PortTest | undefined, dport: PortTest | undefined): void {
    if (this.closed) return;
    if (dport !== undefined) this.#port('dports', TEST.dport, dport);
    if (sport !== undefined) this.#port('sports', TEST.sport, sport);
  }

  #port(field: 'dports' | 'sports', test: number, { from, to, negate }: PortTest): void {
    if (negate || this[field] !== ANY_PORT) this.#push(test, negate, from, to);
    else this[field] = from | (to << 16);
  }

  #address(match: Extract<Match, { kind: 'source' | 'destination' }>): void {
    const words = wordsOf(match.address);
    // Of the other family: no address of this one is in it.
    if (words.length !== this.#width) {
      if (!match.negate) this.#close(TEST.never);
      return;
    }
    if (this[match.kind] === undefined) this[match.kind] = match;
    else this.#push(TEST.address, match.negate, SIDE[match.kind], ...words, ...wordsOf(match.mask));
  }

  #conntrack(match: ConntrackMatch): void {
    const { kind: _kind, state, ...others } = match;
    if (state !== undefined) this.#push(TEST.state, state.negate, stateBits(state.states));
    if (state === undefined || Object.values(others).some((test) => test !== undefined)) {
      this.#close(TEST.undecided);
    }
  }

  #addrtype({ source, destination, limitDevice }: AddrtypeMatch): void {
    const sides: [AddressTypeTest | undefined, number][] = [
      [source, SIDE.source],
      [destination, SIDE.destination],
    ];
    for (const [test, side] of sides) {
      if (test === undefined || this.closed) continue;
      const isLocal = test.types.length === 1 && test.types[0] === 'LOCAL';
      if (isLocal && limitDevice === undefined) this.#push(TEST.local, test.negate, side);
      else this.#close(TEST.undecided);
    }
  }
}

function stateBits(states: readonly CtStateName[]): number {
  return states.reduce((bits, state) => bits | CT_BIT[state], 0);
}
