/** `-m recent`. */
import type { RecentMatch } from '../../netfilter/match.ts';
import type { IpAddress } from '../../wire/ip-address.ts';
import { formatAddress, hostMask, parseHost } from '../address-text.ts';
import { defineExtension, type MatchModule, type OptionUse } from '../match-module.ts';
import { bang, parseNumber } from '../numbers.ts';
import { readProcName } from '../proc-name.ts';

type Action = RecentMatch['action'];

interface RecentDraft {
  action?: Action;
  negate: boolean;
  seconds?: number;
  reap: boolean;
  hitcount?: number;
  rttl: boolean;
  name: string;
  mask: IpAddress;
  side: RecentMatch['side'];
}

/** XT_RECENT_NAME_LEN less the terminator. */
const MAX_NAME = 199;
/** XT_RECENT_MAX_NSTAMPS less one (Linux 6.18; older kernels stop at 255). */
const MAX_HITCOUNT = 65_535;

function action(name: Action) {
  return {
    values: 0,
    invert: true,
    read: (draft: RecentDraft, use: OptionUse) => {
      if (draft.action !== undefined) {
        throw use.context.error('-m recent takes one of --set, --rcheck, --update and --remove');
      }
      draft.action = name;
      draft.negate = use.negate;
    },
  } as const;
}

export const RECENT_MATCH_MODULE: MatchModule = defineExtension<RecentDraft, RecentMatch>({
  name: 'recent',
  options: {
    set: action('set'),
    rcheck: action('rcheck'),
    update: action('update'),
    remove: action('remove'),
    seconds: {
      values: 1,
      read: (draft, use) => {
        draft.seconds = parseNumber(use.context, use.option, use.text, { min: 1, max: 0xffffffff });
      },
    },
    reap: {
      values: 0,
      read: (draft) => {
        draft.reap = true;
      },
    },
    hitcount: {
      values: 1,
      read: (draft, use) => {
        draft.hitcount = parseNumber(use.context, use.option, use.text, { max: MAX_HITCOUNT });
      },
    },
    rttl: {
      values: 0,
      read: (draft) => {
        draft.rttl = true;
      },
    },
    name: {
      values: 1,
      read: (draft, use) => {
        draft.name = readProcName(use, MAX_NAME);
      },
    },
    mask: {
      values: 1,
      read: (draft, use) => {
        draft.mask = parseHost(use.context, '--mask', use.text);
      },
    },
    rsource: {
      values: 0,
      read: (draft) => {
        draft.side = 'source';
      },
    },
    rdest: {
      values: 0,
      read: (draft) => {
        draft.side = 'destination';
      },
    },
  },
  draft: (context) => ({
    negate: false,
    reap: false,
    rttl: false,
    name: 'DEFAULT',
    mask: hostMask(context.family),
    side: 'source',
  }),
  finish: ({ action: chosen, seconds, hitcount, ...rest }, context) => {
    if (chosen === undefined) throw context.error('-m recent needs --set, --rcheck, --update or --remove');
    if (rest.reap && seconds === undefined) throw context.error('--reap needs --seconds');
    const asks = rest.rttl || seconds !== undefined || (hitcount ?? 0) > 0;
    if (asks && (chosen === 'set' || chosen === 'remove')) {
      throw context.error(`--${chosen} asks nothing: --seconds, --hitcount and --rttl cannot go with it`);
    }
    return {
      kind: 'recent',
      action: chosen,
      ...rest,
      ...(seconds === undefined ? {} : { seconds }),
      ...(hitcount === undefined || hitcount === 0 ? {} : { hitcount }),
    };
  },
});

/** `-m recent …`. */
export function formatRecent(match: RecentMatch): string {
  const seconds = match.seconds === undefined ? '' : ` --seconds ${match.seconds}`;
  const hitcount = match.hitcount === undefined ? '' : ` --hitcount ${match.hitcount}`;
  const side = match.side === 'source' ? '--rsource' : '--rdest';
  return (
    `-m recent ${bang(match.negate)}--${match.action}${seconds}${match.reap ? ' --reap' : ''}${hitcount}` +
    `${match.rttl ? ' --rttl' : ''} --name ${match.name} --mask ${formatAddress(match.mask)} ${side}`
  );
}
