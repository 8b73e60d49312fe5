/** `-j ACCEPT`, `DROP`, `RETURN`, `REJECT`, `NOTRACK`. */
import { REJECT_TYPES, type RejectType, type Target } from '../../netfilter/target.ts';
import { defineExtension } from '../match-module.ts';
import type { TargetModule } from '../target-module.ts';

function plain(name: string, kind: 'accept' | 'drop' | 'return' | 'notrack'): TargetModule {
  return defineExtension<undefined, Target>({
    name,
    options: {},
    draft: () => undefined,
    finish: () => ({ kind }),
  });
}

/** Other spellings (libipt_REJECT.c, libip6t_REJECT.c). */
const REJECT_ALIASES = {
  ipv4: new Map<string, RejectType>([
    ['net-unreach', 'icmp-net-unreachable'],
    ['host-unreach', 'icmp-host-unreachable'],
    ['proto-unreach', 'icmp-proto-unreachable'],
    ['port-unreach', 'icmp-port-unreachable'],
    ['net-prohib', 'icmp-net-prohibited'],
    ['host-prohib', 'icmp-host-prohibited'],
    ['tcp-rst', 'tcp-reset'],
    ['admin-prohib', 'icmp-admin-prohibited'],
  ]),
  ipv6: new Map<string, RejectType>([
    ['no-route', 'icmp6-no-route'],
    ['adm-prohibited', 'icmp6-adm-prohibited'],
    ['addr-unreach', 'icmp6-addr-unreachable'],
    ['port-unreach', 'icmp6-port-unreachable'],
    ['policy-fail', 'icmp6-policy-fail'],
    ['reject-route', 'icmp6-reject-route'],
  ]),
} as const;

const REJECT_NAMES = {
  ipv4: REJECT_TYPES.filter((name) => !name.startsWith('icmp6-')),
  ipv6: REJECT_TYPES.filter((name) => !name.startsWith('icmp-')),
} as const;

const REJECT = defineExtension<{ with?: RejectType }, Target>({
  name: 'REJECT',
  options: {
    'reject-with': {
      values: 1,
      read: (draft, use) => {
        const { family } = use.context;
        const wanted = use.text.toLowerCase();
        const type =
          wanted === ''
            ? undefined
            : (REJECT_NAMES[family].find((name) => name.startsWith(wanted)) ??
              [...REJECT_ALIASES[family]].find(([alias]) => alias.startsWith(wanted))?.[1]);
        if (type === undefined) {
          throw use.context.error(
            `unknown reject type '${use.text}'; expected one of ${REJECT_NAMES[family].join(', ')}`,
          );
        }
        draft.with = type;
      },
    },
  },
  draft: () => ({}),
  finish: (draft, context) => {
    const type =
      draft.with ?? (context.family === 'ipv4' ? 'icmp-port-unreachable' : 'icmp6-port-unreachable');
    const { protocol } = context;
    if (type === 'tcp-reset' && (protocol === undefined || protocol.number !== 6 || protocol.negate)) {
      throw context.error('--reject-with tcp-reset needs -p tcp');
    }
    return { kind: 'reject', with: type };
  },
});

export const VERDICT_TARGET_MODULES: readonly TargetModule[] = [
  plain('ACCEPT', 'accept'),
  plain('DROP', 'drop'),
  plain('RETURN', 'return'),
  plain('NOTRACK', 'notrack'),
  REJECT,
];
