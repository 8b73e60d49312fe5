/**
 * Netfilter of one network namespace: the rules that are loaded, the connections that are tracked, and what
 * happens to a packet at each hook. The caller (netstack) routes between hooks and acts on the verdicts.
 *
 *   skb ──run(hook)──▶ raw · conntrack · mangle · nat · filter · security · confirm ──▶ HookVerdict
 */
import type { Clock } from '../sim/clock.ts';
import { familyOf, type IpFamily, sameAddress } from '../wire/ip-address.ts';
import type { Choices } from './choices.ts';
import type { ConntrackEntry } from './conntrack/entry.ts';
import { ConntrackTable } from './conntrack/table.ts';
import { type ConntrackSysctls, DEFAULT_CONNTRACK } from './conntrack/timeouts.ts';
import { confirm, type TrackEnvironment, track } from './conntrack/track.ts';
import { RuleCounters } from './counters.ts';
import type { ConntrackSnapshot, TraceSink } from './events.ts';
import { type Backend, BUILTIN_CHAIN, HOOK_STEPS, type Hook, type HookStep, type Manip } from './hooks.ts';
import type { HostView } from './host-view.ts';
import type { IpSet } from './ip-set.ts';
import { type Traversal, traverse } from './linear.ts';
import { type LoadedRules, loadRules, noRules } from './loaded-rules.ts';
import { MatchMemory } from './matching/memory.ts';
import { applyNat, bindNull, isBound, leavesByOtherDevice } from './nat/translate.ts';
import { LINEAR, type RuleFinder } from './rule-finder.ts';
import type { RuleSet, TableName } from './rule-set.ts';
import type { CtAttachment, Skb } from './skb.ts';
import { ACCEPT, type HookVerdict } from './verdict.ts';

export interface NetfilterOptions {
  readonly clock: Clock;
  readonly choices: Choices;
  readonly host: HostView;
  readonly sysctls?: ConntrackSysctls;
  readonly backend?: Backend;
  /** How the next rule that can match is found; by default one after the other. */
  readonly finder?: RuleFinder;
}

/** A copy of what there is to tell about `entry` now. */
export function snapshotEntry(entry: ConntrackEntry): ConntrackSnapshot {
  const { original, reply, confirmed, assured, tcp } = entry;
  return { original, reply, confirmed, assured, ...(tcp === undefined ? {} : { tcpState: tcp.state }) };
}

/** Whether the port that a `manip` hook writes into packets of this direction was drawn at random. */
function isRandom({ entry, direction }: CtAttachment, manip: Manip): boolean {
  // A reply gets back the port that the flow began with.
  if (direction === 'reply') return false;
  return manip === 'source' ? entry.randomSourcePort : entry.randomDestinationPort;
}

export class Netfilter {
  readonly clock: Clock;
  readonly choices: Choices;
  /** May be replaced: entries take a new timeout with their next packet. */
  sysctls: ConntrackSysctls;
  readonly backend: Backend;
  readonly finder: RuleFinder;
  conntrack = new ConntrackTable();
  memory = new MatchMemory();
  counters = new RuleCounters();
  /** Where events go; undefined: nobody listens. */
  trace: TraceSink | undefined;
  readonly #host: HostView;
  readonly #rules: Record<IpFamily, LoadedRules> = { ipv4: noRules('ipv4'), ipv6: noRules('ipv6') };
  /** What the other iptables (legacy beside nft) holds: both are asked, one after the other. */
  readonly #beside: Partial<Record<IpFamily, LoadedRules>> = {};
  #sets: ReadonlyMap<string, IpSet> = new Map();
  #setsLoadedAt = 0;

  constructor({ clock, choices, host, sysctls, backend, finder }: NetfilterOptions) {
    this.clock = clock;
    this.choices = choices;
    this.#host = host;
    this.sysctls = sysctls ?? DEFAULT_CONNTRACK;
    this.backend = backend ?? 'nft';
    this.finder = finder ?? LINEAR;
  }

