/** What kube-proxy and kubelet left behind: chains of Services and endpoints that are gone, and KUBE-MARK-DROP. */
import { type UnreachedGroup, unreachedGroups } from '../analysis/unreached.ts';
import { finding } from '../findings.ts';
import { commentOf, kubeChainKind, readKubeComment } from '../kube-names.ts';
import { type LintRule, placeOfChain } from '../lint-context.ts';

/** The Service port that comments in the group name. */
function servicePortOf({ head, below }: UnreachedGroup): string | undefined {
  for (const { rules } of [head, ...below]) {
    for (const { rule } of rules) {
      const found = readKubeComment(commentOf(rule) ?? '');
      if (found !== undefined) return found.servicePort;
    }
  }
  return undefined;
}

export const kubeRemains: LintRule = function* ({ tables }) {
  for (const { table, graph } of tables) {
    for (const group of unreachedGroups(table, graph)) {
      const { head, below } = group;
      const place = placeOfChain(table, head);
      if (head.name === 'KUBE-MARK-DROP' && head.rules.length > 0) {
        const message =
          'no rule jumps to KUBE-MARK-DROP, which kubelet before 1.28 made for kube-proxy before 1.27; delete it once neither runs';
        yield finding('kube-mark-drop-remains', place, message);
      }
      if (kubeChainKind(head.name) === undefined) continue;
      const servicePort = servicePortOf(group);
      const owner = servicePort === undefined ? '' : ` of Service port ${servicePort}`;
      const more = below.length === 0 ? '' : ` with ${below.length} more below it`;
      yield finding(
        'kube-proxy-remains',
        place,
        `nothing jumps to ${head.name}${owner}${more}: what it was for is gone; kube-proxy deletes it at its next ` +
          'full sync, else flush it and delete it (-F, -X)',
      );
    }
  }
};
