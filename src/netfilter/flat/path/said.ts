/** What a stage of the path says of a packet: a FATE, or one of these. */
import { FATE } from './path-batch.ts';

/** The packet goes on. */
export const PASSES = 0;
/** The reference takes it. */
export const REFERRED = -1;
/** A rule with a NAT target matched. */
export const TRANSLATES = -2;

/** By OUTCOME of a walk. */
export const SAID = Int8Array.of(PASSES, FATE.droppedByRule, FATE.droppedByPolicy, TRANSLATES, REFERRED);
