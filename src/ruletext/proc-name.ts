/** Names of the tables that recent and hashlimit show under /proc/net. */
import type { OptionUse } from './match-module.ts';
import { cutToBytes } from './quoting.ts';

/** The option's value, cut to `bytes`; complains about what cannot name a file (x_tables.c, xt_check_proc_name). */
export function readProcName(use: OptionUse, bytes: number): string {
  const name = cutToBytes(use.text, bytes);
  if (name === '' || name === '.' || name === '..' || name.includes('/')) {
    throw use.context.error(`bad name '${name}' for --${use.option}; expected a name without '/'`);
  }
  return name;
}
