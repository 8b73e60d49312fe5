/** What hosts do with packets under other programs' rules: the promise of each program, packet by packet. */
import { CONTAINER_FATES } from './container-fates.ts';
import type { ForeignFates } from './foreign-fates.ts';
import { HOST_FIREWALL_FATES } from './host-firewall-fates.ts';
import { NETWORK_PLUGIN_FATES } from './network-plugin-fates.ts';
import { SIDECAR_FATES } from './sidecar-fates.ts';

export const FATES: readonly ForeignFates[] = [
  ...CONTAINER_FATES,
  ...NETWORK_PLUGIN_FATES,
  ...SIDECAR_FATES,
  ...HOST_FIREWALL_FATES,
];
