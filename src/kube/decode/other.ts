/** Kinds that a file may hold and the data plane does not act on: accepted, with their metadata checked. */
import type { OtherObject } from '../objects.ts';
import type { Decoder } from './cursor.ts';
import { metadata } from './metadata.ts';

/** A decoder for `kind`. Names are only required to be there: RBAC allows `system:node` and the like. */
export function decodeOther(kind: OtherObject['kind'], namespaced: boolean): Decoder<OtherObject> {
  return (at) => ({
    kind,
    metadata: metadata(at, { namespaced, name: () => undefined }),
    origin: at.manifest.origin,
  });
}
