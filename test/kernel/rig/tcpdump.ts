/** tcpdump as a witness of its own, its captures read by pcap-parser: neither is ours. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pcapParser from 'pcap-parser';
import type { KernelHost } from '../../../src/cli/kernel/kernel-host.ts';

export interface Capture {
  /** Ends the capture; the frames in the order in which they passed. */
  stop(): Promise<Uint8Array[]>;
}

async function readCapture(file: string): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  const parser = pcapParser.parse(file);
  parser.on('packet', ({ data }) => frames.push(new Uint8Array(data)));
  await once(parser, 'end');
  return frames;
}

/** Captures what `host` sends (`out`) or receives (`in`) through one of its devices. */
export async function capture(host: KernelHost, ifname: string, way: 'in' | 'out'): Promise<Capture> {
  const directory = mkdtempSync(join(tmpdir(), 'kubewire-capture-'));
  const file = join(directory, `${ifname}.pcap`);
  // The ring has a slot of the snap length for every frame: a short one holds thousands.
  const args = [
    '-i',
    ifname,
    '-Q',
    way,
    '--immediate-mode',
    '-U',
    '-n',
    '-s',
    '2048',
    '-B',
    '16384',
    '-w',
    file,
  ];
  const program = host.inside(() =>
    spawn('tcpdump', [...args, '-Z', 'root'], { stdio: ['ignore', 'ignore', 'pipe'] }),
  );
  // It says "listening on …" once it is.
  await once(program.stderr, 'data');
  return {
    async stop() {
      program.kill('SIGINT');
      await once(program, 'exit');
      const frames = await readCapture(file);
      rmSync(directory, { recursive: true });
      return frames;
    },
  };
}
