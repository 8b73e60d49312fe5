/** `-j CT`: how a packet is tracked. Only `--notrack` and `--zone` are understood; the rest is kept as text. */
import type { Target } from '../../netfilter/target.ts';
import { defineExtension, type OptionUse } from '../match-module.ts';
import { tryParseNumber } from '../numbers.ts';
import { cutToBytes } from '../quoting.ts';
import type { TargetModule } from '../target-module.ts';

type CtTarget = Extract<Target, { readonly kind: 'ct' }>;

/** In the order of a save (libxt_CT.c). */
const CT_EVENTS = [
  'new',
  'related',
  'destroy',
  'reply',
  'assured',
  'protoinfo',
  'helper',
  'mark',
  'natseqinfo',
  'secmark',
] as const;
const EXPECTATION_EVENTS = ['new'] as const;

interface CtDraft {
  notrack: boolean;
  helper: string;
  timeout: string;
  ctevents: string;
  expevents: string;
  zone?: { readonly option: string; readonly value: number | 'mark' };
}

function readEvents(use: OptionUse, known: readonly string[]): string {
  const words = use.text.split(',');
  const wrong = words.find((word) => !known.includes(word));
  if (wrong !== undefined) {
    throw use.context.error(`unknown event '${wrong}' for --${use.option}; expected ${known.join(', ')}`);
  }
  return known.filter((event) => words.includes(event)).join(',');
}

function readZone(draft: CtDraft, use: OptionUse): void {
  if (use.text.toLowerCase() === 'mark') {
    draft.zone = { option: use.option, value: 'mark' };
    return;
  }
  const value = tryParseNumber(use.text, 0, 0xffff);
  if (value === undefined) {
    throw use.context.error(`bad zone '${use.text}' for --${use.option}; expected 0 to 65535 or mark`);
  }
  draft.zone = { option: use.option, value };
}

function words(option: string, value: string): readonly string[] {
  return value === '' ? [] : [`--${option} ${value}`];
}

export const CT_TARGET_MODULE: TargetModule = defineExtension<CtDraft, CtTarget>({
  name: 'CT',
  options: {
    notrack: {
      values: 0,
      read: (draft) => {
        draft.notrack = true;
      },
    },
    helper: {
      values: 1,
      read: (draft, use) => {
        draft.helper = cutToBytes(use.text, 15);
      },
    },
    timeout: {
      values: 1,
      read: (draft, use) => {
        draft.timeout = cutToBytes(use.text, 31);
      },
    },
    ctevents: {
      values: 1,
      read: (draft, use) => {
        draft.ctevents = readEvents(use, CT_EVENTS);
      },
    },
    expevents: {
      values: 1,
      read: (draft, use) => {
        draft.expevents = readEvents(use, EXPECTATION_EVENTS);
      },
    },
    zone: { values: 1, read: readZone },
    'zone-orig': { values: 1, read: (draft, use) => readZone(draft, use) },
    'zone-reply': { values: 1, read: (draft, use) => readZone(draft, use) },
  },
  draft: () => ({ notrack: false, helper: '', timeout: '', ctevents: '', expevents: '' }),
  finish: ({ notrack, helper, timeout, ctevents, expevents, zone }) => {
    // Zone 0 is where every connection is, and a save leaves it out.
    const zoneText = zone === undefined || zone.value === 0 ? '' : String(zone.value);
    const text = [
      ...(notrack ? ['--notrack'] : []),
      ...words('helper', helper),
      ...words('timeout', timeout),
      ...words('ctevents', ctevents),
      ...words('expevents', expevents),
      ...words(zone?.option ?? 'zone', zoneText),
    ].join(' ');
    const understood = zone?.option === 'zone' && typeof zone.value === 'number';
    return { kind: 'ct', text, notrack, ...(understood ? { zone: zone.value } : {}) };
  },
});

/** `-j CT …`. */
export function formatCt(target: CtTarget): string {
  return target.text === '' ? '-j CT' : `-j CT ${target.text}`;
}
