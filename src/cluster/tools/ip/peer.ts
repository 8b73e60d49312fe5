/** The other end of a veth pair. */
import { Interface } from '../../../netstack/link/interface.ts';

/** The device at the other end of `device`; undefined for devices that are no half of a pair. */
export function peerOf({ driver }: Interface): Interface | undefined {
  return 'peer' in driver && driver.peer instanceof Interface ? driver.peer : undefined;
}
