/** A host whose forwarded packets take the flat path; everything else of theirs is the host's own. */
import { FlatPath } from '../netfilter/flat/path/flat-path.ts';
import type { TapedChoices } from '../netfilter/flat/path/taped-choices.ts';
import type { Device } from './device.ts';
import { HostRouting } from './flat-routing.ts';
import type { Host, Passage } from './host.ts';

/**
 * The flat path of `host`, whose netfilter draws from `choices` and has no flows yet. The devices of its batches
 * are numbered in the order of `host.addresses.devices`. Throws RangeError when there are flows already.
 */
export function flatPathOf(host: Host, choices: TapedChoices, expectedFlows = 0): FlatPath<Passage> {
  const { addresses, netfilter } = host;
  const devices: readonly Device[] = [...addresses.devices.values()];
  const deviceOf = (number: number): Device => {
    const device = devices[number];
    if (device === undefined) throw new RangeError(`no device number ${number}`);
    return device;
  };
  return new FlatPath<Passage>({
    netfilter,
    choices,
    routing: new HostRouting(addresses),
    reference: {
      receive: (packet, inDevice) => host.receive(packet, deviceOf(inDevice)),
      resume: (skb, inDevice, hook, step) => host.resume(skb, deviceOf(inDevice), { hook, step }),
    },
    expectedFlows,
  });
}
