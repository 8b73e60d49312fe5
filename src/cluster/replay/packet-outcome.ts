/** What became of one replayed packet, put together from what the hosts on its way told. */
import type { DropReason } from '../../netfilter/verdict.ts';
import { type Fate, formatRefusal } from '../../netstack/fate.ts';
import type { NamespaceEvent } from '../../netstack/namespace-events.ts';
import type { IpAddress } from '../../wire/ip-address.ts';
import type { Packet } from '../../wire/packet.ts';

export type Outcome =
  | { readonly kind: 'delivered'; readonly host: string; readonly packet: Packet }
  /** `with`: `tcp-reset` or `icmp-TYPE-CODE`. */
  | { readonly kind: 'rejected'; readonly host: string; readonly with: string }
  | { readonly kind: 'dropped'; readonly host: string; readonly reason: DropReason; readonly rule?: string }
  /** It left this host and nobody told of it again. */
  | { readonly kind: 'sent'; readonly host: string; readonly device: string; readonly packet: Packet }
  | { readonly kind: 'unknown'; readonly host: string; readonly reason: string };

/** The tag of everything that one replayed packet leads to. */
export interface ReplayCause {
  readonly index: number;
  /** The packet itself on its way, or what somebody said because of it. */
  readonly leg: 'packet' | 'answer';
}

/** One address and port that was rewritten. */
export interface Translation {
  readonly manip: 'source' | 'destination';
  readonly address: IpAddress;
  readonly port: number | undefined;
}

function outcomeOf(host: string, fate: Fate, rule: string | undefined): Outcome {
  switch (fate.kind) {
    case 'delivered':
      return { kind: 'delivered', host, packet: fate.packet };
    case 'rejected':
      return { kind: 'rejected', host, with: formatRefusal(fate.refusal) };
    case 'dropped':
      return { kind: 'dropped', host, reason: fate.reason, ...(rule === undefined ? {} : { rule }) };
    case 'unknown':
      return { kind: 'unknown', host, reason: fate.reason };
    case 'forwarded':
    case 'sent':
      return { kind: 'sent', host, device: fate.device, packet: fate.packet };
  }
}

function translationOf(event: Extract<NamespaceEvent, { kind: 'translate' }>): Translation {
  const { manip, after } = event;
  const ports = 'sport' in after.transport ? after.transport : undefined;
  return manip === 'source'
    ? { manip, address: after.src, port: ports?.sport }
    : { manip, address: after.dst, port: ports?.dport };
}

export class PacketStory {
  outcome: Outcome | undefined;
  readonly translations: Translation[] = [];
  /** Hosts that saw it, in order. */
  readonly path: string[] = [];
  #rule: string | undefined;

  /** `host` tells of the packet itself. */
  tell(host: string, event: NamespaceEvent): void {
    switch (event.kind) {
      case 'receive':
      case 'originate':
        if (this.path.at(-1) !== host) this.path.push(host);
        break;
      case 'rule':
        this.#rule = `${event.table} ${event.chain} ${event.number}`;
        break;
      case 'policy':
        this.#rule = `${event.table} ${event.chain} policy`;
        break;
      case 'translate':
        this.translations.push(translationOf(event));
        break;
      case 'fate': {
        // A copy of a flooded frame that is for another host says nothing about the packet.
        const stray = event.fate.kind === 'dropped' && event.fate.reason === 'not-for-us';
        if (!stray) this.outcome = outcomeOf(host, event.fate, this.#decidingRule(event.fate));
        break;
      }
      case 'frame-lost':
      case 'frame-dropped':
      case 'packet-dropped': {
        const arp = 'frame' in event && event.frame.payload.kind !== 'ip';
        if (!arp) this.outcome = { kind: 'dropped', host, reason: event.reason };
        break;
      }
      default:
        break;
    }
  }

  #decidingRule(fate: Fate): string | undefined {
    return fate.kind === 'dropped' && (fate.reason === 'rule' || fate.reason === 'policy')
      ? this.#rule
      : undefined;
  }
}
