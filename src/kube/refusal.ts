/** Errors about objects that are well-formed by themselves and wrong beside others. */
import { InputError } from '../sim/input-error.ts';
import { originWithin } from './manifest/manifest.ts';
import type { ValuePath } from './manifest/source-document.ts';
import type { KubeObject, Origin } from './objects.ts';

/** `Service default/web` */
export function describeObject({ kind, metadata }: Pick<KubeObject, 'kind' | 'metadata'>): string {
  return metadata.namespace === ''
    ? `${kind} ${metadata.name}`
    : `${kind} ${metadata.namespace}/${metadata.name}`;
}

/** `FILE:LINE` */
export function describeOrigin({ file, line }: Origin): string {
  return `${file}:${line}`;
}

/** `spec.ports[0].port` */
function describePath(path: ValuePath): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');
}

/** An InputError about the field at `path` of `object`, with the line of that field. */
export function refusal(object: KubeObject, path: ValuePath, message: string): InputError {
  const { file, line } = originWithin(object.origin, path);
  const where =
    path.length === 0 ? describeObject(object) : `${describeObject(object)}: ${describePath(path)}`;
  return new InputError(`${where}: ${message}`, { file, line });
}
