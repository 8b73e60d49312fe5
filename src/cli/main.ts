#!/usr/bin/env node
/**
 * The command line. Each command is a file of its own that registers its flags here and loads what it needs
 * only when it runs, so that `--help` and small jobs feel instant. Exit codes: 0 done, 1 the answer is no,
 * 2 usage or input error.
 */
import { Command, CommanderError } from 'commander';
import { InputError } from '../sim/input-error.ts';
import { registerBench } from './bench.ts';
import { registerCheck } from './check.ts';
import { registerEval } from './eval.ts';
import { registerExec } from './exec.ts';
import { registerReplay } from './replay.ts';
import { registerRules } from './rules.ts';
import { registerTrace } from './trace.ts';
import { registerVerify } from './verify.ts';
import { VERSION } from './version.ts';

const USAGE_ERROR = 2;

const INTRODUCTION = `
kubewire emulates the network of a Kubernetes cluster, packet by packet, in one process.

Examples:
  kubewire trace -f topologies/three-nodes.yaml --from pod/default/client --to svc/default/web --reply
  kubewire rules -f topologies/three-nodes.yaml --node worker-1
  kubewire eval --rules node.save --host host.yaml --packets packets.jsonl --explore
`;

function buildProgram(): Command {
  const program = new Command('kubewire');
  program
    .description('A Kubernetes network data-plane emulator')
    .version(VERSION)
    .addHelpText('after', INTRODUCTION)
    .exitOverride()
    .configureHelp({ showGlobalOptions: false });
  for (const register of [
    registerRules,
    registerEval,
    registerCheck,
    registerTrace,
    registerExec,
    registerReplay,
    registerVerify,
    registerBench,
  ]) {
    register(program);
  }
  for (const command of [program, ...program.commands]) {
    const name = command === program ? 'kubewire COMMAND' : `kubewire ${command.name()}`;
    command.exitOverride().configureOutput({
      // One line, in the form of every other error.
      outputError: (text, write) => {
        const message = text
          .replace(/^error: /, '')
          .trim()
          .replaceAll('\n', ' ');
        write(`kubewire: ${message} (${name} --help explains the flags)\n`);
      },
    });
  }
  return program;
}

/** The exit code for what a command threw; prints its one line. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_ERROR;
  if (error instanceof InputError) {
    process.stderr.write(`kubewire: ${error.describe()}\n`);
    return USAGE_ERROR;
  }
  throw error;
}

// A reader that has seen enough (`| head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  await buildProgram().parseAsync();
} catch (error) {
  process.exitCode = report(error);
}
