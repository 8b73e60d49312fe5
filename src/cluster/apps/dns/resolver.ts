/**
 * The resolver of a pod: glibc's getaddrinfo, which asks for A and AAAA at once from one socket, walks the
 * search list, and waits five seconds for an answer that was lost (resolv/res_query.c, res_send.c).
 */
import type { Sockets } from '../../../netstack/sockets/sockets.ts';
import { familyOf, type IpAddress, type IpFamily, tryParseIpAddress } from '../../../wire/ip-address.ts';
import { askOverTcp, askOverUdp, type ExchangeResult, queryFor } from './dns-exchange.ts';
import type { DnsMessage, DnsRecord } from './message.ts';
import { type ResolvConf, type ResolverOptions, resolverOptions } from './resolv-conf.ts';

/** Each failure with what programs print for it (gai_strerror). */
export const RESOLVE_ERRORS = {
  EAI_NONAME: 'Name or service not known',
  EAI_NODATA: 'No address associated with hostname',
  EAI_AGAIN: 'Temporary failure in name resolution',
} as const;

export type ResolveError = keyof typeof RESOLVE_ERRORS;

export interface Resolved {
  /** In the order of the answers, IPv4 first; empty on failure. */
  readonly addresses: readonly IpAddress[];
  readonly error: ResolveError | undefined;
  /** Every name that was asked for, in order. */
  readonly tried: readonly string[];
  /** Virtual seconds. */
  readonly after: number;
}

export interface ResolverParts {
  readonly sockets: Sockets;
  readonly conf: ResolvConf;
  /** /etc/hosts: asked first. Names in lower case. */
  readonly hosts?: ReadonlyMap<string, readonly IpAddress[]>;
}

/** What asking for one name came to. */
type Outcome =
  | { readonly kind: 'found'; readonly addresses: readonly IpAddress[] }
  | { readonly kind: 'not-found' | 'no-data' | 'server-failure' | 'no-answer' | 'refused' };

const REJECTED: ReadonlySet<DnsMessage['rcode']> = new Set(['SERVFAIL', 'NOTIMP', 'REFUSED']);

const RECORD_TYPES = { ipv4: 'A', ipv6: 'AAAA' } as const;

/** The names to try for `name`, in order (res_nsearch). `final`: a failure that is no "not found" counts at once. */
export function candidateNames(name: string, conf: ResolvConf, { ndots }: ResolverOptions): string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const dots = name.split('.').length - 1;
  const searched = conf.searches.map((domain) => (domain === '.' ? name : `${name}.${domain}`));
  return dots >= ndots ? [name, ...searched] : [...searched, name];
}

/** The addresses in `answer` for the name that was asked, through aliases. */
function addressesIn(answer: DnsMessage): IpAddress[] {
  const [question] = answer.questions;
  let name = question?.name.toLowerCase() ?? '';
  for (let hops = 0; hops < answer.answers.length; hops++) {
    const alias = answer.answers.find((each) => each.type === 'CNAME' && each.name.toLowerCase() === name);
    if (alias?.type !== 'CNAME') break;
    name = alias.target.toLowerCase();
  }
  const isOurs = (each: DnsRecord) => each.type === question?.type && each.name.toLowerCase() === name;
  return answer.answers.flatMap((each) => (isOurs(each) && 'address' in each ? [each.address] : []));
}

function outcomeOf(answers: readonly (DnsMessage | undefined)[]): Outcome {
  const given = answers.flatMap((answer) => answer ?? []);
  const addresses = given.flatMap(addressesIn);
  if (addresses.length > 0) return { kind: 'found', addresses };
  if (given.length === 0) return { kind: 'no-answer' };
  if (given.every(({ rcode }) => REJECTED.has(rcode))) return { kind: 'server-failure' };
  return { kind: given.some(({ rcode }) => rcode === 'NXDOMAIN') ? 'not-found' : 'no-data' };
}

export class Resolver {
  readonly conf: ResolvConf;
  readonly #sockets: Sockets;
  readonly #hosts: ReadonlyMap<string, readonly IpAddress[]>;
  readonly #options: ResolverOptions;
  /** Once an answer got lost beside another, this program asks one by one (RES_SNGLKUP). */
  #oneByOne: boolean;
  #reopens: boolean;

  constructor({ sockets, conf, hosts = new Map() }: ResolverParts) {
    this.#sockets = sockets;
    this.conf = conf;
    this.#hosts = hosts;
    this.#options = resolverOptions(conf);
    this.#reopens = this.#options.singleRequestReopen;
    this.#oneByOne = this.#options.singleRequest || this.#reopens;
  }

