/** What the ports of Services, pods and endpoints have in common. */
import type { L4Protocol } from '../objects.ts';
import type { Cursor, Decoder } from './cursor.ts';
import { integer, oneOfOr, text, withDefault } from './decoders.ts';
import { dns1123Label } from './names.ts';

/** A port number: 1 to 65535. */
export const portNumber = integer(1, 65535);

/** TCP unless given; upper case only. */
export const protocol: Decoder<L4Protocol> = oneOfOr(['TCP', 'UDP', 'SCTP'], 'TCP');

/** The name of a Service's or an endpoint's port; empty when there is none. */
export function portLabel(at: Cursor): string {
  return at.value === '' ? '' : withDefault(text(dns1123Label), '')(at);
}
