/**
 * The connections that one `-m connlimit` rule has seen of one address (nf_conncount.c): their original
 * tuples, in the order in which they were met. Counting cleans up as it goes, but not always all the way.
 */
import type { ConntrackTable } from '../conntrack/table.ts';
import { sameTuple, type Tuple } from '../tuple.ts';

/** A count forgets at most this many connections at once (CONNCOUNT_GC_MAX_COLLECT). */
const MAX_COLLECT = 64;

export interface Connection {
  readonly tuple: Tuple;
  readonly zone: number;
}

/** What is known of one address: once met, it stays known even when none of its connections is left. */
export interface ConnectionList {
  readonly connections: readonly Connection[];
  /** The tick in which the list was last put in order. */
  readonly orderedIn: object;
}

export interface CountQuestion {
  readonly connection: Connection;
  /** Now, as the kernel counts; only its identity counts. */
  readonly tick: object;
  /** The connection's entry is in conntrack's table. */
  readonly confirmed: boolean;
  /** The connection is ASSURED: it is no candidate any more, and the list is cleaned instead. */
  readonly assured: boolean;
  readonly table: ConntrackTable;
  readonly now: number;
}

type Liveness = 'live' | 'closed' | 'gone';

/** What became of `connection`: gone from conntrack's table, closed (TIME_WAIT, CLOSE), or alive. */
function livenessOf({ tuple, zone }: Connection, table: ConntrackTable, now: number): Liveness {
  const found = table.find(tuple, zone, now);
  if (found === undefined) return 'gone';
  const state = found.entry.tcp?.state;
  return state === 'TIME_WAIT' || state === 'CLOSE' ? 'closed' : 'live';
}

function same(a: Connection, b: Connection): boolean {
  return a.zone === b.zone && sameTuple(a.tuple, b.tuple);
}

/** The list after cleaning, as far as one pass goes. */
function clean(
  list: readonly Connection[],
  { table, now }: Pick<CountQuestion, 'table' | 'now'>,
): readonly Connection[] {
  let collected = 0;
  return list.filter((connection) => {
    if (collected > MAX_COLLECT || livenessOf(connection, table, now) === 'live') return true;
    collected++;
    return false;
  });
}

/**
 * `list` (undefined: the address is new) after the question's connection has been counted in. A connection that is
 * found alive ends the search at once, so what lies behind it stays, stale or not; a new one cleans all and joins at
 * the end. Within one tick of the kernel's clock a list is put in order once only: whoever comes by again, or next,
 * before its connection is confirmed is counted without a look.
 */
export function countConnection(list: ConnectionList | undefined, question: CountQuestion): ConnectionList {
  const { connection, tick, confirmed, assured, table, now } = question;
  if (list === undefined) return { connections: [connection], orderedIn: tick };
  const { connections } = list;
  if (assured) return { connections: clean(connections, question), orderedIn: tick };
  if (!confirmed && list.orderedIn === tick) {
    return { connections: [...connections, connection], orderedIn: tick };
  }
  const kept: Connection[] = [];
  let collected = 0;
  for (const [index, other] of connections.entries()) {
    if (collected > MAX_COLLECT) {
      return { connections: [...kept, ...connections.slice(index), connection], orderedIn: tick };
    }
    const liveness = livenessOf(other, table, now);
    if (liveness !== 'gone' && same(other, connection)) {
      return { ...list, connections: [...kept, ...connections.slice(index)] };
    }
    if (liveness === 'live') kept.push(other);
    else collected++;
  }
  return { connections: [...kept, connection], orderedIn: tick };
}

/**
 * `list` after another address has joined its slot of the hash table: lists on the way to the new one's place are
 * cleaned (insert_tree). Undefined when nothing is left of it.
 */
export function cleanedInPassing(
  list: ConnectionList,
  question: Pick<CountQuestion, 'table' | 'now' | 'tick'>,
): ConnectionList | undefined {
  const connections = clean(list.connections, question);
  return connections.length === 0 ? undefined : { connections, orderedIn: question.tick };
}
