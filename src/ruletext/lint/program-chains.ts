/**
 * Chains that well-known programs always create, whether or not they have anything to put into them or a rule to
 * jump there: to find one empty or unused says nothing about the rule set.
 */
const PATTERNS: readonly RegExp[] = [
  // kube-proxy and kubelet
  /^KUBE-(PROXY-CANARY|KUBELET-CANARY|IPTABLES-HINT|SERVICES|EXTERNAL-SERVICES|NODEPORTS|PROXY-FIREWALL|FIREWALL|FORWARD|POSTROUTING|MARK-MASQ)$/,
  // Docker
  /^DOCKER(-USER|-FORWARD|-CT|-BRIDGE|-INTERNAL|-INGRESS|-ISOLATION-STAGE-[12])?$/,
  // the CNI plugins
  /^CNI-(HOSTPORT-(DNAT|SETMARK|MASQ)|FORWARD|ADMIN|ISOLATION-STAGE-[12])$/,
  // network plugins
  /^(cali-|CILIUM_|OLD_CILIUM_|FLANNEL-|KUBE-ROUTER-|ISTIO_)/,
  // hosts
  /^LIBVIRT_(INP|OUT|FWI|FWO|FWX|PRT)$/,
  /^ufw6?-/,
  /^(IN|FWDI|FWDO|FWD|PRE|POST)_[\w-]+?(_(pre|log|deny|allow|post))?$/,
  /^(INPUT|OUTPUT|FORWARD|PREROUTING|POSTROUTING)_(direct|ZONES|ZONES_SOURCE|IN_ZONES|OUT_ZONES|POLICIES_pre|POLICIES_post)$/,
];

/** Whether `chain` is one that a program makes as a matter of course. */
export function isProgramChain(chain: string): boolean {
  return PATTERNS.some((pattern) => pattern.test(chain));
}