  /** Replaces the rules of `ruleSet.family`, whole. Conntrack entries stay, as they do in the kernel. */
  load(ruleSet: RuleSet): void {
    const loaded = loadRules(ruleSet);
    this.memory.prepare(loaded, this.clock.now());
    this.#rules[ruleSet.family] = loaded;
    this.memory.prune(this.#inForce());
  }

  /**
   * Puts a second rule set beside the first, as when `iptables-legacy` and `iptables-nft` are both in use: in
   * each table the packet walks the first and, when that accepts it, the second, as if the second had been
   * there before (nf_hook_entries_grow puts newcomers first). Replaces an earlier one.
   */
  loadBeside(ruleSet: RuleSet): void {
    const loaded = loadRules(ruleSet);
    this.memory.prepare(loaded, this.clock.now());
    this.#beside[ruleSet.family] = loaded;
    this.memory.prune(this.#inForce());
  }

  #inForce(): LoadedRules[] {
    return [this.#rules.ipv4, this.#rules.ipv6, ...Object.values(this.#beside)];
  }

  /** The rules in force for `family`. */
  rules(family: IpFamily): LoadedRules {
    return this.#rules[family];
  }

  /** Replaces the sets that `-m set` looks into. */
  loadSets(sets: ReadonlyMap<string, IpSet>): void {
    this.#sets = sets;
    this.#setsLoadedAt = this.clock.now();
  }

  /**
   * An independent copy with the same rules, entries and memory, whose random choices come from `choices`
   * and whose questions go to `host`. What happens in the copy never shows here.
   */
  fork({ clock, choices, host }: Pick<NetfilterOptions, 'clock' | 'choices' | 'host'>): Netfilter {
    const copy = new Netfilter({
      clock,
      choices,
      host,
      sysctls: this.sysctls,
      backend: this.backend,
      finder: this.finder,
    });
    copy.#rules.ipv4 = this.#rules.ipv4;
    copy.#rules.ipv6 = this.#rules.ipv6;
    Object.assign(copy.#beside, this.#beside);
    copy.#sets = this.#sets;
    copy.#setsLoadedAt = this.#setsLoadedAt;
    copy.conntrack = this.conntrack.clone();
    copy.memory = this.memory.clone();
    copy.counters = this.counters.clone();
    return copy;
  }

  /**
   * Everything that happens to `skb` at `hook`, from step number `from` of HOOK_STEPS on. Changes the skb; never
   * throws for a packet's sake.
   */
  run(hook: Hook, skb: Skb, from = 0): HookVerdict {
    this.trace?.({
      kind: 'hook',
      hook,
      packet: skb.packet,
      ...(skb.inDevice === undefined ? {} : { inDevice: skb.inDevice }),
      ...(skb.outDevice === undefined ? {} : { outDevice: skb.outDevice }),
    });
    const traversal: Traversal = {
      hook,
      host: this.#host,
      memory: this.memory,
      conntrack: this.conntrack,
      sets: this.#sets,
      setsLoadedAt: this.#setsLoadedAt,
      backend: this.backend,
      choices: this.choices,
      now: this.clock.now(),
      counters: this.counters,
      finder: this.finder,
      trace: this.trace,
      nat: {
        table: this.conntrack,
        now: this.clock.now(),
        random16: () => this.choices.random16(),
      },
    };
    for (const [index, step] of HOOK_STEPS[this.backend][hook].entries()) {
      if (index < from) continue;
      const verdict = this.#step(step, skb, traversal);
      if (verdict.kind !== 'accept') return verdict;
    }
    return ACCEPT;
  }

  #step(step: HookStep, skb: Skb, run: Traversal): HookVerdict {
    const family = familyOf(skb.packet.src);
    const rules = this.#rules[family];
    const beside = this.#beside[family];
    switch (step.kind) {
      case 'table':
        return this.#table(step.table, skb, run);
      case 'conntrack':
        return rules.tracksConnections || beside?.tracksConnections ? this.#track(skb, run) : ACCEPT;
      case 'nat':
        // Translation is on as soon as the family has a nat table, even an empty one.
        return rules.tables.has('nat') || beside?.tables.has('nat')
          ? this.#nat(step.manip, skb, run)
          : ACCEPT;
      case 'confirm': {
        const wasConfirmed = skb.ct?.entry.confirmed;
        const reason = confirm(skb, this.#trackEnvironment(run));
        if (reason !== undefined) return { kind: 'drop', reason };
        if (wasConfirmed === false && skb.ct?.entry.confirmed) {
          this.trace?.({ kind: 'confirm', hook: run.hook, entry: snapshotEntry(skb.ct.entry) });
        }
        return ACCEPT;
      }
    }
  }

  #trackEnvironment({ now, hook }: Traversal): TrackEnvironment {
    return { table: this.conntrack, sysctls: this.sysctls, now, judgesChecksums: hook === 'prerouting' };
  }

  #table(table: TableName, skb: Skb, run: Traversal): HookVerdict {
    const family = familyOf(skb.packet.src);
    const verdict = this.#walk(this.#rules[family], table, { skb, run });
    const beside = this.#beside[family];
    if (beside === undefined || verdict.kind !== 'accept') return verdict;
    // The first rule that binds a flow has bound it.
    const manip = run.hook === 'prerouting' || run.hook === 'output' ? 'destination' : 'source';
    if (table === 'nat' && skb.ct !== undefined && isBound(skb.ct.entry, manip)) return verdict;
    return this.#walk(beside, table, { skb, run });
  }

  #walk(rules: LoadedRules, table: TableName, { skb, run }: { readonly skb: Skb; readonly run: Traversal }) {
    const chain = rules.tables.get(table)?.get(BUILTIN_CHAIN[run.hook]);
    if (chain === undefined) return ACCEPT;
    if (table !== 'mangle' || run.hook !== 'output') return traverse(chain, skb, run);
    // What routing looked at may have changed: then it is asked again (ipt_mangle_out).
    const { mark, packet } = skb;
    const verdict = traverse(chain, skb, run);
    if (skb.mark !== mark || skb.packet.tos !== packet.tos) skb.reroute = true;
    return verdict;
  }

