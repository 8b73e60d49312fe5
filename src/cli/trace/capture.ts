/**
 * `--pcap`: the trace as a capture file. FILE.pcapng: every frame at every device, with comments; any other
 * name: a classic pcap file of the packets that left a device on the way.
 */
import { writeFileSync } from 'node:fs';
import type { TraceReport } from '../../cluster/trace/trace.ts';
import { InputError } from '../../sim/input-error.ts';
import { emitPacket } from '../../wire/headers.ts';
import { LINKTYPE, writePcap } from '../../wire/pcap.ts';

/** Virtual time between two transmissions, so that readers show them in order. */
const STEP_NANOSECONDS = 1_000;

/** True when `file` is to be a pcapng file, for which the trace must keep frames. */
export function isPcapng(file: string): boolean {
  return file.endsWith('.pcapng');
}

/** The packets that left a device, one record a transmission. */
function pcapOf({ hops }: TraceReport): Uint8Array {
  const packets = hops.flatMap(({ events }) =>
    events.flatMap((event) => (event.kind === 'transmit' ? [emitPacket(event.packet)] : [])),
  );
  const records = packets.map((data, index) => ({ seconds: 0, nanoseconds: index * STEP_NANOSECONDS, data }));
  return writePcap({ linkType: LINKTYPE.raw, resolution: 'micro', records });
}

/** Writes `report` to `file`. Throws InputError. */
export function writeCapture(file: string, report: TraceReport): void {
  const bytes = report.capture?.toPcapng() ?? pcapOf(report);
  try {
    writeFileSync(file, bytes);
  } catch (error) {
    throw new InputError(`cannot write: ${error instanceof Error ? error.message : error}`, { file });
  }
}
