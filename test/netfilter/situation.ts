/**
 * Situations for table tests: rules, a host, packets in short notation, and what must come of them. The way is
 * that of `kubewire eval`: rule text through the reader, the host through its YAML, packets through the host.
 *
 *   e1 udp C:4444 > VIP:53 ttl=9        a packet in on e1        local tcp O1:1 > S:80 SA seq=1 ack=2
 *   e1 icmp 3/1 R > N {udp N:4444 > S:5353}                      an error about another packet
 */
import { expect, it } from 'vitest';
import { buildHost } from '../../src/cluster/single-host/build-host.ts';
import { decodeHostSpec } from '../../src/cluster/single-host/host-spec.ts';
import { decodePackets } from '../../src/cluster/single-host/packet-lines.ts';
import { packetJson, pathOf, verdictJson } from '../../src/cluster/single-host/result.ts';
import type { Backend } from '../../src/netfilter/hooks.ts';
import type { HostEvent } from '../../src/netstack/events.ts';
import { parseIpsetSave } from '../../src/ruletext/ipset-save.ts';
import { toRuleSet } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import type { IpFamily } from '../../src/wire/ip-address.ts';

/** The host most situations are about: three devices, a client C, a server S, a virtual address VIP. */
export const HOST = `interfaces:
- {name: e1, addresses: [10.0.1.1/24]}
- {name: e2, addresses: [10.0.2.1/24]}
- {name: e3, addresses: [10.0.3.1/24]}
`;

export const NAMES: Readonly<Record<string, string>> = {
  C: '10.0.1.9',
  S: '10.0.2.9',
  R: '10.0.2.77',
  VIP: '10.9.9.9',
  O1: '10.0.1.1',
  O2: '10.0.2.1',
  C6: 'fd00:1::9',
  S6: 'fd00:2::9',
  O6: 'fd00:1::1',
  P6: 'fd00:2::1',
};

/** The same host in IPv6: one more unique local address on e1, and a global one. */
export const HOST6 = `interfaces:
- {name: e1, addresses: ["fd00:1::1/64", "fe80::1/64", "fd00:1::1:1/64", "2001:db8:1::1/64"]}
- {name: e2, addresses: ["fd00:2::1/64"]}
routes:
- {dst: "2001:db8:a::/48", type: unreachable}
- {dst: "2001:db8:b::/48", type: prohibit}
- {dst: "2001:db8:c::/48", type: blackhole}
- {dst: "2001:db8:e::/48", via: "fd00:2::fe", dev: e2}
`;

/** What must come of one packet; what is absent is not looked at. */
export interface Step {
  readonly packet: string;
  /** Seconds of virtual time before it. */
  readonly wait?: number;
  /** `forwarded e2 udp C:4444 > S:5353 ttl=63`, `delivered …`, `rejected tcp-reset e1`, `dropped rule`. */
  readonly fate?: string;
  /** ctstate as the first conntrack look sees it. */
  readonly state?: string;
  /** `table CHAIN number` of every rule that matched, in order. */
  readonly matched?: readonly string[];
  /** Everything that left, the host's own words too. */
  readonly left?: readonly string[];
  /** Conntrack's table afterwards: `udp C:1 > S:2 | S:2 > C:1 UNREPLIED 30`. */
  readonly entries?: readonly string[];
}

export interface Situation {
  readonly name: string;
  readonly rules?: string;
  readonly host?: string;
  readonly backend?: Backend;
  readonly family?: IpFamily;
  /** `ipset save` text. */
  readonly sets?: string;
  readonly steps: readonly Step[];
}

const named = (text: string) => text.replace(/\b[A-Z][A-Z0-9]*\b/g, (word) => NAMES[word] ?? word);

/** `C:4444` → address and port. */
function end(text: string): { readonly address: string; readonly port?: number } {
  const bracketed = /^\[(.*)\](?::(\d+))?$/.exec(text);
  const plain = text.split(':');
  // More than one colon outside brackets: an IPv6 address without a port.
  const [address = '', port] = bracketed?.slice(1) ?? (plain.length > 2 ? [text] : plain);
  return { address: NAMES[address] ?? address, ...(port === undefined ? {} : { port: Number(port) }) };
}

function numberFields(words: readonly string[]): Record<string, number | string> {
  const fields: Record<string, number | string> = {};
  for (const word of words) {
    const [key = '', value] = word.split('=');
    if (value === undefined) fields.flags = word;
    else fields[key] = key === 'payload' ? value : Number(value);
  }
  return fields;
}

/** The packet line's fields of short notation without the device. */
function packetFields(text: string): Record<string, unknown> {
  const quote = /\{(.*)\}/.exec(text);
  const words = text
    .replace(/\{.*\}/, '')
    .trim()
    .split(/ +/);
  const [proto = '', ...rest] = words;
  const typeCode = proto === 'icmp' ? rest.shift()?.split('/').map(Number) : undefined;
  const [from = '', , to = '', ...more] = rest;
  const src = end(from);
  const dst = end(to);
  return {
    proto: /^\d+$/.test(proto) ? Number(proto) : proto,
    src: src.address,
    dst: dst.address,
    ...(src.port === undefined ? {} : { sport: src.port }),
    ...(dst.port === undefined ? {} : { dport: dst.port }),
    ...(typeCode === undefined ? {} : { type: typeCode[0], code: typeCode[1] ?? 0 }),
    ...numberFields(more),
    ...(quote?.[1] === undefined ? {} : { quoted: packetFields(quote[1].trim()) }),
  };
}

