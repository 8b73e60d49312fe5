/** discovery.k8s.io/v1 EndpointSlice. */
import type { Endpoint, EndpointPort, EndpointSlice } from '../objects.ts';
import { ipTextOf } from './addresses.ts';
import { type Cursor, type Decoder, elements, fail, field } from './cursor.ts';
import { boolean, count, defined, list, oneOf, optional, required, string, text } from './decoders.ts';
import { metadata } from './metadata.ts';
import { dns1123Label, dns1123Subdomain } from './names.ts';
import { portLabel, protocol } from './ports.ts';
import { targetRef } from './target-ref.ts';

/** discovery validation: the most a slice may hold. */
const MAX_ENDPOINTS = 1000;
const MAX_ADDRESSES = 100;

const ADDRESS_DECODERS = {
  IPv4: ipTextOf('ipv4'),
  IPv6: ipTextOf('ipv6'),
  FQDN: text(dns1123Subdomain),
} as const;

const addressType = oneOf(['IPv4', 'IPv6', 'FQDN']);

/** A missing name is the empty one, and a missing protocol TCP: the API server's defaults. */
function endpointPort(at: Cursor): EndpointPort {
  return defined<EndpointPort>({
    name: portLabel(field(at, 'name')),
    protocol: protocol(field(at, 'protocol')),
    // The API server looks at the number no closer; kube-proxy ignores 0 and a missing one.
    port: optional(count)(field(at, 'port')),
  });
}

function conditions(at: Cursor): Endpoint['conditions'] {
  return defined<Endpoint['conditions']>({
    ready: optional(boolean)(field(at, 'ready')),
    serving: optional(boolean)(field(at, 'serving')),
    terminating: optional(boolean)(field(at, 'terminating')),
  });
}

function endpoint(address: Decoder<string>): Decoder<Endpoint> {
  return (at) => {
    const addressesAt = field(at, 'addresses');
    const addresses = list(address)(addressesAt);
    if (addresses.length === 0) fail(addressesAt, 'must contain at least 1 address');
    if (addresses.length > MAX_ADDRESSES) fail(addressesAt, `must have at most ${MAX_ADDRESSES} addresses`);
    return defined<Endpoint>({
      addresses,
      conditions: conditions(field(at, 'conditions')),
      hostname: optional(text(dns1123Label))(field(at, 'hostname')),
      nodeName: optional(text(dns1123Subdomain))(field(at, 'nodeName')),
      zone: optional(string)(field(at, 'zone')),
      zoneHints: list((hint) => required(string)(field(hint, 'name')))(field(field(at, 'hints'), 'forZones')),
      targetRef: optional(targetRef)(field(at, 'targetRef')),
    });
  };
}

/** Decodes an EndpointSlice. */
export function decodeEndpointSlice(at: Cursor): EndpointSlice {
  const type = required(addressType)(field(at, 'addressType'));
  const endpoints = field(at, 'endpoints');
  if (elements(endpoints).length > MAX_ENDPOINTS)
    fail(endpoints, `must have at most ${MAX_ENDPOINTS} endpoints`);
  return {
    kind: 'EndpointSlice',
    metadata: metadata(at, { namespaced: true }),
    origin: at.manifest.origin,
    addressType: type,
    ports: list(endpointPort)(field(at, 'ports')),
    endpoints: list(endpoint(ADDRESS_DECODERS[type]))(endpoints),
  };
}
