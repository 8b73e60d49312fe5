/** `tcpdump`: what passes a device, line by line, while the tools that are run after it do their work. */
import type { Interface, Tapped } from '../../../netstack/link/interface.ts';
import { readOptions } from '../options.ts';
import { type Tool, type ToolContext, ToolExit } from '../tool.ts';
import { parseFilter } from './filter.ts';
import { type Captured, PacketPrinter } from './packet-text.ts';

/** `HH:MM:SS.ffffff` of virtual time, which begins at midnight. */
function clockText(seconds: number): string {
  const micro = Math.round(seconds * 1e6);
  const whole = Math.floor(micro / 1e6);
  const two = (value: number) => String(value).padStart(2, '0');
  const time = [Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60].map(two).join(':');
  return `${time}.${String(micro % 1e6).padStart(6, '0')}`;
}

function capturedOf({ frame, packet }: Tapped): Captured | undefined {
  if (frame !== undefined) return { kind: 'frame', frame };
  return packet === undefined ? undefined : { kind: 'packet', packet };
}

function devicesOf({ namespace }: ToolContext, name: string): readonly Interface[] {
  if (name === 'any') return namespace.interfaces();
  const device = namespace.interface(name);
  if (device !== undefined) return [device];
  throw new ToolExit(1, `tcpdump: ${name}: No such device exists\n(No such device exists)`);
}

function linkTypeText(name: string, devices: readonly Interface[]): string {
  if (name === 'any') return 'LINUX_SLL2 (Linux cooked v2)';
  return devices[0]?.kind === 'ipip' ? 'RAW (Raw IP)' : 'EN10MB (Ethernet)';
}

/** The first device that is up and not lo: what tcpdump takes without -i. */
function usualDevice({ namespace }: ToolContext): string {
  return namespace.interfaces().find(({ up, kind }) => up && kind !== 'loopback')?.name ?? 'lo';
}

/** `tcpdump` with `args`. It returns at once and goes on watching until everything else is done. */
export const tcpdump: Tool = (args, context) => {
  const { has, value, words } = readOptions(args, {
    flags: 'nevlUptqKSN',
    values: 'icsBQ',
    unknown: (option) =>
      new ToolExit(
        1,
        `tcpdump: invalid option -- '${option}' (not supported here; captures: kubewire replay --out)`,
      ),
    missing: (option) => new ToolExit(1, `tcpdump: option requires an argument -- '${option}'`),
  });
  const filter = parseFilter(words.join(' '));
  const name = value('i') ?? usualDevice(context);
  const devices = devicesOf(context, name);
  const limit = value('c') === undefined ? Number.POSITIVE_INFINITY : Number(value('c'));
  if (!(limit >= 1)) throw new ToolExit(1, `tcpdump: invalid packet count ${value('c')}`);
  const way = value('Q');
  const printer = new PacketPrinter();
  let count = 0;
  let stopped = false;
  const tap = (tapped: Tapped) => {
    const captured = capturedOf(tapped);
    if (stopped || captured === undefined || !filter(captured)) return;
    if (way !== undefined && way !== 'inout' && way !== tapped.direction) return;
    count++;
    const stamp = has('t') ? '' : `${clockText(tapped.time)} `;
    const where =
      name === 'any' ? `${tapped.device.name.padEnd(5)} ${tapped.direction === 'in' ? 'In ' : 'Out'} ` : '';
    context.print(`${stamp}${where}${printer.line(captured, { link: has('e') && name !== 'any' })}\n`);
    if (count >= limit) stop();
  };
  const removers = devices.map((device) => device.addTap(tap));
  const stop = () => {
    if (stopped) return;
    stopped = true;
    for (const remove of removers) remove();
    const packets = `${count} packet${count === 1 ? '' : 's'}`;
    context.complain(`${packets} captured\n${packets} received by filter\n0 packets dropped by kernel\n`);
  };
  if (!has('v'))
    context.complain('tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\n');
  const type = linkTypeText(name, devices);
  context.complain(`listening on ${name}, link-type ${type}, snapshot length 262144 bytes\n`);
  context.atEnd(stop);
  return 0;
};
