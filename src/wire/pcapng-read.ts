/**
 * pcapng bytes to values: both byte orders, several sections, enhanced, simple and obsolete packet blocks,
 * every timestamp resolution. Blocks and options of other kinds are skipped.
 *
 * A file that ends inside a block is refused. One that ends between two blocks is a whole file by the format,
 * unless its last section states a length (most writers, live captures above all, do not) that is not there.
 */
import { plainBytes, read32 } from './byte-order.ts';
import { ipv6 } from './ip-address.ts';
import {
  type AddressName,
  type CaptureDirection,
  PCAPNG_BLOCK,
  PCAPNG_OPTION,
  PCAPNG_VERSION,
  type PcapngFile,
  type PcapngInterface,
  type PcapngPacket,
  type PcapngSection,
} from './pcapng.ts';
import { blockAt, expectBody, type PcapngBlock, type PcapngOption, taggedValues } from './pcapng-block.ts';
import { MICROSECONDS, type TimestampUnit, timeOf, unitsPerSecond } from './pcapng-time.ts';
import { WireError } from './wire-error.ts';

/** A section while its blocks come in. */
interface OpenSection {
  readonly header: Pick<PcapngSection, 'hardware' | 'os' | 'application' | 'comments'>;
  readonly littleEndian: boolean;
  /** Where it must end; undefined when it does not say. */
  readonly end: number | undefined;
  readonly interfaces: PcapngInterface[];
  readonly units: TimestampUnit[];
  readonly names: AddressName[];
  readonly packets: PcapngPacket[];
}

