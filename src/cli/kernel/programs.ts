/** Runs the machine's own network programs, synchronously: they then run in the thread's namespace. */
import { spawnSync } from 'node:child_process';
import { KernelUnavailable } from './libc.ts';

/** A program said no; `output` is what it printed. */
export class ProgramFailed extends Error {
  override readonly name = 'ProgramFailed';
  readonly program: string;
  readonly output: string;

  constructor(program: string, output: string) {
    const lines = output
      .split('\n')
      .map((line) => line.trim())
      // iptables-nft-restore heads its complaints with its version.
      .filter((line) => line !== '' && !/ v[\d.]+ \(\w+\):$/.test(line) && !line.startsWith('Try `'));
    super(`${program}: ${lines.join('; ') || 'failed without a word'}`);
    this.program = program;
    this.output = output;
  }
}

/** The environment of every program: the host's own iptables lock is none of our business. */
const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
  XTABLES_LOCKFILE: '/dev/null',
};

/** Runs `program`, hands it `input`, returns what it printed. Throws ProgramFailed or KernelUnavailable. */
export function runProgram(program: string, args: readonly string[], input = ''): string {
  const result = spawnSync(program, args, {
    input,
    env: ENVIRONMENT,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    cwd: '/',
  });
  if (result.error !== undefined) {
    throw new KernelUnavailable(`the program ${program} is needed: ${result.error.message}`);
  }
  if (result.status !== 0) throw new ProgramFailed(program, `${result.stderr}${result.stdout}`);
  return result.stdout;
}
