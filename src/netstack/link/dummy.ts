/** The drivers of devices that need none: dummy swallows what it is given, lo never gives a frame away. */
import type { LinkDriver } from './interface.ts';

/** drivers/net/dummy.c: counts and forgets. */
export const DUMMY_DRIVER: LinkDriver = { transmit() {} };

/** Packets for lo turn round inside the namespace; no frame comes here. */
export const LOOPBACK_DRIVER: LinkDriver = { transmit() {} };
