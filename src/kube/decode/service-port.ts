/** spec.ports of a Service. */
import type { ServicePort } from '../objects.ts';
import { type Cursor, elements, fail, field } from './cursor.ts';
import { integer, list, refuseDuplicates, required, string, text, withDefault } from './decoders.ts';
import { ianaServiceName } from './names.ts';
import { portLabel, portNumber, protocol } from './ports.ts';

/** A number, or the name of a container port; 0 and empty text count as absent, as in the API's defaults. */
function targetPort(at: Cursor, port: number): number | string {
  if (at.value === undefined || at.value === 0 || at.value === '') return port;
  if (typeof at.value === 'number') return portNumber(at);
  const name = string(at);
  if (/^\d+$/.test(name)) fail(at, `"${name}" is a name that has no letter; write the number without quotes`);
  return text(ianaServiceName)(at);
}

function servicePort(at: Cursor): ServicePort {
  const port = required(portNumber)(field(at, 'port'));
  return {
    name: portLabel(field(at, 'name')),
    protocol: protocol(field(at, 'protocol')),
    port,
    targetPort: targetPort(field(at, 'targetPort'), port),
    nodePort: withDefault(integer(0, 65535), 0)(field(at, 'nodePort')),
  };
}

/** Decodes the ports and checks them against one another (ValidateService). */
export function servicePorts(at: Cursor): ServicePort[] {
  const ports = list(servicePort)(at);
  const cursors = elements(at);
  const decodedAt = (cursor: Cursor) => ports[Number(cursor.key)];
  if (ports.length > 1) {
    for (const cursor of cursors) {
      if (decodedAt(cursor)?.name === '')
        fail(field(cursor, 'name'), 'is required when there are several ports');
    }
  }
  refuseDuplicates(cursors, (cursor) => decodedAt(cursor)?.name || undefined, 'the port name');
  const withProtocol = (number: number | undefined, cursor: Cursor) =>
    number ? `${number}/${decodedAt(cursor)?.protocol}` : undefined;
  refuseDuplicates(cursors, (cursor) => withProtocol(decodedAt(cursor)?.port, cursor), 'the port');
  refuseDuplicates(cursors, (cursor) => withProtocol(decodedAt(cursor)?.nodePort, cursor), 'the nodePort');
  return ports;
}
