/** Capture files as bytes: read whole, refused with the place where they are wrong, written whole or not at all. */
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { isReplayable } from '../../cluster/replay/replay-packets.ts';
import { InputError } from '../../sim/input-error.ts';
import { type CapturedPacket, readCaptureFile } from '../../wire/capture-file.ts';
import { WireError } from '../../wire/wire-error.ts';
import { fileError } from '../system-error.ts';
import { writeFiles } from '../write-files.ts';

/** Reads the pcap or pcapng file `path`. Throws InputError, with the offset, for what is neither or damaged. */
export function readCapture(path: string): readonly CapturedPacket[] {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw fileError(path, 'read', error);
  }
  let packets: readonly CapturedPacket[];
  try {
    packets = readCaptureFile(bytes);
  } catch (error) {
    if (error instanceof WireError) throw new InputError(error.message, { file: path });
    throw error;
  }
  const strange = packets.find(({ linkType }) => !isReplayable(linkType));
  if (strange !== undefined) {
    const expected = 'expected Ethernet (1), raw IP (101), Linux cooked (113, 276) or BSD loopback (0)';
    throw new InputError(`frame ${strange.number} has link type ${strange.linkType}, ${expected}`, {
      file: path,
    });
  }
  return packets;
}

export type CaptureFormat = 'pcap' | 'pcapng';

/** The format that the name of `path` asks for. Throws InputError for other endings. */
export function captureFormat(path: string): CaptureFormat {
  if (path.endsWith('.pcapng')) return 'pcapng';
  if (path.endsWith('.pcap')) return 'pcap';
  throw new InputError('expected a name that ends in .pcapng or .pcap', { file: path });
}

/** Writes a capture file, whole or not at all. Throws InputError. */
export function writeCapture(path: string, bytes: Uint8Array): void {
  writeFiles(dirname(path), [{ name: basename(path), text: bytes }]);
}
