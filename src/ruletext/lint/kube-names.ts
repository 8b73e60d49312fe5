/** kube-proxy's names and comments, as far as a reader of its rules needs them. */
import type { Rule } from '../../netfilter/rule-set.ts';

const HASHED = /^KUBE-(SVC|SVL|SEP|EXT|FW|XLB)-[A-Z2-7]{16}$/;

export type KubeChainKind = 'SVC' | 'SVL' | 'SEP' | 'EXT' | 'FW' | 'XLB';

const KINDS: readonly string[] = ['SVC', 'SVL', 'SEP', 'EXT', 'FW', 'XLB'] satisfies readonly KubeChainKind[];

function isKind(text: string | undefined): text is KubeChainKind {
  return text !== undefined && KINDS.includes(text);
}

/** Which of kube-proxy's per-Service chains `name` is; undefined for any other chain. */
export function kubeChainKind(name: string): KubeChainKind | undefined {
  const kind = HASHED.exec(name)?.[1];
  return isKind(kind) ? kind : undefined;
}

/** The text of a rule's first comment. */
export function commentOf(rule: Rule): string | undefined {
  for (const match of rule.matches) if (match.kind === 'comment') return match.text;
  return undefined;
}

/**
 * The Service port (`namespace/name` or `namespace/name:port`) that a comment of kube-proxy's names, and the
 * endpoint for `… -> ADDRESS:PORT`.
 */
export function readKubeComment(
  text: string,
): { readonly servicePort: string; readonly endpoint: string | undefined } | undefined {
  const found = /(?:^|\s)([a-z0-9][a-z0-9-]*\/[a-z0-9][a-z0-9-]*(?::[a-z0-9-]+)?)(?:\s|$)(?:-> (\S+))?/.exec(
    text,
  );
  const [, servicePort, endpoint] = found ?? [];
  return servicePort === undefined ? undefined : { servicePort, endpoint };
}