  /** Resolves `name` to addresses of `families`, both by default; `done` is called once. */
  resolve(
    name: string,
    done: (resolved: Resolved) => void,
    families: readonly IpFamily[] = ['ipv4', 'ipv6'],
  ): void {
    const started = this.#sockets.network.scheduler.now();
    const tried: string[] = [];
    const finish = (addresses: readonly IpAddress[], error: ResolveError | undefined) =>
      done({ addresses, error, tried, after: this.#sockets.network.scheduler.now() - started });
    const literal = tryParseIpAddress(name);
    const listed = literal === undefined ? this.#hosts.get(name.toLowerCase()) : [literal];
    const known = listed?.filter((address) => families.includes(familyOf(address))) ?? [];
    if (literal !== undefined || known.length > 0) {
      finish(known, known.length > 0 ? undefined : 'EAI_NONAME');
      return;
    }
    const names = candidateNames(name, this.conf, this.#options);
    const seen = new Set<Outcome['kind']>();
    let first: Outcome['kind'] | undefined;
    const asIsFirst = names[0] === name && names.length > 1;
    const next = () => {
      const candidate = names.shift();
      if (candidate === undefined) {
        finish([], errorOf(asIsFirst ? new Set(first === undefined ? [] : [first]) : seen));
        return;
      }
      tried.push(candidate);
      this.#ask(candidate, families, (outcome) => {
        if (outcome.kind === 'found') {
          finish(outcome.addresses, undefined);
          return;
        }
        first ??= outcome.kind;
        seen.add(outcome.kind);
        // Without a server there is no point in going on; without an answer, only the name as it is is left.
        if (outcome.kind === 'refused') names.length = 0;
        else if (outcome.kind === 'no-answer')
          names.splice(0, Math.max(names.length - (asIsFirst ? 0 : 1), 0));
        next();
      });
    };
    next();
  }

  /** Asks the servers for one name, as often as the options say. */
  #ask(name: string, families: readonly IpFamily[], done: (outcome: Outcome) => void): void {
    const { random } = this.#sockets.network;
    const queries = families.map((family) => queryFor(name, RECORD_TYPES[family], random.below(0x10000)));
    const servers = this.conf.nameservers;
    const rounds = Array.from({ length: this.#options.attempts }, () =>
      servers.map((server, index) => ({ server, index })),
    );
    const turns = rounds.flat();
    let rejected = false;
    let heard = false;
    const next = () => {
      const turn = turns.shift();
      if (turn === undefined) {
        done({ kind: rejected ? 'server-failure' : heard ? 'no-answer' : 'refused' });
        return;
      }
      this.#askServer(turn.server, queries, {
        timeout: this.#timeoutFor(turn.index),
        done: ({ answers, failure }) => {
          const outcome = outcomeOf(answers);
          if (failure === 'timeout') heard = true;
          if (outcome.kind === 'server-failure') rejected = true;
          if (outcome.kind === 'server-failure' || outcome.kind === 'no-answer') next();
          else done(outcome);
        },
      });
    };
    next();
  }

  /** Later servers in the list have a share of a longer time. */
  #timeoutFor(index: number): number {
    const { timeout } = this.#options;
    if (index === 0) return timeout;
    return Math.max(Math.floor((timeout * 2 ** index) / this.conf.nameservers.length), 1);
  }

  #askServer(
    server: IpAddress,
    queries: readonly DnsMessage[],
    { timeout, done }: { readonly timeout: number; readonly done: (result: ExchangeResult) => void },
  ): void {
    const overTcp = () => askOverTcp(this.#sockets, queries, { options: { server, timeout }, done });
    if (this.#options.useTcp) {
      overTcp();
      return;
    }
    const options = { server, timeout, oneByOne: this.#oneByOne, reopen: this.#reopens };
    const finished = (result: ExchangeResult) => {
      const { answers, failure } = result;
      if (answers.some((answer) => answer?.truncated === true)) {
        overTcp();
        return;
      }
      const half = failure === 'timeout' && answers.some((answer) => answer !== undefined);
      // One answer came and the other did not: perhaps somebody cannot bear two questions at once.
      if (half && !this.#reopens) {
        this.#reopens = this.#oneByOne;
        this.#oneByOne = true;
        this.#askServer(server, queries, { timeout, done });
        return;
      }
      done(result);
    };
    askOverUdp(this.#sockets, queries, { options, done: finished });
  }
}

function errorOf(seen: ReadonlySet<Outcome['kind']>): ResolveError {
  if (seen.has('refused') || seen.has('no-answer')) return 'EAI_AGAIN';
  if (seen.has('no-data')) return 'EAI_NODATA';
  return seen.has('server-failure') ? 'EAI_AGAIN' : 'EAI_NONAME';
}
