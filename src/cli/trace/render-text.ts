/** A trace as text for people: a block for each host, a line for each thing that happened there. */
import { styleText } from 'node:util';
import { arrivalDevice, firstPacket, type Hop } from '../../cluster/trace/hop.ts';
import type { Outcome } from '../../cluster/trace/outcome.ts';
import type { TraceReport } from '../../cluster/trace/trace.ts';
import { DROP_REASONS } from '../../netfilter/verdict.ts';
import { type Fate, formatRefusal } from '../../netstack/fate.ts';
import type { NamespaceEvent } from '../../netstack/namespace-events.ts';
import { formatIpAddress } from '../../wire/ip-address.ts';
import { endsText, kindText, socketText } from './phrases.ts';
import { type Row, rowsOf } from './rows.ts';

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';
type Paint = (style: Style, text: string) => string;

const STAGE_WIDTH = 13;
const TABLE_WIDTH = 11;
/** `KUBE-SVC-` and its hash, a blank and a rule number. */
const PLACE_WIDTH = 29;
const EFFECT_WIDTH = 42;

function padded(text: string, width: number): string {
  return text.length >= width ? `${text} ` : text.padEnd(width);
}

function rowLine(row: Row, previous: Row | undefined, paint: Paint): string {
  const sameStage = previous?.stage === row.stage;
  const sameTable = sameStage && previous?.table === row.table;
  const stage = padded(sameStage ? '' : row.stage, STAGE_WIDTH);
  if (row.table === '') {
    const place = row.effect === '' ? row.place : padded(row.place, TABLE_WIDTH + PLACE_WIDTH);
    return `  ${paint('cyan', stage)}${place}${row.effect}`;
  }
  const table = padded(sameTable ? '' : row.table, TABLE_WIDTH);
  const effect = row.note === '' ? row.effect : padded(row.effect, EFFECT_WIDTH);
  const place = padded(row.place, PLACE_WIDTH);
  const line = `  ${paint('cyan', stage)}${paint('cyan', table)}${place}${effect}${paint('dim', row.note)}`;
  return line.trimEnd();
}

function arrival(events: readonly NamespaceEvent[]): string {
  const device = arrivalDevice(events);
  return device === undefined ? 'from here' : `in ${device}`;
}

const NAME_WIDTH = 42;

function hopHeader(hop: Hop, paint: Paint): string {
  const packet = firstPacket(hop.events);
  const about = packet === undefined ? '' : `${endsText(packet)}  ${kindText(packet)}`;
  return `${paint('bold', padded(`${hop.host}  ${arrival(hop.events)}`, NAME_WIDTH))}${about}`;
}

/** How the hop ended, when it ended there. */
function fateLine(fate: Fate, hop: Hop, paint: Paint): string | undefined {
  if (hop.loss !== undefined) {
    const { nextHop, device, reason } = hop.loss;
    if (nextHop === undefined)
      return paint('red', `  ✘ lost at ${device} (${reason}): ${DROP_REASONS[reason]}`);
    return paint('red', `  ✘ nobody on ${device} has the address ${formatIpAddress(nextHop)}`);
  }
  switch (fate.kind) {
    case 'delivered': {
      const { dst, transport } = fate.packet;
      const port = 'dport' in transport ? transport.dport : undefined;
      return paint('green', `  ✔ delivered to ${socketText(dst, port)}`);
    }
    case 'rejected':
      return paint('red', `  ✘ rejected: answered with ${formatRefusal(fate.refusal)} by ${fate.device}`);
    case 'dropped':
      return paint('red', `  ✘ dropped (${fate.reason}): ${DROP_REASONS[fate.reason]}`);
    case 'unknown':
      return paint('yellow', `  ? undecided: ${fate.reason}`);
    case 'forwarded':
    case 'sent':
      return undefined;
  }
}

function hopLines(hop: Hop, paint: Paint): string[] {
  const rows = rowsOf(hop.events);
  const fate = fateLine(hop.fate, hop, paint);
  return [
    hopHeader(hop, paint),
    ...rows.map((each, index) => rowLine(each, rows[index - 1], paint)),
    ...(fate === undefined ? [] : [fate]),
    '',
  ];
}

function header({ request, plan, seed }: TraceReport, paint: Paint): string {
  const { packet, from, destination } = request;
  const { src, dst, transport } = packet;
  const node = plan.hosts.get(from)?.node;
  const where = node === undefined ? '' : ` on ${node}`;
  const port = 'dport' in transport ? transport.dport : undefined;
  const client = `${from} ${formatIpAddress(src)}${where}`;
  return `${paint('bold', client)}  →  ${paint('bold', `${destination} ${socketText(dst, port)}/${transport.kind}`)}${paint('dim', `   seed ${seed}`)}`;
}

const MARKS: Readonly<Record<Outcome['kind'], readonly [mark: string, style: Style]>> = {
  delivered: ['✔', 'green'],
  closed: ['✘', 'red'],
  refused: ['✘', 'red'],
  dropped: ['✘', 'red'],
  lost: ['✘', 'red'],
  'no-neighbour': ['✘', 'red'],
  unknown: ['?', 'yellow'],
  'reply-unrecognised': ['✘', 'red'],
  'reply-lost': ['✘', 'red'],
};

function percent(probability: number): string {
  return `${(probability * 100).toFixed(2).padStart(6)} %`;
}

function outcomeLines({ outcomes }: TraceReport, paint: Paint): string[] {
  if (outcomes === undefined) return [];
  return [
    'Every outcome, with its exact probability:',
    ...outcomes.map(({ probability, success, explanation }) => {
      const mark = success ? paint('green', '✔') : paint('red', '✘');
      return `  ${percent(probability)}  ${mark} ${explanation}`;
    }),
    '',
  ];
}

/** `report` as text, ending in a newline; with terminal colours when `colour`. */
export function renderText(report: TraceReport, options: { readonly colour: boolean }): string {
  const paint: Paint = (style, text) =>
    options.colour && text.trim() !== '' ? styleText(style, text, { validateStream: false }) : text;
  const [mark, style] = MARKS[report.outcome.kind];
  const lines = [
    header(report, paint),
    '',
    ...report.hops.flatMap((hop) => hopLines(hop, paint)),
    ...outcomeLines(report, paint),
    `${paint(style, mark)} ${report.explanation}`,
  ];
  return `${lines.join('\n')}\n`;
}
