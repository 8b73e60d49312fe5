/** `ip route show` and `ip route get`. */
import { ROUTING_TABLE } from '../../../netstack/policy-rule.ts';
import type { Route } from '../../../netstack/route-table.ts';
import { familyOf, type IpAddress, type IpFamily, ipv6, sameAddress } from '../../../wire/ip-address.ts';
import { type IpPrefix, prefixContains } from '../../../wire/ip-prefix.ts';
import { ToolExit } from '../tool.ts';
import { routeGet } from './route-get.ts';
import { asKernelHolds, formatRoute, sortRoutes } from './route-text.ts';
import { tableText } from './rule-text.ts';
import { addressNamed, prefixNamed, type Request, routeDevice } from './words.ts';

const LOCAL_TYPES: ReadonlySet<Route['type']> = new Set(['local', 'broadcast', 'anycast', 'multicast']);

/** The table that a route is in. */
function tableOf({ table, type }: Route): number {
  return table ?? (LOCAL_TYPES.has(type) ? ROUTING_TABLE.local : ROUTING_TABLE.main);
}

/** The number of a table by its name or number; undefined: all of them. */
function tableNamed(text: string): number | undefined {
  if (text === 'all' || text === '0') return undefined;
  const known = Object.entries(ROUTING_TABLE).find(([name]) => name === text)?.[1];
  const number = known ?? (/^\d+$/.test(text) ? Number(text) : Number.NaN);
  if (Number.isNaN(number))
    throw new ToolExit(255, `Error: argument "${text}" is wrong: table id value is invalid`);
  return number;
}

/** Main first, then the others by number: what `table all` shows. */
function compareTables(a: number, b: number): number {
  return Number(b === ROUTING_TABLE.main) - Number(a === ROUTING_TABLE.main) || b - a;
}

const BOTH: readonly IpFamily[] = ['ipv4', 'ipv6'];

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
  let table: number | undefined = ROUTING_TABLE.main;
  let device: string | undefined;
  const filters: RouteFilter[] = [];
  let hidden = false;
  const select = (kind: string, text: string) => {
    const found = selector(kind, text, family);
    family = found.family;
    filters.push(found.filter);
  };
  for (let word = words.take(); word !== undefined; word = words.take()) {
    if (word === 'table') table = tableNamed(words.value());
    else if (word === 'dev' || word === 'oif') device = routeDevice(namespace, words.value()).name;
    else if (word === 'type') {
      const type = words.value();
      filters.push((route) => route.type === type);
    } else if (word === 'via') {
      const gateway = addressNamed(words.value());
      hidden = true;
      filters.push((route) => route.gateway !== undefined && sameAddress(route.gateway, gateway));
    } else if (word === 'root' || word === 'match' || word === 'exact') select(word, words.value());
    else select('exact', word === 'to' ? words.value() : word);
  }
  const { devices, routes } = namespace.book;
  const all = asKernelHolds(routes.routes(), devices).filter(
    (route) => (device === undefined || route.device === device) && filters.every((each) => each(route)),
  );
  const tables = table === undefined ? [...new Set(all.map(tableOf))].sort(compareTables) : [table];
  const families = table === undefined && globals.family === undefined ? BOTH : [family];
  for (const each of families) {
    for (const one of tables) {
      const shown = table === undefined && one !== ROUTING_TABLE.main ? { table: tableText(one) } : {};
      const options = { ...shown, hideGateway: hidden, ...(device === undefined ? {} : { device }) };
      for (const route of sortRoutes(
        all.filter((candidate) => tableOf(candidate) === one),
        each,
      )) {
        print(`${formatRoute(route, devices, options)}\n`);
      }
    }
  }
}

/** Prints the way that one packet would go. */
export function getRoute({ words, context: { namespace, print } }: Request): void {
  let destination: IpAddress | undefined;
  let question: { from?: IpAddress; device?: string; mark?: number } = {};
  for (let word = words.take(); word !== undefined; word = words.take()) {
    if (word === 'from') question = { ...question, from: addressNamed(words.value()) };
    else if (word === 'oif' || word === 'dev')
      question = { ...question, device: routeDevice(namespace, words.value()).name };
    else if (word === 'mark') question = { ...question, mark: Number(words.value()) };
    else if (word === 'iif') throw new ToolExit(1, 'ip route get … iif is not supported here');
    else destination = addressNamed(word === 'to' ? words.value() : word);
  }
  if (destination === undefined) throw new ToolExit(1, 'need at least a destination address');
  const answer = routeGet({ destination, ...question }, namespace.book);
  if (answer.kind === 'error') throw new ToolExit(2, `RTNETLINK answers: ${answer.message}`);
  print(answer.text);
}
