/**
 * What the real plugins did: test/cni/recorded holds configurations, calls, and what containernetworking-plugins
 * 1.1.1 (Debian) answered, made in the container and programmed (iptables-nft 1.8.9), each in a network namespace
 * of its own on kernel 6.18.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CniError } from '../../src/cni/plugins/cni-error.ts';
import { parseConflist } from '../../src/cni/plugins/configuration.ts';
import { CniHost, type PortMapping, type Sandbox } from '../../src/cni/plugins/plugin.ts';
import { resultJson } from '../../src/cni/plugins/result.ts';
import { CniRuntime } from '../../src/cni/plugins/runtime.ts';
import { Namespace } from '../../src/netstack/namespace.ts';
import { mergeRuleSets } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { printRuleSet } from '../../src/ruletext/print-rules.ts';
import { Scheduler } from '../../src/sim/scheduler.ts';
import { familyOf, formatIpAddress, type IpFamily, parseIpAddress } from '../../src/wire/ip-address.ts';
import { formatIpPrefix } from '../../src/wire/ip-prefix.ts';

interface Recording {
  readonly conflist: object;
  readonly steps: readonly {
    readonly do: 'ADD' | 'DEL';
    readonly id: string;
    readonly runtimeConfig: {
      readonly portMappings: readonly (Omit<PortMapping, 'hostIP'> & { readonly hostIP?: string })[];
    };
  }[];
  readonly results: readonly {
    readonly error?: string;
    readonly ips?: readonly object[];
    readonly routes?: readonly object[];
    readonly interfaces?: readonly { readonly sandbox?: string }[];
    readonly container: { readonly routes: readonly string[]; readonly addresses: readonly string[] };
  }[];
  readonly nat: Readonly<Record<IpFamily, readonly string[]>>;
}

const DIRECTORY = join(import.meta.dirname, 'recorded');
const RECORDINGS = readdirSync(DIRECTORY).map((file) => {
  const recording: Recording = JSON.parse(readFileSync(join(DIRECTORY, file), 'utf8'));
  return [file.replace('.json', ''), recording] as const;
});

/** `default via 10.0.0.1 dev eth0 …` without what this emulation has no word for. */
function plainRoute(line: string): string {
  const everything = line.includes(':') ? '::/0' : '0.0.0.0/0';
  const [dst = '', ...rest] = line
    .replace(/ (?:proto \w+|scope \w+|metric \d+|pref \w+)/g, '')
    .trim()
    .split(' ');
  const prefix =
    dst === 'default' ? everything : dst.includes('/') ? dst : `${dst}/${dst.includes(':') ? 128 : 32}`;
  return [prefix, ...rest].join(' ');
}

function routesOf(namespace: Namespace): string[] {
  return namespace.book.routes
    .routes()
    .filter(
      ({ type, device, prefix }) =>
        type === 'unicast' && device === 'eth0' && !formatIpPrefix(prefix).startsWith('fe80'),
    )
    .map(({ prefix, device, gateway, src }) =>
      [
        formatIpPrefix(prefix),
        ...(gateway === undefined ? [] : ['via', formatIpAddress(gateway)]),
        'dev',
        device,
        ...(src === undefined ? [] : ['src', formatIpAddress(src)]),
      ].join(' '),
    )
    .sort();
}

function addressesOf(namespace: Namespace): string[] {
  const device = namespace.interface('eth0');
  const own = device === undefined ? [] : namespace.addresses(device);
  return own.map(formatIpPrefix).filter((text) => !text.startsWith('fe80'));
}

function natOf(host: CniHost, family: IpFamily): string[] {
  const text = host.rules.text(family);
  if (text === '') return [];
  return printRuleSet(mergeRuleSets([parseRules(text, { family })]))
    .split('\n')
    .filter((line) => /^(-A|:CNI)/.test(line));
}

describe.each(RECORDINGS)('%s', (_, { conflist, steps, results, nat }) => {
  test('is done as the real plugins did it', () => {
    const scheduler = new Scheduler();
    const host = new CniHost(new Namespace({ name: 'machine', scheduler, seed: 1 }));
    const runtime = new CniRuntime(host, parseConflist(JSON.stringify(conflist), 'recorded'));
    const sandboxes = new Map<string, Sandbox>();
    for (const [index, step] of steps.entries()) {
      const { id: containerId } = step;
      const expected = results[index];
      const path = `/var/run/netns/${containerId}`;
      const sandbox = sandboxes.get(containerId) ?? {
        path,
        namespace: new Namespace({ name: containerId, scheduler, seed: 1 }),
      };
      sandboxes.set(containerId, sandbox);
      const portMappings = step.runtimeConfig.portMappings.map(
        ({ hostIP, ...mapping }): PortMapping => ({
          ...mapping,
          ...(hostIP === undefined ? {} : { hostIP: parseIpAddress(hostIP) }),
        }),
      );
      const attachment = { containerId, ifName: 'eth0', sandbox, runtimeConfig: { portMappings } };
      if (step.do === 'DEL') runtime.del(attachment);
      else if (expected?.error !== undefined) expect(() => runtime.add(attachment)).toThrow(CniError);
      else {
        const json: { interfaces?: { sandbox?: string }[]; ips?: object[]; routes?: object[] } = resultJson(
          runtime.add(attachment),
          '1.0.0',
        );
        expect(json.ips ?? []).toEqual(expected?.ips);
        expect(json.routes ?? []).toEqual(expected?.routes);
        expect(json.interfaces?.map((each) => each.sandbox)).toEqual(
          expected?.interfaces?.map((each) => each.sandbox),
        );
      }
      expect(addressesOf(sandbox.namespace)).toEqual(expected?.container.addresses);
      expect(routesOf(sandbox.namespace)).toEqual(expected?.container.routes.map(plainRoute).sort());
    }
    const families = [...sandboxes.values()].flatMap(({ namespace }) =>
      namespace
        .interfaces()
        .flatMap((device) => namespace.addresses(device).map(({ address }) => familyOf(address))),
    );
    for (const family of new Set(families)) expect(natOf(host, family)).toEqual(nat[family]);
  });
});
