/** Targets that only note the packet: `-j LOG`, `NFLOG`, `AUDIT`, `TRACE`. Their options are kept as text. */
import type { Target } from '../../netfilter/target.ts';
import { defineExtension, type OptionUse } from '../match-module.ts';
import { parseNumber, tryParseNumber } from '../numbers.ts';
import { cutToBytes, quote } from '../quoting.ts';
import type { TargetModule } from '../target-module.ts';

type LogTarget = Extract<Target, { readonly kind: 'log' }>;

/** The options given, by name, as a save prints each. */
type LogDraft = Map<string, string>;

/** `order` is that of a save. */
function logTarget(name: LogTarget['name'], order: readonly string[]): (draft: LogDraft) => LogTarget {
  return (draft) => ({
    kind: 'log',
    name,
    text: order.flatMap((option) => draft.get(option) ?? []).join(' '),
  });
}

const LEVELS: ReadonlyMap<string, number> = new Map([
  ['emerg', 0],
  ['panic', 0],
  ['alert', 1],
  ['crit', 2],
  ['error', 3],
  ['warning', 4],
  ['notice', 5],
  ['info', 6],
  ['debug', 7],
]);
const DEFAULT_LEVEL = 4;

function flag(draft: LogDraft, use: OptionUse): void {
  draft.set(use.option, `--${use.option}`);
}

/** A prefix cut to `bytes`: the kernel's field (NFLOG's is longer in nf_tables than in xt_NFLOG). */
function prefix(bytes: number) {
  return (draft: LogDraft, use: OptionUse) => {
    if (use.text === '') throw use.context.error(`--${use.option} is empty; expected a text`);
    draft.set(use.option, `--${use.option} ${quote(cutToBytes(use.text, bytes))}`);
  };
}

/** A number, left out of the text when it is the usual one. */
function number(max: number, usual: number | undefined) {
  return (draft: LogDraft, use: OptionUse) => {
    const value = parseNumber(use.context, use.option, use.text, { max });
    draft.set(use.option, `--${use.option} ${value}`);
    if (value === usual) draft.delete(use.option);
  };
}

function readLevel(draft: LogDraft, use: OptionUse): void {
  const level = tryParseNumber(use.text, 0, 7) ?? LEVELS.get(use.text);
  if (level === undefined) {
    throw use.context.error(
      `unknown log level '${use.text}'; expected 0 to 7 or one of ${[...LEVELS.keys()].join(', ')}`,
    );
  }
  if (level !== DEFAULT_LEVEL) draft.set('log-level', `--log-level ${level}`);
}

const LOG_FLAGS = [
  'log-tcp-sequence',
  'log-tcp-options',
  'log-ip-options',
  'log-uid',
  'log-macdecode',
] as const;

const LOG = defineExtension<LogDraft, Target>({
  name: 'LOG',
  options: {
    'log-level': { values: 1, read: readLevel },
    'log-prefix': { values: 1, read: prefix(29) },
    ...Object.fromEntries(LOG_FLAGS.map((option) => [option, { values: 0, read: flag } as const])),
  },
  draft: () => new Map(),
  finish: logTarget('LOG', ['log-prefix', 'log-level', ...LOG_FLAGS]),
});

const MAX_U32 = 0xffffffff;

const NFLOG = defineExtension<LogDraft, Target>({
  name: 'NFLOG',
  options: {
    'nflog-prefix': { values: 1, read: prefix(127) },
    'nflog-group': { values: 1, read: number(0xffff, 0) },
    'nflog-size': { values: 1, read: number(MAX_U32, undefined) },
    'nflog-range': { values: 1, read: number(MAX_U32, 0) },
    'nflog-threshold': { values: 1, read: number(0xffff, 0) },
  },
  draft: () => new Map(),
  finish: (draft, context) => {
    if (draft.has('nflog-size') && draft.has('nflog-range')) {
      throw context.error('--nflog-size and --nflog-range exclude each other');
    }
    return logTarget('NFLOG', [
      'nflog-prefix',
      'nflog-group',
      'nflog-size',
      'nflog-range',
      'nflog-threshold',
    ])(draft);
  },
});

const AUDIT = defineExtension<LogDraft, Target>({
  name: 'AUDIT',
  options: {
    type: {
      values: 1,
      read: (draft, use) => {
        const type = use.text.toLowerCase();
        if (type !== 'accept' && type !== 'drop' && type !== 'reject') {
          throw use.context.error(`bad value '${use.text}' for --type; expected accept, drop or reject`);
        }
        draft.set('type', `--type ${type}`);
      },
    },
  },
  draft: () => new Map(),
  finish: (draft, context) => {
    if (!draft.has('type')) throw context.error('-j AUDIT needs --type');
    return logTarget('AUDIT', ['type'])(draft);
  },
});

const TRACE = defineExtension<LogDraft, Target>({
  name: 'TRACE',
  options: {},
  draft: () => new Map(),
  finish: logTarget('TRACE', []),
});

export const LOG_TARGET_MODULES: readonly TargetModule[] = [LOG, NFLOG, AUDIT, TRACE];

/** `-j LOG …` and its kin. */
export function formatLog(target: LogTarget): string {
  return target.text === '' ? `-j ${target.name}` : `-j ${target.name} ${target.text}`;
}
