/** Decodes the quantities of a Topology's links: `2ms`, `5%`, `100Mbit`. */

import { type Cursor, type Decoder, fail, field } from '../kube/decode/cursor.ts';
import { boolean, defined, integer, optional, required, text } from '../kube/decode/decoders.ts';
import { refuseUnknownFields } from '../kube/decode/strict.ts';
import { describeValue, originWithin } from '../kube/manifest/manifest.ts';
import type { LinkSettings } from './topology.ts';

/** Bytes: the least that IPv4 must be able to pass on (RFC 791 §3.2), and the most an IP packet can have. */
export const mtu = integer(68, 65_535);

/** A number with one of `units` behind it, or alone in the unit called ''. */
function quantity(units: Readonly<Record<string, number>>, example: string): Decoder<number> {
  return (at) => {
    const written = typeof at.value === 'number' ? String(at.value) : at.value;
    const match = typeof written === 'string' ? /^(\d+(?:\.\d+)?)([A-Za-z%]*)$/.exec(written) : null;
    const unit = units[match?.[2] ?? ''];
    if (match === null || unit === undefined) {
      return fail(at, `expected a quantity such as ${example}, found ${describeValue(at.value)}`);
    }
    return Number(match[1]) * unit;
  };
}

const duration = quantity({ s: 1, ms: 1e-3, us: 1e-6 }, '2ms, 1.5s or 300us');

const bandwidth = quantity(
  { '': 1, bit: 1, kbit: 1e3, Kbit: 1e3, Mbit: 1e6, Gbit: 1e9 },
  '100Mbit, 64kbit or a number of bits a second',
);

/** `5%` or `0.05`. */
function share(at: Cursor): number {
  const value = quantity({ '': 1, '%': 0.01 }, '5% or 0.05')(at);
  return value <= 1 ? value : fail(at, 'is more than everything');
}

function positive(decode: Decoder<number>): Decoder<number> {
  return (at) => {
    const value = decode(at);
    return value > 0 ? value : fail(at, 'must be more than nothing');
  };
}

const place = text((value) =>
  /^(pod\/[^/]+\/[^/]+|(node|host)\/[^/]+)$/.test(value)
    ? undefined
    : `${JSON.stringify(value)} is no end of a wire: expected pod/NAMESPACE/NAME, node/NAME or host/NAME`,
);

/** Decodes one entry of `links`. */
export function linkSettings(at: Cursor): LinkSettings {
  const fields = [
    'at',
    'latency',
    'jitter',
    'loss',
    'reorder',
    'duplicate',
    'bandwidth',
    'queue',
    'mtu',
    'up',
  ];
  refuseUnknownFields(at, fields);
  const read = <T>(name: string, decode: Decoder<T>) => optional(decode)(field(at, name));
  return defined<LinkSettings>({
    at: required(place)(field(at, 'at')),
    latency: read('latency', duration),
    jitter: read('jitter', duration),
    loss: read('loss', share),
    reorder: read('reorder', share),
    duplicate: read('duplicate', share),
    bandwidth: read('bandwidth', positive(bandwidth)),
    queue: read('queue', integer(1, 1_000_000)),
    mtu: read('mtu', mtu),
    up: read('up', boolean),
    origin: originWithin(at.manifest.origin, ['links', at.key]),
  });
}
