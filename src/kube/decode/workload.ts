/** apps/v1 Deployment, ReplicaSet, StatefulSet and DaemonSet. */
import { matchesSelector } from '../label-selector.ts';
import type { PodTemplate, Workload } from '../objects.ts';
import { type Cursor, type Decoder, fail, field } from './cursor.ts';
import { count, defined, optional, string, stringMap, withDefault } from './decoders.ts';
import { metadata } from './metadata.ts';
import { podSpec } from './pod.ts';
import { labelSelector } from './selector.ts';

function podTemplate(at: Cursor): PodTemplate {
  const meta = field(at, 'metadata');
  return {
    labels: stringMap(field(meta, 'labels')),
    annotations: stringMap(field(meta, 'annotations')),
    spec: podSpec(field(at, 'spec')),
  };
}

/** A decoder of one kind of workload. The selector must match the template, as the API server insists. */
export function decodeWorkload(kind: Workload['kind']): Decoder<Workload> {
  return (at) => {
    const spec = field(at, 'spec');
    const selectorAt = field(spec, 'selector');
    if (selectorAt.value === undefined) fail(selectorAt, 'is required');
    const selector = labelSelector(selectorAt);
    const templateAt = field(spec, 'template');
    const template = podTemplate(templateAt);
    if (Object.keys(selector.matchLabels).length + selector.matchExpressions.length === 0) {
      fail(selectorAt, 'an empty selector is not allowed');
    }
    if (!matchesSelector(selector, template.labels)) {
      fail(field(field(templateAt, 'metadata'), 'labels'), 'the selector does not match these labels');
    }
    return {
      kind,
      metadata: metadata(at, { namespaced: true }),
      origin: at.manifest.origin,
      spec: defined<Workload['spec']>({
        replicas: withDefault(count, 1)(field(spec, 'replicas')),
        serviceName: optional(string)(field(spec, 'serviceName')),
        selector,
        template,
      }),
    };
  };
}
