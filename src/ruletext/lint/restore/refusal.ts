/** What iptables-restore refuses, and when. */
import type { Finding } from '../findings.ts';

export const BACK_ENDS = ['nft', 'legacy'] as const;
export type BackEnd = (typeof BACK_ENDS)[number];

/**
 * When a refusal comes. `test`: already from `iptables-restore --test`. `load`: only when the tables are handed
 * to the kernel; iptables-nft 1.8.9 looks no chain up before that, so its `--test` lets many a file pass.
 */
export type RefusalStage = 'test' | 'load';

export interface Refusal {
  readonly stage: RefusalStage;
  readonly finding: Finding;
}
