/** ping's last lines: how many came back, and how long they took (iputils' finish). */

export interface PingStatistics {
  readonly transmitted: number;
  readonly received: number;
  readonly duplicates: number;
  readonly errors: number;
  /** Between the first and the last request, seconds. */
  readonly duration: number;
  /** Round trips in microseconds, in order; of replies that were long enough to tell. */
  readonly roundTrips: readonly number[];
  /** How many requests were on their way at most when one of them was answered. */
  readonly pipe: number;
}

/** Microseconds as milliseconds with three decimals. */
function milliseconds(us: number): string {
  return (us / 1000).toFixed(3);
}

/** A round trip as in `time=`: three significant decimals, fewer from a millisecond on. */
export function roundTripText(us: number): string {
  if (us >= 99_950) return String(Math.floor((us + 500) / 1000));
  if (us >= 9_995) return (Math.floor((us + 50) / 100) / 10).toFixed(1);
  if (us >= 1_000) return (Math.floor((us + 5) / 10) / 100).toFixed(2);
  return milliseconds(us);
}

function significant(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function roundTripLine(list: readonly number[]): string {
  const sum = list.reduce((total, each) => total + each, 0);
  const average = Math.floor(sum / list.length);
  const squares = list.reduce((total, each) => total + each * each, 0);
  const deviation = Math.floor(Math.sqrt(Math.max(0, squares / list.length - (sum / list.length) ** 2)));
  const values = [Math.min(...list), average, Math.max(...list), deviation].map(milliseconds);
  return `rtt min/avg/max/mdev = ${values.join('/')} ms`;
}

/** Everything behind the last reply; `target` as the user wrote it. */
export function statisticsText(target: string, statistics: PingStatistics): string {
  const { transmitted, received, duplicates, errors, duration, roundTrips, pipe } = statistics;
  const loss = transmitted === 0 ? 0 : ((transmitted - received) * 100) / transmitted;
  const counts = [
    `${transmitted} packets transmitted, ${received} received`,
    ...(duplicates === 0 ? [] : [`+${duplicates} duplicates`]),
    ...(errors === 0 ? [] : [`+${errors} errors`]),
    ...(transmitted === 0
      ? []
      : [`${significant(loss)}% packet loss`, `time ${Math.floor(duration * 1000 + 1e-6)}ms`]),
  ];
  const last = [
    ...(roundTrips.length === 0 ? [] : [roundTripLine(roundTrips)]),
    ...(pipe > 1 ? [`pipe ${pipe}`] : []),
  ];
  return `\n--- ${target} ping statistics ---\n${counts.join(', ')}\n${last.join(', ')}\n`;
}
