/** `--pcap`: every packet that left a device on the trace's way, as a capture file. */
import { writeFileSync } from 'node:fs';
import type { TraceReport } from '../../cluster/trace/trace.ts';
import { InputError } from '../../sim/input-error.ts';
import { emitPacket } from '../../wire/headers.ts';
import { LINKTYPE, writePcap } from '../../wire/pcap.ts';

/** Virtual time between two transmissions, so that readers show them in order. */
const STEP_NANOSECONDS = 1_000;

/** Writes the packets of `report` to `file`, one record a transmission. Throws InputError. */
export function writeCapture(file: string, { hops }: TraceReport): void {
  const packets = hops.flatMap(({ events }) =>
    events.flatMap((event) => (event.kind === 'transmit' ? [emitPacket(event.packet)] : [])),
  );
  const records = packets.map((data, index) => ({ seconds: 0, nanoseconds: index * STEP_NANOSECONDS, data }));
  const bytes = writePcap({ linkType: LINKTYPE.raw, resolution: 'micro', records });
  try {
    writeFileSync(file, bytes);
  } catch (error) {
    throw new InputError(`cannot write: ${error instanceof Error ? error.message : error}`, { file });
  }
}
