/** A network's description as lines for `ip -batch` and `bridge -batch`. Pure. */
import { parseIpAddress } from '../../../src/wire/ip-address.ts';
import type { NamespaceSpec, NetworkSpec, PlannedDevice, RouteSpec } from './network-spec.ts';

interface LinkRequest {
  readonly spec: NetworkSpec;
  readonly planned: ReadonlyMap<string, readonly PlannedDevice[]>;
  readonly namespace: string;
  /** Where each namespace is found. */
  readonly paths: ReadonlyMap<string, string>;
}

function macOf({ planned }: LinkRequest, end: string): string {
  const [namespace = '', device = ''] = end.split('/');
  const found = planned.get(namespace)?.find(({ name }) => name === device);
  if (found === undefined) throw new RangeError(`no device at ${end}`);
  return found.mac;
}

function onOff(value: boolean): string {
  return value ? 'on' : 'off';
}

function madeHere({ name, mac, spec }: PlannedDevice): string[] {
  const add = `link add name ${name} address ${mac}`;
  switch (spec.kind) {
    case 'bridge': {
      // 100ths of a second.
      const ageing = spec.ageing === undefined ? '' : ` ageing_time ${spec.ageing * 100}`;
      return [`${add} type bridge${ageing}`];
    }
    case 'vxlan': {
      const { id, local, link, port = 8472, learning = false, ttl, tos, df } = spec;
      const options = [
        `id ${id} local ${local} dstport ${port} ${learning ? '' : 'no'}learning`,
        link === undefined ? '' : `dev ${link}`,
        ttl === undefined ? '' : `ttl ${ttl}`,
        tos === undefined ? '' : `tos ${tos === 'inherit' ? tos : `0x${tos.toString(16)}`}`,
        df === undefined ? '' : `df ${df}`,
      ];
      return [`${add} type vxlan ${options.filter((option) => option !== '').join(' ')}`];
    }
    default:
      return [];
  }
}

/** Makes the veth pairs whose first end is in the namespace. */
export function linkCommands(request: LinkRequest): string[] {
  const { spec, namespace, paths } = request;
  return spec.wires.flatMap(([near, far]) => {
    const [nearSpace, nearDevice] = near.split('/');
    const [farSpace = '', farDevice] = far.split('/');
    if (nearSpace !== namespace) return [];
    const one = `name ${nearDevice} address ${macOf(request, near)}`;
    const other = `name ${farDevice} address ${macOf(request, far)}`;
    return [`link add ${one} type veth peer ${other} netns ${paths.get(farSpace)}`];
  });
}

/** Makes the other devices, and sets all of them up: ports, MTUs, addresses. */
export function deviceCommands(planned: readonly PlannedDevice[], { devices }: NamespaceSpec): string[] {
  const all = [{ name: 'lo', spec: devices?.lo ?? {} }, ...planned];
  // An IPv6 address needs its device up, a VXLAN device the one it leaves by.
  return [
    ...planned.filter(({ spec }) => spec.kind === 'bridge').flatMap(madeHere),
    ...planned.filter(({ spec }) => spec.kind === 'vxlan').flatMap(madeHere),
    ...planned.flatMap(({ name, spec }) => {
      const { mtu, master, hairpin, isolated, learning, flood } = spec;
      const learns = spec.kind === 'vxlan' ? undefined : learning;
      const port = [
        hairpin === undefined ? '' : ` hairpin ${onOff(hairpin)}`,
        isolated === undefined ? '' : ` isolated ${onOff(isolated)}`,
        learns === undefined ? '' : ` learning ${onOff(learns)}`,
        flood === undefined ? '' : ` flood ${onOff(flood)}`,
      ].join('');
      return [
        ...(mtu === undefined ? [] : [`link set dev ${name} mtu ${mtu}`]),
        ...(master === undefined ? [] : [`link set dev ${name} master ${master}`]),
        ...(port === '' ? [] : [`link set dev ${name} type bridge_slave${port}`]),
      ];
    }),
    ...all.filter(({ spec }) => spec.down !== true).map(({ name }) => `link set dev ${name} up`),
    ...all.flatMap(({ name, spec }) =>
      (spec.addresses ?? []).map((address) => {
        const v6 = address.includes(':');
        return `address add ${address} dev ${name}${v6 ? ' nodad' : ''}`;
      }),
    ),
  ];
}

function routeCommand({ to, via, dev, src, metric, mtu, onlink, link, table }: RouteSpec): string {
  const parts = [`route add ${to}`];
  if (via !== undefined) parts.push(`via ${via}`);
  if (dev !== undefined) parts.push(`dev ${dev}`);
  if (onlink === true) parts.push('onlink');
  if (link === true) parts.push('scope link');
  if (src !== undefined) parts.push(`src ${src}`);
  if (metric !== undefined) parts.push(`metric ${metric}`);
  if (mtu !== undefined) parts.push(`mtu ${mtu}`);
  if (table !== undefined) parts.push(`table ${table}`);
  return parts.join(' ');
}

/** Routes, policy rules and neighbours (`ip`), forwarding entries (`bridge`). */
export function tableCommands(spec: NamespaceSpec): { readonly links: string[]; readonly fdb: string[] } {
  const { routes = [], rules = [], neighbours = [], fdb = [] } = spec;
  return {
    links: [
      ...neighbours.map(({ address, dev, mac }) => {
        parseIpAddress(address);
        const entry = mac === undefined ? `proxy ${address}` : `${address} lladdr ${mac} nud permanent`;
        return `neighbour add ${entry} dev ${dev}`;
      }),
      ...routes.map(routeCommand),
      ...rules.map(({ from, to, iif, fwmark, table, priority }) => {
        const selectors = [
          from === undefined ? '' : `from ${from}`,
          to === undefined ? '' : `to ${to}`,
          iif === undefined ? '' : `iif ${iif}`,
          fwmark === undefined ? '' : `fwmark ${fwmark}`,
        ];
        const said = selectors.filter((selector) => selector !== '').join(' ') || 'from all';
        return `rule add ${said} lookup ${table} priority ${priority}`;
      }),
    ],
    fdb: fdb.map(({ mac, dev, dst }) =>
      dst === undefined ? `fdb add ${mac} dev ${dev} master static` : `fdb add ${mac} dev ${dev} dst ${dst}`,
    ),
  };
}
