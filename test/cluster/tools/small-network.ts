/** Three namespaces in a row (client, router, server), and a way to run tools in them. */
import { EMPTY_RESOLV_CONF, type ResolvConf } from '../../../src/cluster/apps/dns/resolv-conf.ts';
import { Resolver } from '../../../src/cluster/apps/dns/resolver.ts';
import { ToolExit } from '../../../src/cluster/tools/tool.ts';
import { TOOLS } from '../../../src/cluster/tools/tools.ts';
import type { Impairments } from '../../../src/netstack/link/impairments.ts';
import { createVethPair } from '../../../src/netstack/link/veth.ts';
import { Namespace } from '../../../src/netstack/namespace.ts';
import { toRuleSet } from '../../../src/ruletext/load-rules.ts';
import { parseRules } from '../../../src/ruletext/parse-rules.ts';
import { Scheduler } from '../../../src/sim/scheduler.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';
import { parseInterfaceAddress, parseIpPrefix } from '../../../src/wire/ip-prefix.ts';

export interface SmallNetwork {
  readonly client: Namespace;
  readonly router: Namespace;
  readonly server: Namespace;
}

export interface SmallNetworkOptions {
  /** Of the wire between client and router, either way. */
  readonly wire?: Impairments;
  /** iptables-save text on the server. */
  readonly rules?: string;
}

/** client 10.1.0.2 — 10.1.0.1 router 10.2.0.1 — 10.2.0.2 server, and fd01::/64, fd02::/64 alike. */
export function smallNetwork({ wire = {}, rules }: SmallNetworkOptions = {}): SmallNetwork {
  const scheduler = new Scheduler();
  const make = (name: string) => new Namespace({ name, scheduler, seed: 3 });
  const [client, router, server] = [make('client'), make('router'), make('server')];
  const end = (namespace: Namespace, name: string, ...addresses: string[]) => ({
    namespace,
    name,
    up: true,
    made: (device: Parameters<Namespace['addAddress']>[0]) => {
      for (const text of addresses) namespace.addAddress(device, parseInterfaceAddress(text));
    },
  });
  createVethPair(
    { ...end(client, 'eth0', '10.1.0.2/24', 'fd01::2/64'), impairments: wire },
    { ...end(router, 'left', '10.1.0.1/24', 'fd01::1/64'), impairments: wire },
  );
  createVethPair(
    end(server, 'eth0', '10.2.0.2/24', 'fd02::2/64'),
    end(router, 'right', '10.2.0.1/24', 'fd02::1/64'),
  );
  router.setSysctl('net.ipv4.ip_forward', 1);
  router.setSysctl('net.ipv6.conf.all.forwarding', 1);
  const gateway = (namespace: Namespace, prefix: string, address: string) =>
    namespace.addRoute({
      type: 'unicast',
      prefix: parseIpPrefix(prefix),
      device: 'eth0',
      gateway: parseIpAddress(address),
      metric: 0,
    });
  gateway(client, '0.0.0.0/0', '10.1.0.1');
  gateway(client, '::/0', 'fd01::1');
  gateway(server, '0.0.0.0/0', '10.2.0.1');
  gateway(server, '::/0', 'fd02::1');
  if (rules !== undefined) {
    server.setRules(() => [toRuleSet(parseRules(rules, { family: 'ipv4', file: 'rules' }))]);
  }
  return { client, router, server };
}

export interface Printed {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** Runs one tool. `meanwhile` is called when the tool has returned, before those who watch are told to end. */
export function runTool(
  namespace: Namespace,
  command: string,
  options: { readonly conf?: ResolvConf; readonly meanwhile?: () => void } = {},
): Printed {
  const [tool = '', ...args] = command.split(' ');
  let out = '';
  let error = '';
  const endings: (() => void)[] = [];
  const context = {
    namespace,
    scheduler: namespace.scheduler,
    resolver: new Resolver({ sockets: namespace.sockets, conf: options.conf ?? EMPTY_RESOLV_CONF }),
    print: (text: string) => {
      out += text;
    },
    complain: (text: string) => {
      error += text;
    },
    atEnd: (action: () => void) => endings.push(action),
  };
  let code: number;
  try {
    code = TOOLS[tool]?.(args, context) ?? 127;
  } catch (thrown) {
    if (!(thrown instanceof ToolExit)) throw thrown;
    code = thrown.code;
    if (thrown.message !== '') error += `${thrown.message}\n`;
  }
  options.meanwhile?.();
  for (const end of endings) end();
  return { code, out, error };
}
