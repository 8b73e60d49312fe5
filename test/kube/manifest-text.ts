/** Objects from the text of a test. */
import { decodeObject } from '../../src/kube/kinds.ts';
import { parseManifests } from '../../src/kube/manifest/manifest.ts';
import type { KubeObject } from '../../src/kube/objects.ts';
import { InputError } from '../../src/sim/input-error.ts';

export function decodeAll(text: string): KubeObject[] {
  return parseManifests(text, 'in.yaml').map(decodeObject);
}

/** The one object of `text`, of the kind given. */
export function decodeOne<K extends KubeObject['kind']>(
  kind: K,
  text: string,
): Extract<KubeObject, { kind: K }> {
  const [object, ...more] = decodeAll(text);
  if (object?.kind !== kind || more.length > 0) throw new Error(`expected one ${kind}`);
  return object as Extract<KubeObject, { kind: K }>;
}

/** What the InputError that `run` throws says, its place included; `accepted` when it throws none. */
export function refusalOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof InputError) return error.describe();
    throw error;
  }
  return 'accepted';
}
