/** `sysctl`: kernel parameters of the namespace, read and written. */
import { type Tool, type ToolContext, ToolExit } from './tool.ts';

/** What the tool needs of the namespace's sysctls. */
export interface SysctlStore {
  /** Undefined: there is no such name. */
  get(name: string): string | undefined;
  /** False: the kernel does not take this value. */
  set(name: string, value: string): boolean;
  names(): readonly string[];
}

/**
 * `net/ipv4/conf/eth0.5/rp_filter` and `net.ipv4.conf.eth0/5.rp_filter` are the same parameter: the first
 * separator met decides which one separates.
 */
function dotted(text: string): string {
  const separator = /[./]/.exec(text)?.[0];
  if (separator !== '/') return text;
  return text.replace(/[./]/g, (each) => (each === '/' ? '.' : '/'));
}

/** The file that the parameter is. */
function pathOf(name: string): string {
  return `/proc/sys/${name.replace(/[./]/g, (each) => (each === '.' ? '/' : '.'))}`;
}

interface Options {
  values: boolean;
  names: boolean;
  quiet: boolean;
  ignore: boolean;
  all: boolean;
  write: boolean;
  pattern: RegExp | undefined;
}

const SHORT: Readonly<Record<string, keyof Options>> = {
  n: 'values',
  N: 'names',
  q: 'quiet',
  e: 'ignore',
  a: 'all',
  A: 'all',
  X: 'all',
  w: 'write',
};

const LONG: Readonly<Record<string, keyof Options>> = {
  values: 'values',
  names: 'names',
  quiet: 'quiet',
  ignore: 'ignore',
  all: 'all',
  write: 'write',
};

function patternOf(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    throw new ToolExit(1, `sysctl: the pattern '${text}' is no regular expression`);
  }
}

function readArguments(args: readonly string[]): {
  readonly options: Options;
  readonly words: readonly string[];
} {
  const flags = { values: false, names: false, quiet: false, ignore: false, all: false, write: false };
  const options: Options = { ...flags, pattern: undefined };
  const words: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? '';
    if (word === '-r' || word === '--pattern') options.pattern = patternOf(args[++at] ?? '');
    else if (word.startsWith('-')) {
      const names = word.startsWith('--')
        ? [LONG[word.slice(2)]]
        : [...word.slice(1)].map((letter) => SHORT[letter]);
      for (const name of names) {
        if (name === undefined || name === 'pattern')
          throw new ToolExit(1, `sysctl: ${word} is not supported here`);
        options[name] = true;
      }
    } else words.push(word);
  }
  return { options, words };
}

function valueText(name: string, value: string, { values, names }: Options): string {
  if (names) return `${name}\n`;
  return values ? `${value}\n` : `${name} = ${value}\n`;
}

function missing(name: string, options: Options, { complain }: ToolContext): number {
  if (options.ignore) return 0;
  complain(`sysctl: cannot stat ${pathOf(name)}: No such file or directory\n`);
  return 1;
}

function assign(word: string, store: SysctlStore, options: Options, context: ToolContext): number {
  const equals = word.indexOf('=');
  const name = dotted(word.slice(0, equals).trim());
  const value = word.slice(equals + 1).trim();
  if (store.get(name) === undefined) return missing(name, options, context);
  if (!store.set(name, value)) {
    context.complain(`sysctl: setting key "${name}": Invalid argument\n`);
    return 1;
  }
  if (!options.quiet) context.print(valueText(name, value, options));
  return 0;
}

function show(word: string, store: SysctlStore, options: Options, context: ToolContext): number {
  const name = dotted(word);
  const value = store.get(name);
  if (value === undefined) return missing(name, options, context);
  context.print(valueText(name, value, options));
  return 0;
}

/** `sysctl` with `args` on `store`. */
export function runSysctl(args: readonly string[], store: SysctlStore, context: ToolContext): number {
  const { options, words } = readArguments(args);
  if (options.all) {
    const names = store.names().filter((name) => options.pattern === undefined || options.pattern.test(name));
    for (const name of [...names].sort()) show(name, store, options, context);
    return 0;
  }
  if (words.length === 0) {
    throw new ToolExit(1, "sysctl: no variables specified\nTry `sysctl --help' for more information.");
  }
  let code = 0;
  for (const word of words) {
    const run = word.includes('=') ? assign : show;
    code = run(word, store, options, context) || code;
  }
  return code;
}

const PER_DEVICE = /^net\.ipv[46]\.(?:conf|neigh)\.(.+)\.[^.]+$/;

/** A device's dots are slashes in the names of parameters. */
function isKnownDevice({ namespace }: ToolContext, name: string): boolean {
  const device = PER_DEVICE.exec(name)?.[1]?.replaceAll('/', '.');
  if (device === undefined || device === 'all' || device === 'default') return true;
  return namespace.interface(device) !== undefined;
}

/** `sysctl` with `args` on the namespace's own. */
export const sysctl: Tool = (args, context) => {
  const { namespace } = context;
  const store: SysctlStore = {
    get: (name) => (isKnownDevice(context, name) ? namespace.sysctl(name) : undefined),
    set: (name, value) => {
      // The parameters of the network are numbers, some of them several.
      if (!/^-?\d+([ \t]+-?\d+)*$/.test(value)) return false;
      namespace.setSysctl(name, value);
      return true;
    },
    names: () => {
      const devices = namespace.interfaces().map(({ name }) => name.replaceAll('.', '/'));
      return namespace.sysctls.list(devices).map(([name]) => name);
    },
  };
  return runSysctl(args, store, context);
};
