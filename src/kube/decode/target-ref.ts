/** The object behind an endpoint. */
import type { Endpoint } from '../objects.ts';
import { type Cursor, field } from './cursor.ts';
import { string, withDefault } from './decoders.ts';

/** Decodes a targetRef; a part that is not written is empty. */
export function targetRef(at: Cursor): NonNullable<Endpoint['targetRef']> {
  const part = (key: string) => withDefault(string, '')(field(at, key));
  return { kind: part('kind'), namespace: part('namespace'), name: part('name') };
}
