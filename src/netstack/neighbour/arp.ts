/**
 * What a host says and believes in ARP, as pure decisions (net/ipv4/arp.c): whether it answers a request
 * (arp_ignore, arp_filter), in whose name it asks (arp_announce), and what it takes from what it hears.
 */
import { ARP_OPERATION, type ArpMessage } from '../../wire/arp.ts';
import { type InterfaceAddress, prefixContains, prefixOf } from '../../wire/ip-prefix.ts';
import type { AddressBook } from '../addressing.ts';
import { isLoopback, isMulticast } from '../route-table.ts';
import { checkSource } from '../source-check.ts';
import type { SysctlTable } from '../sysctls/sysctl-table.ts';

export interface ArpContext {
  readonly book: AddressBook;
  readonly sysctls: SysctlTable;
  /** The device the message came in on, or leaves by. */
  readonly device: string;
}

function ownAddresses({ book, device }: ArpContext): readonly InterfaceAddress[] {
  return book.devices.get(device)?.addresses ?? [];
}

function isOnDevice(address: number, context: ArpContext): boolean {
  return ownAddresses(context).some((own) => own.address === address);
}

function sameSubnet(a: number, b: number, context: ArpContext): boolean {
  return ownAddresses(context).some(({ address, length }) => {
    if (typeof address !== 'number') return false;
    const subnet = prefixOf(address, length);
    return prefixContains(subnet, a) && prefixContains(subnet, b);
  });
}

/** arp_ignore: whether a request for an address of ours is passed over in silence. */
function ignores(senderIp: number, targetIp: number, context: ArpContext): boolean {
  switch (context.sysctls.ipv4Conf(context.device, 'arp_ignore')) {
    case 1:
      return !isOnDevice(targetIp, context);
    case 2:
      return !isOnDevice(targetIp, context) || (senderIp !== 0 && !sameSubnet(senderIp, targetIp, context));
    case 3:
      // Addresses of host scope are nobody else's business.
      return isLoopback(targetIp);
    case 8:
      return true;
    default:
      return false;
  }
}

/** arp_filter: only the device by which we would answer the asker may answer. */
function isFiltered(senderIp: number, targetIp: number, { book, sysctls, device }: ArpContext): boolean {
  if (sysctls.ipv4Conf(device, 'arp_filter') === 0) return false;
  return book.routes.lookup(senderIp, undefined, { src: targetIp })?.device !== device;
}

export type ArpVerdict =
  /** Answer with this device's address; `learn`: the asker becomes a neighbour. */
  | { readonly kind: 'answer'; readonly learn: boolean }
  /** The address is not ours: a proxy may answer. */
  | { readonly kind: 'not-ours' }
  /** Not a word, and nothing is learned. */
  | { readonly kind: 'silent' }
  /** Nothing to answer, but what is known of the sender may change. */
  | { readonly kind: 'hear' };

/** Decides about a message that has come in (arp_process). */
export function judgeArp({ operation, senderIp, targetIp }: ArpMessage, context: ArpContext): ArpVerdict {
  const { book, device } = context;
  if (operation !== ARP_OPERATION.request && operation !== ARP_OPERATION.reply) return { kind: 'silent' };
  const receiver = book.devices.get(device);
  if (receiver === undefined || isMulticast(targetIp)) return { kind: 'silent' };
  if (isLoopback(targetIp) && !receiver.routeLocalnet) return { kind: 'silent' };
  const isOurs = book.routes.lookupLocal(targetIp)?.type === 'local';
  if (senderIp === 0) {
    // Somebody asks whether an address is free (RFC 5227): ours is not.
    const defends = operation === ARP_OPERATION.request && isOurs && !ignores(senderIp, targetIp, context);
    return defends ? { kind: 'answer', learn: false } : { kind: 'silent' };
  }
  if (operation !== ARP_OPERATION.request) return { kind: 'hear' };
  // The question must make sense as a packet from the asker (ip_route_input).
  if (
    isLoopback(senderIp) ||
    isMulticast(senderIp) ||
    checkSource(senderIp, receiver, book, targetIp) !== 'ok'
  ) {
    return { kind: 'hear' };
  }
  if (!isOurs) return { kind: 'not-ours' };
  const silent = ignores(senderIp, targetIp, context) || isFiltered(senderIp, targetIp, context);
  return silent ? { kind: 'silent' } : { kind: 'answer', learn: true };
}

/**
 * Whose name to ask in for `targetIp` (arp_solicit): by arp_announce, the source of the packet that waits
 * (`wanted`), or an address that suits the target. Zero when there is none.
 */
export function askingAddress(targetIp: number, wanted: number | undefined, context: ArpContext): number {
  const { book, sysctls, device } = context;
  const announce = sysctls.ipv4Conf(device, 'arp_announce');
  const isOurs = wanted !== undefined && book.routes.lookupLocal(wanted)?.type === 'local';
  if (isOurs && announce === 0) return wanted;
  if (isOurs && announce === 1 && sameSubnet(wanted, targetIp, context)) return wanted;
  const own = book.masqueradeAddress(device, targetIp);
  return typeof own === 'number' ? own : 0;
}
