/** v1 Endpoints. */
import type { EndpointAddress, EndpointSubset, Endpoints } from '../objects.ts';
import { ipText } from './addresses.ts';
import { type Cursor, field } from './cursor.ts';
import { defined, list, optional, required, string } from './decoders.ts';
import { metadata } from './metadata.ts';
import { portLabel, portNumber, protocol } from './ports.ts';
import { targetRef } from './target-ref.ts';

function endpointAddress(at: Cursor): EndpointAddress {
  return defined<EndpointAddress>({
    ip: required(ipText)(field(at, 'ip')),
    nodeName: optional(string)(field(at, 'nodeName')),
    targetRef: optional(targetRef)(field(at, 'targetRef')),
  });
}

function subsetPort(at: Cursor): EndpointSubset['ports'][number] {
  return {
    name: portLabel(field(at, 'name')),
    port: required(portNumber)(field(at, 'port')),
    protocol: protocol(field(at, 'protocol')),
  };
}

function subset(at: Cursor): EndpointSubset {
  return {
    addresses: list(endpointAddress)(field(at, 'addresses')),
    notReadyAddresses: list(endpointAddress)(field(at, 'notReadyAddresses')),
    ports: list(subsetPort)(field(at, 'ports')),
  };
}

/** Decodes an Endpoints object. */
export function decodeEndpoints(at: Cursor): Endpoints {
  return {
    kind: 'Endpoints',
    metadata: metadata(at, { namespaced: true }),
    origin: at.manifest.origin,
    subsets: list(subset)(field(at, 'subsets')),
  };
}
