/** `ip`: the parts of iproute2 that show devices, addresses, routes, neighbours and policy rules. */
import type { Namespace } from '../../../netstack/namespace.ts';
import type { IpFamily } from '../../../wire/ip-address.ts';
import { prefixContains } from '../../../wire/ip-prefix.ts';
import { type Tool, ToolExit } from '../tool.ts';
import { formatLinks, type LinkView } from './link-text.ts';
import { formatNeighbours } from './neighbour-text.ts';
import { formatPolicyRules } from './rule-text.ts';
import { getRoute, showRoutes } from './show-routes.ts';
import { deviceNamed, expand, type Globals, prefixNamed, type Request, routeDevice, Words } from './words.ts';

function viewsOf(namespace: Namespace): LinkView[] {
  return namespace.interfaces().map((device) => ({
    device,
    addresses: namespace.book.devices.get(device.name)?.addresses ?? namespace.addresses(device),
  }));
}

function showLinks({ words, globals, context: { namespace, print } }: Request, addresses: boolean): void {
  let views = viewsOf(namespace);
  let named = false;
  for (let word = words.take(); word !== undefined; word = words.take()) {
    if (word === 'up') views = views.filter(({ device }) => device.up);
    else if (word === 'master') {
      const master = deviceNamed(namespace, words.value());
      views = views.filter(({ device }) => device.master === master);
    } else if (word === 'type') {
      const kind = words.value();
      views = views.filter(({ device }) => device.kind === kind);
    } else {
      const name = word === 'dev' ? words.value() : word;
      const wanted = deviceNamed(namespace, name);
      views = views.filter(({ device }) => device === wanted);
      named = true;
    }
  }
  const family = addresses ? globals.family : undefined;
  print(formatLinks(views, { ...globals, addresses, family, named }));
}

function showNeighbours({ words, globals, context: { namespace, print } }: Request): void {
  let device: string | undefined;
  let entries = namespace.neighbours.list();
  for (let word = words.take(); word !== undefined; word = words.take()) {
    if (word === 'dev') device = routeDevice(namespace, words.value()).name;
    else if (word === 'nud') {
      const state = words.value().toUpperCase();
      if (state !== 'ALL') entries = entries.filter((entry) => entry.state === state);
    } else {
      const wanted = prefixNamed(word === 'to' ? words.value() : word);
      entries = entries.filter(({ address }) => prefixContains(wanted, address));
    }
  }
  const { family, statistics } = globals;
  print(formatNeighbours(entries, { family, statistics, ...(device === undefined ? {} : { device }) }));
}

type Command = (request: Request) => void;

const SHOW: Readonly<Record<string, Command>> = {
  address: (request) => showLinks(request, true),
  link: (request) => showLinks(request, false),
  route: showRoutes,
  rule: ({ globals, context: { namespace, print } }) =>
    print(formatPolicyRules(namespace.rules(), globals.family ?? 'ipv4')),
  neighbor: showNeighbours,
  neighbour: showNeighbours,
};

const SHOW_WORDS = ['show', 'list', 'lst'];
const CHANGE_WORDS = ['add', 'append', 'change', 'delete', 'flush', 'replace', 'set'];

function runObject(object: string, request: Request): void {
  const { words } = request;
  // A first word that is no command names a device or prefix.
  const commands = [...SHOW_WORDS, 'get', ...CHANGE_WORDS];
  const command = words.next === undefined ? undefined : expand(words.next, commands);
  if (command !== undefined) words.take();
  if (command === 'get' && object === 'route') getRoute(request);
  else if (command === undefined || SHOW_WORDS.includes(command)) SHOW[object]?.(request);
  else
    throw new ToolExit(1, `ip ${object} ${command} is not supported here: -f says what the cluster is like`);
}

const FAMILIES: Readonly<Record<string, IpFamily>> = { inet: 'ipv4', inet6: 'ipv6' };

/** `globals` with one more option of `ip` itself. */
function withOption(globals: Globals, word: string, words: Words): Globals {
  const name = word.replace(/^--?/, '');
  switch (name) {
    case '4':
      return { ...globals, family: 'ipv4' };
    case '6':
      return { ...globals, family: 'ipv6' };
    case 'f':
    case 'family':
      return { ...globals, family: FAMILIES[words.value()] };
    case 'br':
    case 'brief':
      return { ...globals, brief: true };
    case 's':
    case 'stats':
    case 'statistics':
      return { ...globals, statistics: true };
    case 'o':
    case 'oneline':
      return { ...globals, oneLine: true };
    // Colours and names instead of numbers: nothing to do.
    case 'c':
    case 'color':
    case 'N':
    case 'Numeric':
      return globals;
    default:
      throw new ToolExit(255, `Option "${word}" is unknown, try "ip -help".`);
  }
}

const USAGE = `Usage: ip [ -4 | -6 | -br | -s | -o ] { address | link | route | rule | neighbour } [ show … ]
       ip [ -4 | -6 ] route get ADDRESS [ from ADDRESS ] [ oif DEVICE ] [ mark MARK ]`;

/** `ip` with `args`. */
export const ip: Tool = (args, context) => {
  let globals: Globals = { family: undefined, brief: false, statistics: false, oneLine: false };
  const words = new Words(args);
  let word = words.take();
  for (; word?.startsWith('-'); word = words.take()) globals = withOption(globals, word, words);
  if (word === undefined) throw new ToolExit(255, USAGE);
  const object = expand(word, Object.keys(SHOW));
  if (object === undefined) throw new ToolExit(1, `Object "${word}" is unknown, try "ip help".`);
  runObject(object, { words, globals, context });
  return 0;
};
