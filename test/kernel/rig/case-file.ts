/** Differential cases as JSON files: small ones that once failed are kept as tests. */

import { describePacket } from '../../../src/cli/kernel/describe-packet.ts';
import type { FrameKind, Injection } from '../../../src/cli/kernel/observe.ts';
import { type ConntrackSysctls, DEFAULT_CONNTRACK } from '../../../src/netfilter/conntrack/timeouts.ts';
import type { Backend } from '../../../src/netfilter/hooks.ts';
import { DEFAULT_DEVICE_SYSCTLS, type Device } from '../../../src/netstack/device.ts';
import type { Route, RouteType } from '../../../src/netstack/route-table.ts';
import { emitPacket, parsePacket } from '../../../src/wire/headers.ts';
import { formatIpAddress, type IpFamily, parseIpAddress } from '../../../src/wire/ip-address.ts';
import { formatIpPrefix, parseInterfaceAddress, parseIpPrefix } from '../../../src/wire/ip-prefix.ts';
import type { DifferentialCase } from './differential.ts';
import type { Step } from './fuzz-traffic.ts';

interface DeviceRecord extends Partial<Omit<Device, 'name' | 'addresses'>> {
  readonly name: string;
  readonly addresses: readonly string[];
}

interface RouteRecord {
  readonly type: RouteType;
  readonly dst: string;
  readonly dev: string;
  readonly via?: string;
}

type StepRecord =
  | { readonly wait: number }
  | { readonly about: string; readonly in?: string; readonly frame?: FrameKind; readonly bytes: string };

export interface CaseRecord {
  /** What the case is about; for the reader. */
  readonly about: string;
  readonly family: IpFamily;
  readonly backend: Backend;
  readonly engine: 'linear' | 'compiled';
  /** Sysctls that are not the kernel's defaults. */
  readonly conntrack: Partial<ConntrackSysctls>;
  readonly devices: readonly DeviceRecord[];
  readonly routes: readonly RouteRecord[];
  /** Lines of `ipset save` text. */
  readonly sets?: readonly string[];
  /** Lines of iptables-save text. */
  readonly rules: readonly string[];
  readonly steps: readonly StepRecord[];
}

export interface RecordedCase {
  readonly about: string;
  readonly subject: DifferentialCase;
  readonly steps: readonly Step[];
}

/** The fields of `value` that are not those of `usual`. */
function changes<T extends object>(value: T, usual: T): Partial<T> {
  const differs = ([key, field]: [string, unknown]) =>
    JSON.stringify(field) !== JSON.stringify(usual[key as keyof T]);
  return Object.fromEntries(Object.entries(value).filter(differs)) as Partial<T>;
}

function deviceRecord({ name, addresses, ...sysctls }: Device): DeviceRecord {
  return { name, addresses: addresses.map(formatIpPrefix), ...changes(sysctls, DEFAULT_DEVICE_SYSCTLS) };
}

function routeRecord({ type, prefix, device, gateway }: Route): RouteRecord {
  return {
    type,
    dst: formatIpPrefix(prefix),
    dev: device,
    ...(gateway === undefined ? {} : { via: formatIpAddress(gateway) }),
  };
}

function stepRecord(step: Step): StepRecord {
  if (step.kind === 'wait') return { wait: step.seconds };
  const { packet, device, frame, bytes } = step.injection;
  return {
    about: describePacket(packet, true),
    ...(device === undefined ? {} : { in: device }),
    ...(frame === undefined ? {} : { frame }),
    bytes: Buffer.from(bytes ?? emitPacket(packet)).toString('hex'),
  };
}

/** The case as JSON, a line a device, route, rule and step. */
export function printCase({ about, subject, steps }: RecordedCase): string {
  const { plan, family, backend, engine, rules } = subject;
  const lines = (text: string) => text.split('\n').filter((line) => line !== '');
  const list = (items: readonly unknown[]) =>
    items.length === 0 ? '[]' : `[\n${items.map((item) => `    ${JSON.stringify(item)}`).join(',\n')}\n  ]`;
  const fields: readonly (readonly [string, string])[] = [
    ['about', JSON.stringify(about)],
    ['family', JSON.stringify(family)],
    ['backend', JSON.stringify(backend)],
    ['engine', JSON.stringify(engine)],
    ['conntrack', JSON.stringify(changes(plan.conntrack, DEFAULT_CONNTRACK))],
    ['devices', list(plan.devices.map(deviceRecord))],
    ['routes', list(plan.routes.map(routeRecord))],
    ...(plan.sets === undefined ? [] : [['sets', list(lines(plan.sets))] as const]),
    ['rules', list(lines(rules))],
    ['steps', list(steps.map(stepRecord))],
  ];
  return `{\n${fields.map(([name, value]) => `  "${name}": ${value}`).join(',\n')}\n}\n`;
}

/** A packet, and its bytes where it would not make them itself. */
function packetOf(given: Uint8Array): Pick<Injection, 'packet' | 'bytes'> {
  const packet = parsePacket(given);
  const own = Buffer.from(emitPacket(packet));
  return own.equals(given) ? { packet } : { packet, bytes: Uint8Array.from(given) };
}

/** Reads what `printCase` wrote. */
export function parseCase(text: string): RecordedCase {
  const record = JSON.parse(text) as CaseRecord;
  return {
    about: record.about,
    subject: {
      family: record.family,
      backend: record.backend,
      engine: record.engine,
      rules: `${record.rules.join('\n')}\n`,
      plan: {
        ...(record.sets === undefined ? {} : { sets: `${record.sets.join('\n')}\n` }),
        conntrack: { ...DEFAULT_CONNTRACK, ...record.conntrack },
        devices: record.devices.map(({ name, addresses, ...sysctls }) => ({
          ...DEFAULT_DEVICE_SYSCTLS,
          ...sysctls,
          name,
          addresses: addresses.map(parseInterfaceAddress),
        })),
        routes: record.routes.map(({ type, dst, dev, via }) => ({
          type,
          prefix: parseIpPrefix(dst),
          device: dev,
          metric: 0,
          ...(via === undefined ? {} : { gateway: parseIpAddress(via) }),
        })),
      },
    },
    steps: record.steps.map((step): Step => {
      if ('wait' in step) return { kind: 'wait', seconds: step.wait };
      return {
        kind: 'packet',
        injection: {
          ...packetOf(Buffer.from(step.bytes, 'hex')),
          ...(step.in === undefined ? {} : { device: step.in }),
          ...(step.frame === undefined ? {} : { frame: step.frame }),
        },
      };
    }),
  };
}
