/** Our parser complains at once about some things that iptables-restore leaves to the kernel. */
import type { BackEnd, RefusalStage } from './refusal.ts';

interface LeftToKernel {
  readonly message: RegExp;
  /** Absent: both. */
  readonly backEnd?: BackEnd;
  /** Further what the line must be like. */
  readonly line?: RegExp;
}

const LEFT_TO_KERNEL: readonly LeftToKernel[] = [
  { message: /^(TCPMSS|sctp|dccp) needs -p / },
  { message: /^icmp6? needs -p /, line: / --icmp/ },
  { message: /^(tcp|udp) needs -p /, backEnd: 'legacy' },
  // iptables-nft translates these matches itself, but has nothing to translate in one without options.
  { message: /^(tcp|udp) needs -p /, backEnd: 'nft', line: /^(?!.* --([sd]p|so|syn|de|tcp-))/ },
  { message: /^--reject-with tcp-reset needs / },
  { message: /expected a name without '\/'$/ },
  { message: /for --hitcount; / },
  { message: /^--set asks nothing/, line: /^(?!.* --rttl)/ },
  { message: / is not contiguous$/ },
  // -P is carried out, and its policy looked at, when the table is loaded.
  { message: /^bad policy /, backEnd: 'nft', line: /^(?!:)/ },
];

/** When `backEnd` refuses what the parser said `message` about; `line` is the text of the line. */
export function stageOf(message: string, line: string, backEnd: BackEnd): RefusalStage {
  const left = LEFT_TO_KERNEL.some(
    (known) =>
      known.message.test(message) &&
      (known.backEnd === undefined || known.backEnd === backEnd) &&
      (known.line === undefined || known.line.test(line)),
  );
  return left ? 'load' : 'test';
}
