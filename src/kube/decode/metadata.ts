/** metadata: the part that every object has. */
import type { ObjectMeta } from '../objects.ts';
import { type Cursor, elements, fail, field } from './cursor.ts';
import { defined, optional, required, string, stringMap, text, withDefault } from './decoders.ts';
import { dns1123Label, dns1123Subdomain } from './names.ts';

export interface MetadataRules {
  readonly namespaced: boolean;
  /** What is wrong with a name; by default anything but an RFC 1123 subdomain. */
  readonly name?: (value: string) => string | undefined;
}

/**
 * Decodes `metadata` of the object under `at`. A namespaced object without a namespace is in `default`, as
 * kubectl would put it; a cluster-scoped one has the empty namespace, whatever is written.
 */
export function metadata(at: Cursor, rules: MetadataRules): ObjectMeta {
  const meta = field(at, 'metadata');
  if (meta.value === undefined) fail(meta, 'is required');
  return defined<ObjectMeta>({
    name: required(text(rules.name ?? dns1123Subdomain))(field(meta, 'name')),
    namespace: rules.namespaced ? namespaceOf(field(meta, 'namespace')) : '',
    labels: stringMap(field(meta, 'labels')),
    annotations: stringMap(field(meta, 'annotations')),
    deletionTimestamp: optional(string)(field(meta, 'deletionTimestamp')),
    controller: controllerOf(field(meta, 'ownerReferences')),
  });
}

/** The one owner reference with `controller: true`. */
function controllerOf(at: Cursor): ObjectMeta['controller'] | undefined {
  const owner = elements(at).find((each) => field(each, 'controller').value === true);
  if (owner === undefined) return undefined;
  return { kind: required(string)(field(owner, 'kind')), name: required(string)(field(owner, 'name')) };
}

function namespaceOf(at: Cursor): string {
  return at.value === '' ? 'default' : withDefault(text(dns1123Label), 'default')(at);
}