  #track(skb: Skb, run: Traversal): HookVerdict {
    if (skb.ct !== undefined) return ACCEPT;
    const reason = track(skb, this.#trackEnvironment(run));
    if (reason !== undefined) return { kind: 'drop', reason };
    // A segment that makes no flow is left bare, an ICMP error is left as it was (nf_conntrack_in).
    if (skb.packet.transport.kind !== 'icmp') skb.beyondCt = false;
    const ct = skb.ct as Skb['ct'];
    this.trace?.({
      kind: 'conntrack',
      hook: run.hook,
      state: skb.ctState(),
      ...(ct === undefined ? {} : { direction: ct.direction, entry: snapshotEntry(ct.entry) }),
    });
    return ACCEPT;
  }

  /** The nat hook: the flow's first packet walks the nat chain, every packet is rewritten by its entry. */
  #nat(manip: Manip, skb: Skb, run: Traversal): HookVerdict {
    const { ct } = skb;
    if (ct === undefined) return ACCEPT;
    const { entry, state } = ct;
    let cause: 'rule' | 'null-binding' | 'flow' | 'un-nat' = ct.direction === 'reply' ? 'un-nat' : 'flow';
    const isError = state === 'RELATED' && skb.packet.transport.kind === 'icmp';
    // Errors are translated as their flow is, and asked nothing else.
    if (!isError && (state === 'ESTABLISHED' || isBound(entry, manip))) {
      if (run.hook === 'postrouting' && leavesByOtherDevice(skb, entry)) {
        this.conntrack.delete(entry);
        return { kind: 'drop', reason: 'nat-device-changed' };
      }
    } else if (!isError) {
      const verdict = this.#table('nat', skb, run);
      if (verdict.kind !== 'accept') return verdict;
      cause = 'rule';
      if (!isBound(entry, manip)) {
        bindNull(entry, manip, run.nat);
        cause = 'null-binding';
      }
    }
    const before = skb.packet;
    const reason = applyNat(skb, manip);
    if (reason !== undefined) return { kind: 'drop', reason };
    if (skb.packet !== before) {
      const random = isRandom(ct, manip);
      this.trace?.({ kind: 'translate', hook: run.hook, manip, cause, random, before, after: skb.packet });
      const isSentElsewhere = run.hook === 'output' && !sameAddress(before.dst, skb.packet.dst);
      const fault = isSentElsewhere ? this.#host.wayFault?.(skb) : undefined;
      if (fault !== undefined) return { kind: 'drop', reason: fault };
    }
    return ACCEPT;
  }
}
