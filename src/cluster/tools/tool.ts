/** What a tool that runs inside the emulated cluster is given, and what it leaves behind. */
import type { Namespace } from '../../netstack/namespace.ts';
import type { Scheduler } from '../../sim/scheduler.ts';
import type { IpAddress, IpFamily } from '../../wire/ip-address.ts';
import type { Resolved, ResolveError, Resolver } from '../apps/dns/resolver.ts';

/** What looking up a name came to (getaddrinfo). */
export type Resolution =
  | { readonly kind: 'found'; readonly addresses: readonly IpAddress[] }
  | { readonly kind: 'failed'; readonly error: ResolveError };

export interface ToolContext {
  /** The network namespace it runs in. */
  readonly namespace: Namespace;
  readonly scheduler: Scheduler;
  /** The resolver of the place, with its resolv.conf. */
  readonly resolver: Resolver;
  /** Its standard output, in pieces as they are; lines bring their own newline. */
  readonly print: (text: string) => void;
  /** Its standard error. */
  readonly complain: (text: string) => void;
  /** Calls `action` when everything that was to be run has been run: for tools that watch the others. */
  readonly atEnd: (action: () => void) => void;
}

/** Runs with the arguments behind its name, on the virtual clock; returns its exit code. */
export type Tool = (args: readonly string[], context: ToolContext) => number;

/** Ends a tool from anywhere inside it, as exit(3) does. */
export class ToolExit extends Error {
  override readonly name = 'ToolExit';
  readonly code: number;

  /** `message` goes to standard error, a line of its own. */
  constructor(code: number, message = '') {
    super(message);
    this.code = code;
  }
}

/**
 * Lets virtual time pass while `busy` says so, until `deadline` (virtual seconds) at the latest; without one,
 * as long as anything but housekeeping is going on.
 */
export function passTime(scheduler: Scheduler, busy: () => boolean, deadline?: number): void {
  while (busy()) {
    const next = scheduler.nextDue();
    if (deadline !== undefined && (next === undefined || next > deadline)) {
      scheduler.runUntil(deadline);
      return;
    }
    if (next === undefined || (deadline === undefined && scheduler.idle)) return;
    scheduler.step();
  }
}

/** Whatever `host` means: an address as it is, a name as the resolver finds it while virtual time passes. */
export function resolveHost(
  { resolver, scheduler, namespace }: ToolContext,
  host: string,
  family?: IpFamily,
): Resolution {
  let resolved: Resolved | undefined;
  const done = (result: Resolved) => {
    resolved = result;
  };
  resolver.resolve(host, done, family === undefined ? undefined : [family]);
  passTime(scheduler, () => resolved === undefined);
  const { addresses = [], error = 'EAI_AGAIN' } = resolved ?? {};
  if (addresses.length === 0) return { kind: 'failed', error };
  return { kind: 'found', addresses: [...addresses].sort((a, b) => rank(a, namespace) - rank(b, namespace)) };
}

/** What getaddrinfo puts first (RFC 6724 §6, rules 1 and 6): what can be reached, and of that IPv6. */
function rank(address: IpAddress, namespace: Namespace): number {
  const reachable = typeof namespace.sockets.network.path(address) !== 'string';
  return (reachable ? 0 : 2) + (typeof address === 'number' ? 1 : 0);
}
