/** Pods by each of their labels, so that a selector looks at those its rarest label matches and no others. */
import { matchesSelector } from '../label-selector.ts';
import type { LabelSelector, Pod } from '../objects.ts';

export class PodIndex {
  readonly #byLabel = new Map<string, Pod[]>();
  readonly #byNamespace = new Map<string, Pod[]>();

  constructor(pods: Iterable<Pod>) {
    for (const pod of pods) this.#add(pod);
  }

  /** The pods of `namespace` that `selector` matches. */
  matching(namespace: string, selector: LabelSelector): Pod[] {
    const [rarest] = Object.entries(selector.matchLabels)
      .map(([key, value]) => this.#byLabel.get(labelKey(namespace, key, value)) ?? [])
      .sort((a, b) => a.length - b.length);
    const candidates = rarest ?? this.#byNamespace.get(namespace) ?? [];
    return candidates.filter((pod) => matchesSelector(selector, pod.metadata.labels));
  }

  #add(pod: Pod): void {
    const { namespace, labels } = pod.metadata;
    append(this.#byNamespace, namespace, pod);
    for (const [key, value] of Object.entries(labels))
      append(this.#byLabel, labelKey(namespace, key, value), pod);
  }
}

/** Neither part of a label holds a blank. */
function labelKey(namespace: string, key: string, value: string): string {
  return `${namespace} ${key} ${value}`;
}

/** Adds `value` to the list under `key`. */
export function append<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
