/** The kernel's own rounding of 1/n, read back from iptables-save. Needs root. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { balancingProbability } from '../../src/proxy/iptables/probability.ts';

const LARGEST = 5000;

test.each(['nft', 'legacy'])(`iptables-%s prints 1/2 to 1/${LARGEST} as the proxy does`, (backend) => {
  const numbers = Array.from({ length: LARGEST - 1 }, (_, index) => index + 2);
  // As kube-proxy writes them: ten decimals.
  const rules = numbers.map(
    (n) => `-A X -m statistic --mode random --probability ${(1 / n).toFixed(10)} -j RETURN`,
  );
  const input = `*filter\n:X - [0:0]\n${rules.join('\n')}\nCOMMIT\n`;
  const script = `iptables-${backend}-restore && iptables-${backend}-save -t filter`;
  const saved = execFileSync('unshare', ['--net', 'sh', '-ec', script], { input, encoding: 'utf8' });
  const printed = [...saved.matchAll(/--probability (\S+)/g)].map(([, probability]) => probability);
  expect(printed).toEqual(numbers.map(balancingProbability));
});