interface Source {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

const TEXT = new TextDecoder('utf-8', { ignoreBOM: true });

/** Some writers count a final NUL in. */
function textOf(value: Uint8Array): string {
  const end = value.indexOf(0);
  return TEXT.decode(end < 0 ? value : value.subarray(0, end));
}

function textOption(list: readonly PcapngOption[], code: number): string | undefined {
  const option = list.find((each) => each.code === code);
  return option && textOf(option.value);
}

function commentsOf(list: readonly PcapngOption[]): string[] {
  return list.filter(({ code }) => code === PCAPNG_OPTION.comment).map(({ value }) => textOf(value));
}

/** The option's value when it has `length` bytes. */
function fixedOption(list: readonly PcapngOption[], code: number, length: number): DataView | undefined {
  const option = list.find((each) => each.code === code);
  if (option === undefined) return undefined;
  const { value, offset } = option;
  if (value.length !== length) {
    throw new WireError(`pcapng option ${code} of ${value.length} bytes, expected ${length}`, offset - 2);
  }
  return new DataView(value.buffer, value.byteOffset, value.byteLength);
}

function present<K extends string, V>(key: K, value: V | undefined): { readonly [key in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [key in K]?: V };
}

function openSection({ bytes, view }: Source, block: PcapngBlock): OpenSection {
  expectBody(block, 'section header', 16);
  const { start, littleEndian } = block;
  const major = view.getUint16(start + 4, littleEndian);
  if (major !== PCAPNG_VERSION.major) {
    throw new WireError(`pcapng version ${major}, expected ${PCAPNG_VERSION.major}`, start + 4);
  }
  const length = view.getBigInt64(start + 8, littleEndian);
  const bodyStart = block.offset + block.length;
  const left = view.byteLength - bodyStart;
  if (length < -1n || length % 4n > 0n) {
    throw new WireError(`pcapng section length ${length}, expected -1 or a multiple of 4`, start + 8);
  }
  if (length > BigInt(left)) {
    throw new WireError(`pcapng section cut off: ${left} bytes, expected ${length}`, view.byteLength);
  }
  const list = taggedValues(bytes, block, start + 16);
  return {
    header: {
      comments: commentsOf(list),
      ...present('hardware', textOption(list, PCAPNG_OPTION.sectionHardware)),
      ...present('os', textOption(list, PCAPNG_OPTION.sectionOs)),
      ...present('application', textOption(list, PCAPNG_OPTION.sectionApplication)),
    },
    littleEndian,
    end: length < 0n ? undefined : bodyStart + Number(length),
    interfaces: [],
    units: [],
    names: [],
    packets: [],
  };
}

function addInterface({ bytes, view }: Source, section: OpenSection, block: PcapngBlock): void {
  expectBody(block, 'interface description', 8);
  const { start, littleEndian } = block;
  const list = taggedValues(bytes, block, start + 8);
  section.interfaces.push({
    linkType: view.getUint16(start, littleEndian),
    snapLength: view.getUint32(start + 4, littleEndian),
    ...present('name', textOption(list, PCAPNG_OPTION.interfaceName)),
    ...present('description', textOption(list, PCAPNG_OPTION.interfaceDescription)),
  });
  const resolution = fixedOption(list, PCAPNG_OPTION.interfaceTsresol, 1);
  const offset = fixedOption(list, PCAPNG_OPTION.interfaceTsoffset, 8);
  section.units.push({
    perSecond: resolution === undefined ? MICROSECONDS.perSecond : unitsPerSecond(resolution.getUint8(0)),
    offset: offset === undefined ? 0 : Number(offset.getBigInt64(0, littleEndian)),
  });
}

function directionOf(flags: number): CaptureDirection | undefined {
  return flags % 4 === 1 ? 'inbound' : flags % 4 === 2 ? 'outbound' : undefined;
}

/** Enhanced and obsolete packet blocks differ in the first word only. */
function addPacket({ bytes, view }: Source, section: OpenSection, block: PcapngBlock): void {
  expectBody(block, 'packet block', 20);
  const { start, end, littleEndian } = block;
  const word = (index: number) => view.getUint32(start + index * 4, littleEndian);
  const index = block.type === PCAPNG_BLOCK.packet ? view.getUint16(start, littleEndian) : word(0);
  const unit = section.units[index];
  if (unit === undefined) {
    throw new WireError(
      `pcapng packet of interface ${index}, expected one of the ${section.units.length} described before it`,
      start,
    );
  }
  const captured = word(3);
  const dataStart = start + 20;
  if (captured > end - dataStart) {
    throw new WireError(
      `pcapng packet of ${captured} bytes, expected at most ${end - dataStart} (the rest of its block)`,
      start + 12,
    );
  }
  const list = taggedValues(bytes, block, dataStart + ((captured + 3) & ~3));
  const flags = fixedOption(list, PCAPNG_OPTION.packetFlags, 4)?.getUint32(0, littleEndian) ?? 0;
  section.packets.push({
    interface: index,
    time: timeOf((BigInt(word(1)) << 32n) | BigInt(word(2)), unit),
    data: bytes.slice(dataStart, dataStart + captured),
    ...present('originalLength', word(4) === captured ? undefined : word(4)),
    ...present('direction', directionOf(flags)),
    comments: commentsOf(list),
  });
}

/** A simple packet block: of the first interface, and cut off where that says. */
function addSimplePacket({ bytes, view }: Source, section: OpenSection, block: PcapngBlock): void {
  expectBody(block, 'simple packet block', 4);
  const { start, end, littleEndian } = block;
  const [first] = section.interfaces;
  if (first === undefined) {
    throw new WireError('pcapng simple packet, expected an interface description before it', start);
  }
  const original = view.getUint32(start, littleEndian);
  const captured = Math.min(original, first.snapLength || original);
  const dataStart = start + 4;
  if (captured > end - dataStart) {
    throw new WireError(
      `pcapng simple packet of ${captured} bytes, expected at most ${end - dataStart} (the rest of its block)`,
      start,
    );
  }
  section.packets.push({
    interface: 0,
    data: bytes.slice(dataStart, dataStart + captured),
    ...present('originalLength', original === captured ? undefined : original),
    comments: [],
  });
}

/** Bytes of the address in name records of IPv4 and IPv6; records of other kinds are skipped. */
const ADDRESS_LENGTH: ReadonlyMap<number, 4 | 16> = new Map([
  [1, 4],
  [2, 16],
]);

function addNames({ bytes }: Source, section: OpenSection, block: PcapngBlock): void {
  for (const { code, offset, value } of taggedValues(bytes, block, block.start)) {
    const length = ADDRESS_LENGTH.get(code);
    if (length === undefined) continue;
    if (value.length <= length) {
      throw new WireError(
        `pcapng name record of ${value.length} bytes, expected an address of ${length} and a name`,
        offset,
      );
    }
    const word = (index: number) => read32(value, index * 4);
    const texts = TEXT.decode(value.subarray(length)).split('\0');
    const names = texts.filter((name) => name !== '');
    const address = length === 4 ? word(0) : ipv6(word(0), word(1), word(2), word(3));
    if (names.length > 0) section.names.push({ address, names });
  }
}

const READERS: ReadonlyMap<number, typeof addPacket> = new Map([
  [PCAPNG_BLOCK.interfaceDescription, addInterface],
  [PCAPNG_BLOCK.enhancedPacket, addPacket],
  [PCAPNG_BLOCK.packet, addPacket],
  [PCAPNG_BLOCK.simplePacket, addSimplePacket],
  [PCAPNG_BLOCK.nameResolution, addNames],
]);

/** Throws WireError when a block reaches beyond the end that its section has stated, or a new one begins early. */
function checkPlace(section: OpenSection, { type, offset, length }: PcapngBlock): void {
  const { end } = section;
  if (end === undefined) return;
  const isSection = type === PCAPNG_BLOCK.sectionHeader;
  if (isSection && offset < end) {
    throw new WireError(
      `pcapng section header inside a section, expected it at byte ${end}, found it`,
      offset,
    );
  }
  if (isSection) return;
  if (offset >= end) throw new WireError('pcapng block behind a section, expected a section header', offset);
  if (offset + length > end) {
    throw new WireError(`pcapng block of ${length} bytes, expected the section to end at ${end}`, offset);
  }
}

function closed({ header, interfaces, names, packets }: OpenSection): PcapngSection {
  return { ...header, interfaces, names, packets };
}

function expectSectionHeader(view: DataView): void {
  if (view.byteLength < 4) throw new WireError(`pcapng file of ${view.byteLength} bytes, expected more`, 0);
  if (view.getUint32(0) === PCAPNG_BLOCK.sectionHeader) return;
  const found = view.getUint32(0).toString(16).padStart(8, '0');
  throw new WireError(`no pcapng file: it begins with ${found}, expected 0a0d0d0a`, 0);
}

/** Reads a capture file. Throws WireError, naming the offset and what was expected there, for damaged ones. */
export function readPcapng(file: Uint8Array): PcapngFile {
  const bytes = plainBytes(file);
  const source: Source = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
  const sections: PcapngSection[] = [];
  let section: OpenSection | undefined;
  let offset = 0;
  expectSectionHeader(source.view);
  while (offset < bytes.length) {
    const block = blockAt(source.view, offset, section?.littleEndian ?? true);
    if (section !== undefined) checkPlace(section, block);
    if (block.type === PCAPNG_BLOCK.sectionHeader) {
      if (section !== undefined) sections.push(closed(section));
      section = openSection(source, block);
    } else if (section !== undefined) {
      READERS.get(block.type)?.(source, section, block);
    }
    offset += block.length;
  }
  if (section !== undefined) sections.push(closed(section));
  return { sections };
}
