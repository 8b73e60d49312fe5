/**
 * Cases of the fuzzer in which kernel and engine still differ, by seed. They are played and printed, and do
 * not fail the run; each names what is to be found out. The list only ever gets shorter.
 */
export const KNOWN_DIFFERENCES: ReadonlyMap<number, string> = new Map();
