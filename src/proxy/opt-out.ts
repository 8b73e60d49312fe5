/**
 * The labels that take a Service or an EndpointSlice away from kube-proxy. It is the list and watch selector
 * of its informers that filters them, by key alone (cmd/kube-proxy/app/server.go, Kubernetes 1.30).
 */
import type { ObjectMeta } from '../kube/objects.ts';

const OPT_OUT_LABELS = [
  'service.kubernetes.io/headless',
  'service.kubernetes.io/service-proxy-name',
] as const;

/** True when kube-proxy never sees the object, whatever the label's value. */
export function hasProxyOptOut({ metadata }: { readonly metadata: ObjectMeta }): boolean {
  return OPT_OUT_LABELS.some((label) => Object.hasOwn(metadata.labels, label));
}