function packetLine({ packet, wait = 0 }: Step): string {
  const [device = '', ...rest] = packet.split(' ');
  const fields = packetFields(rest.join(' '));
  return JSON.stringify({ wait, ...(device === 'local' ? {} : { in: device }), ...fields });
}

type Shown = ReturnType<typeof packetJson>;

function showPacket(packet: Shown): string {
  const { proto, src, dst, sport, dport, type, code, icmpId, ttl } = packet;
  const ends = sport === undefined ? `${src} > ${dst}` : `${src}:${sport} > ${dst}:${dport}`;
  const id = proto === 'icmp' && icmpId !== 0 ? ` id=${icmpId}` : '';
  return `${proto === 'icmp' ? `icmp ${type}/${code}` : proto} ${ends}${id} ttl=${ttl}`;
}

function showFate(verdict: ReturnType<typeof verdictJson>): string {
  const { packet, out, response, via, reason } = verdict;
  const parts = [verdict.verdict, out, response, via, reason, packet && showPacket(packet)];
  return parts.filter((part) => part !== undefined).join(' ');
}

function showEntries(host: ReturnType<typeof buildHost>): string[] {
  const now = host.clock.now();
  return [...host.host.netfilter.conntrack.entries(now)].map((entry) => {
    const tuple = ({ src, dst, sport, dport, protocol }: typeof entry.original) => {
      const packet = { src, dst, ttl: 0, tos: 0, id: 0, dontFragment: false } as const;
      const data = new Uint8Array(0);
      const shown = packetJson({ ...packet, transport: { kind: 'opaque', protocol, data } });
      return `${shown.src}:${sport} > ${shown.dst}:${dport}`;
    };
    const { seenReply, assured, tcp, expires } = entry;
    const words = [
      tuple(entry.original),
      '|',
      tuple(entry.reply),
      tcp?.state,
      seenReply ? undefined : 'UNREPLIED',
      assured ? 'ASSURED' : undefined,
      String(Math.round(expires - now)),
    ];
    return words.filter((word) => word !== undefined).join(' ');
  });
}

/** Rule text with the COMMIT lines that people leave out. */
function completed(text: string): string {
  const tables = text.trim().split(/^(?=\*)/m);
  return tables.map((table) => `${table.trim()}\nCOMMIT\n`).join('');
}

function play(situation: Situation): void {
  const { rules = '', family = 'ipv4', host = family === 'ipv4' ? HOST : HOST6 } = situation;
  const { backend = 'nft', sets, steps } = situation;
  const ruleSets =
    rules === '' ? [] : [toRuleSet(parseRules(completed(named(rules)), { file: 'rules', family }))];
  const run = buildHost(decodeHostSpec(host, 'host'), { rules: ruleSets, seed: 1, backend });
  if (sets !== undefined) run.host.netfilter.loadSets(parseIpsetSave(named(sets), 'sets'));
  for (const [index, step] of steps.entries()) {
    const [line] = decodePackets(packetLine(step), 'packets');
    if (line === undefined) throw new Error(`no packet in ${step.packet}`);
    const events: HostEvent[] = [];
    run.clock.advance(line.wait);
    run.host.trace = (event) => events.push(event);
    const device = run.host.addresses.devices.get(line.inDevice ?? '');
    const { fate, transmissions } =
      device === undefined ? run.host.send(line.packet) : run.host.receive(line.packet, device);
    const path = pathOf(events)
      .map((part) => `  ${part.hook} ${part.table} ${part.chain} ${part.rule ?? ''} ${part.effect}`)
      .join('\n');
    const where = `step ${index + 1}: ${step.packet}\n${path}`;
    const seen = events.find((event) => event.kind === 'conntrack');
    if (step.fate !== undefined) expect(showFate(verdictJson(fate)), where).toBe(named(step.fate));
    if (step.state !== undefined) expect(seen?.kind === 'conntrack' && seen.state, where).toBe(step.state);
    if (step.matched !== undefined) {
      const matched = events.flatMap((event) =>
        event.kind === 'rule' ? [`${event.table} ${event.chain} ${event.number}`] : [],
      );
      expect(matched, where).toEqual(step.matched);
    }
    if (step.left !== undefined) {
      const left = transmissions.map((sent) => `${sent.device} ${showPacket(packetJson(sent.packet))}`);
      expect(left, where).toEqual(step.left.map(named));
    }
    if (step.entries !== undefined) expect(showEntries(run), where).toEqual(step.entries.map(named));
  }
}

/** One test a situation. */
export function situations(table: readonly Situation[]): void {
  it.each(table.map((situation) => [situation.name, situation] as const))('%s', (_name, situation) => {
    play(situation);
  });
}
