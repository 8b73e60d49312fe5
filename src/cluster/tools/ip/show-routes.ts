/** `ip route show` and `ip route get`. */
import type { Route } from '../../../netstack/route-table.ts';
import { familyOf, type IpAddress, type IpFamily, ipv6, sameAddress } from '../../../wire/ip-address.ts';
import { type IpPrefix, prefixContains } from '../../../wire/ip-prefix.ts';
import { ToolExit } from '../tool.ts';
import { routeGet } from './route-get.ts';
import { formatRoute, sortRoutes } from './route-text.ts';
import { addressNamed, deviceNamed, prefixNamed, type Request } from './words.ts';

const LOCAL_TYPES: ReadonlySet<Route['type']> = new Set(['local', 'broadcast', 'anycast', 'multicast']);

type RouteFilter = (route: Route) => boolean;

function selector(
  kind: string,
  text: string,
  family: IpFamily,
): { readonly filter: RouteFilter; readonly family: IpFamily } {
  const any: IpPrefix = { address: family === 'ipv4' ? 0 : ipv6(0, 0, 0, 0), length: 0 };
  const isDefault = text === 'default' || text === 'all' || text === 'any';
  const wanted = isDefault ? any : prefixNamed(text);
  const within = (outer: IpPrefix, inner: IpPrefix) =>
    outer.length <= inner.length && prefixContains(outer, inner.address);
  const filters: Readonly<Record<string, RouteFilter>> = {
    root: ({ prefix }) => within(wanted, prefix),
    match: ({ prefix }) => within(prefix, wanted),
    exact: ({ prefix }) => prefix.length === wanted.length && sameAddress(prefix.address, wanted.address),
  };
  return { filter: filters[kind] ?? (() => true), family: familyOf(wanted.address) };
}

/** Prints the routes that are asked for. */
export function showRoutes({ words, globals, context: { namespace, print } }: Request): void {
  let family = globals.family ?? 'ipv4';
  let both = false;
  let table = 'main';
  let device: string | undefined;
  const filters: RouteFilter[] = [];
  const select = (kind: string, text: string) => {
    const found = selector(kind, text, family);
    family = found.family;
    filters.push(found.filter);
  };
  for (let word = words.take(); word !== undefined; word = words.take()) {
    if (word === 'table') table = words.value();
    else if (word === 'dev' || word === 'oif') device = deviceNamed(namespace, words.value()).name;
    else if (word === 'type') {
      const type = words.value();
      filters.push((route) => route.type === type);
    } else if (word === 'via') {
      const gateway = addressNamed(words.value());
      filters.push((route) => route.gateway !== undefined && sameAddress(route.gateway, gateway));
    } else if (word === 'root' || word === 'match' || word === 'exact') select(word, words.value());
    else select('exact', word === 'to' ? words.value() : word);
  }
  const names: Readonly<Record<string, string>> = { '254': 'main', '255': 'local', '0': 'all' };
  table = names[table] ?? table;
  both = table === 'all' && globals.family === undefined;
  const { devices, routes } = namespace.book;
  for (const each of both ? (['ipv4', 'ipv6'] as const) : [family]) {
    for (const part of table === 'all' ? ['main', 'local'] : [table]) {
      const own = tableRoutes(routes.routes(), part).filter((route) =>
        filters.every((filter) => filter(route)),
      );
      for (const route of sortRoutes(own, each)) {
        if (device !== undefined && route.device !== device) continue;
        const options = {
          ...(device === undefined ? {} : { device }),
          ...(table === 'all' && part !== 'main' ? { table: part } : {}),
        };
        print(`${formatRoute(route, devices, options)}\n`);
      }
    }
  }
}

function tableRoutes(routes: readonly Route[], table: string): Route[] {
  if (table === 'local') return routes.filter(({ type }) => LOCAL_TYPES.has(type));
  return table === 'main' ? routes.filter(({ type }) => !LOCAL_TYPES.has(type)) : [];
}

/** Prints the way that one packet would go. */
export function getRoute({ words, context: { namespace, print } }: Request): void {
  let destination: IpAddress | undefined;
  let question: { from?: IpAddress; device?: string; mark?: number } = {};
  for (let word = words.take(); word !== undefined; word = words.take()) {
    if (word === 'from') question = { ...question, from: addressNamed(words.value()) };
    else if (word === 'oif' || word === 'dev')
      question = { ...question, device: deviceNamed(namespace, words.value()).name };
    else if (word === 'mark') question = { ...question, mark: Number(words.value()) };
    else if (word === 'iif') throw new ToolExit(1, 'ip route get … iif is not supported here');
    else destination = addressNamed(word === 'to' ? words.value() : word);
  }
  if (destination === undefined) throw new ToolExit(1, 'need at least a destination address');
  const answer = routeGet({ destination, ...question }, namespace.book);
  if (answer.kind === 'error') throw new ToolExit(2, `RTNETLINK answers: ${answer.message}`);
  print(answer.text);
}
