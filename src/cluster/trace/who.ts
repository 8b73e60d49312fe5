/** The words by which the command line names the ends of a trace: `pod/default/web-0`, `svc/default/web:http`. */
import { InputError } from '../../sim/input-error.ts';
import { formatIpAddress, type IpAddress, tryParseIpAddress } from '../../wire/ip-address.ts';

/** A port as written: a number, or a name to look up. */
export type PortWord = number | string;

export type Who =
  | {
      readonly kind: 'pod' | 'svc';
      readonly namespace: string;
      readonly name: string;
      readonly port?: PortWord;
    }
  | { readonly kind: 'node' | 'host'; readonly name: string; readonly port?: PortWord }
  | { readonly kind: 'external' | 'address'; readonly address: IpAddress; readonly port?: PortWord };

const FROM_FORMS = 'pod/NAMESPACE/NAME, node/NAME, host/NAME or external/ADDRESS';
const TO_FORMS = `${FROM_FORMS}, svc/NAMESPACE/NAME, each with or without :PORT, or ADDRESS:PORT`;

const MAX_PORT = 65_535;

function parsePort(text: string | undefined): PortWord | undefined {
  if (text === undefined) return undefined;
  return /^\d+$/.test(text) ? Number(text) : text;
}

/** Splits `ADDRESS:PORT`, `[ADDRESS]:PORT` or a bare address. */
function splitSocket(text: string): { readonly address: IpAddress; readonly port?: PortWord } | undefined {
  const bracketed = /^\[([^\]]*)\](?::([^:]+))?$/.exec(text);
  const plain = bracketed ?? /^([^:]+)(?::([^:]+))?$/.exec(text);
  const address = tryParseIpAddress(plain?.[1] ?? text);
  if (address === undefined) return undefined;
  const port = parsePort(plain?.[2]);
  return port === undefined ? { address } : { address, port };
}

function parse(text: string): Who | undefined {
  const named = /^(pod|svc)\/([^/:]+)\/([^/:]+)(?::([^/:]+))?$/.exec(text);
  if (named !== null) {
    const [, kind, namespace = '', name = '', portText] = named;
    const port = parsePort(portText);
    return { kind: kind === 'svc' ? 'svc' : 'pod', namespace, name, ...(port === undefined ? {} : { port }) };
  }
  const single = /^(node|host)\/([^/:]+)(?::([^/:]+))?$/.exec(text);
  if (single !== null) {
    const [, kind, name = '', portText] = single;
    const port = parsePort(portText);
    return { kind: kind === 'node' ? 'node' : 'host', name, ...(port === undefined ? {} : { port }) };
  }
  const external = text.startsWith('external/');
  const socket = splitSocket(external ? text.slice('external/'.length) : text);
  return socket && { kind: external ? 'external' : 'address', ...socket };
}

function check(flag: string, text: string, forms: string): Who {
  const who = parse(text);
  if (who === undefined) throw new InputError(`${flag} '${text}': expected ${forms}`);
  if (typeof who.port === 'number' && (who.port < 1 || who.port > MAX_PORT)) {
    throw new InputError(`${flag} '${text}': port ${who.port} is not between 1 and ${MAX_PORT}`);
  }
  return who;
}

/** Reads `--from`. Throws InputError. */
export function parseFrom(text: string): Exclude<Who, { kind: 'svc' | 'address' }> {
  const who = check('--from', text, FROM_FORMS);
  if (who.kind === 'address') {
    const address = formatIpAddress(who.address);
    throw new InputError(`--from '${text}': expected ${FROM_FORMS}; did you mean external/${address}?`);
  }
  if (who.kind === 'svc' || who.port !== undefined) {
    throw new InputError(`--from '${text}': expected ${FROM_FORMS} (its port is --sport)`);
  }
  return who as Exclude<Who, { kind: 'svc' | 'address' }>;
}

/** Reads `--to`. Throws InputError. */
export function parseTo(text: string): Who {
  const who = check('--to', text, TO_FORMS);
  if (who.kind === 'address' && who.port === undefined) {
    throw new InputError(`--to '${text}': expected a port too, as in ${text}:80`);
  }
  return who;
}
