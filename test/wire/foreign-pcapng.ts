/** pcapng blocks written field by field in either byte order: a second writer, to test the reader against. */

export type ForeignOrder = 'little' | 'big';

/** Fields as pairs of a width and a value. */
export interface ForeignBlock {
  readonly type: number;
  readonly body: readonly (number | bigint | string | readonly number[])[];
}

function encodeField(width: string, value: number | bigint | readonly number[], little: boolean): number[] {
  if (width === 'bytes') return [...(value as readonly number[])];
  const length = { u16: 2, u32: 4, i64: 8 }[width];
  if (length === undefined) throw new Error(`no field of width ${width}`);
  const number = BigInt.asUintN(length * 8, BigInt(value as number | bigint));
  const bytes = Array.from({ length }, (_, index) => Number((number >> BigInt(index * 8)) & 0xffn));
  return little ? bytes : bytes.reverse();
}

/** The bytes of `blocks`, each with its length at both ends; bodies must fill whole words. */
export function encodeBlocks(order: ForeignOrder, blocks: readonly ForeignBlock[]): Uint8Array {
  const little = order === 'little';
  const bytes = blocks.flatMap(({ type, body }) => {
    const content: number[] = [];
    for (let at = 0; at < body.length; at += 2) {
      const value = body[at + 1];
      if (typeof value === 'string' || value === undefined) throw new Error('a width without a value');
      content.push(...encodeField(String(body[at]), value, little));
    }
    const length = encodeField('u32', content.length + 12, little);
    return [...encodeField('u32', type, little), ...length, ...content, ...length];
  });
  return Uint8Array.from(bytes);
}
