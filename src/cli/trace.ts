/** `kubewire trace`: one connection attempt through the whole emulated cluster. */
import type { Command } from 'commander';

/** Adds the command to `program`. */
export function registerTrace(program: Command): void {
  program.command('trace');
}
