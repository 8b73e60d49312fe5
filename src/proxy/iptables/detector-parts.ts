/** The local detector as parts of an iptables rule. */
import type { LocalDetector } from '../local-detector.ts';
import type { RuleParts } from './rule-text.ts';

/** Matches traffic of pods `here` (on this node) or from `elsewhere`; nothing for detector `none`. */
export function detectorParts(
  detector: LocalDetector,
  where: 'here' | 'elsewhere',
): Pick<RuleParts, 'source' | 'inInterface'> {
  const not = where === 'elsewhere';
  switch (detector.kind) {
    case 'none':
      return {};
    case 'source':
      return { source: { value: detector.prefix, not } };
    case 'interface':
      return { inInterface: { value: detector.ifname, not } };
    case 'interface-prefix':
      return { inInterface: { value: `${detector.ifnamePrefix}+`, not } };
  }
}
