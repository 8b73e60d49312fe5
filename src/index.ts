/**
 * The library: kubewire's work without its command line. Everything here is pure or holds its own state;
 * nothing reads files, clocks or the environment, so it runs in a browser too.
 *
 *   rule sets    parseRules · printRules · mergeRuleSets
 *   one host     decodeHostSpec · decodePackets · buildHost · evaluate
 *   a cluster    loadCluster · generateIptablesRules · traceCluster (parseFrom, parseTo)
 *   alive        liveCluster: namespaces with devices, sockets and a virtual clock; HttpClient
 *   by hand      Scheduler · Namespace · createVethPair · Segment · addresses and prefixes
 *   CNI          parseConflist · CniHost · CniRuntime (ADD, DEL, CHECK, GC, STATUS) · resultJson
 */

export { type ClientRequest, type ClientResult, HttpClient } from './cluster/apps/http/http-client.ts';
export { CaptureSession } from './cluster/captures/capture-session.ts';
export type { ClusterObjects } from './cluster/derive.ts';
export { type LiveOptions, liveCluster } from './cluster/live-cluster.ts';
export { loadCluster } from './cluster/load.ts';
export type { InputFile } from './cluster/load-objects.ts';
export type { ClusterNetwork, Observation } from './cluster/network/cluster-network.ts';
export { buildHost, type HostRun, type HostRunOptions } from './cluster/single-host/build-host.ts';
export { evaluate } from './cluster/single-host/evaluate.ts';
export { decodeHostSpec, type HostSpec } from './cluster/single-host/host-spec.ts';
export { decodePackets, type PacketLine } from './cluster/single-host/packet-lines.ts';
export type { EvalResult, PacketJson, PathStep, VerdictJson } from './cluster/single-host/result.ts';
export type { Outcome } from './cluster/trace/outcome.ts';
export type { TraceRequest } from './cluster/trace/request.ts';
export {
  type TraceOutcome,
  type TraceReport,
  type TraceRunOptions,
  traceCluster,
} from './cluster/trace/trace.ts';
export { parseFrom, parseTo, type Who } from './cluster/trace/who.ts';
export { parseConflist } from './cni/plugins/configuration.ts';
export { CniHost } from './cni/plugins/plugin.ts';
export { resultJson } from './cni/plugins/result.ts';
export { CniRuntime } from './cni/plugins/runtime.ts';
export type { Chain, Rule, RuleSet, Table } from './netfilter/rule-set.ts';
export { DUMMY_DRIVER } from './netstack/link/dummy.ts';
export type { Impairments } from './netstack/link/impairments.ts';
export type { Interface } from './netstack/link/interface.ts';
export { Segment } from './netstack/link/segment.ts';
export { createVethPair } from './netstack/link/veth.ts';
export { Namespace, type NamespaceOptions } from './netstack/namespace.ts';
export { generateIptablesRules, type RulesInput } from './proxy/iptables/generate.ts';
export { mergeRuleSets, toRuleSet } from './ruletext/load-rules.ts';
export { parseRules } from './ruletext/parse-rules.ts';
export { printRuleSet, printRules } from './ruletext/print-rules.ts';
export type { SavedRules } from './ruletext/saved-rules.ts';
export { InputError } from './sim/input-error.ts';
export { Scheduler } from './sim/scheduler.ts';
export { formatIpAddress, type IpAddress, parseIpAddress } from './wire/ip-address.ts';
export { parseInterfaceAddress, parseIpPrefix } from './wire/ip-prefix.ts';
