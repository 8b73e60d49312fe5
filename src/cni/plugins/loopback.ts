/** loopback: switches the container's lo on. */

import { CniError } from './cni-error.ts';
import type { LoopbackConfiguration } from './configuration.ts';
import { sandboxOf } from './container-interface.ts';
import type { Plugin } from './plugin.ts';
import { EMPTY_RESULT } from './result.ts';

const DEVICE = 'lo';

/** The loopback plugin (plugins/main/loopback). */
export const loopback: Plugin<LoopbackConfiguration> = {
  add(_configuration, call) {
    const { namespace, path } = sandboxOf(call, 'loopback');
    const device = namespace.interface(DEVICE);
    if (device === undefined) throw new CniError('failed', `there is no device ${DEVICE}`, 'loopback');
    namespace.setUp(device, true);
    if (call.prevResult !== undefined) return call.prevResult;
    const ips = namespace.addresses(device).map((address) => ({ address, interface: 0 }));
    return { ...EMPTY_RESULT, interfaces: [{ name: DEVICE, mac: device.mac, sandbox: path }], ips };
  },

  del(_configuration, { sandbox }) {
    const device = sandbox?.namespace.interface(DEVICE);
    if (device !== undefined) sandbox?.namespace.setUp(device, false);
  },

  check(_configuration, call) {
    const device = sandboxOf(call, 'loopback').namespace.interface(DEVICE);
    if (device?.up !== true) throw new CniError('check-failed', `${DEVICE} is down`, 'loopback');
  },

  gc() {},
  status() {},
};
