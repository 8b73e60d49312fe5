/** Lines over two logarithmic axes, as SVG text that needs nothing else and is legible from the back row. */

export interface PlotPoint {
  readonly x: number;
  readonly y: number;
  /** From where to where values lie; `y` for a line without a band. */
  readonly low: number;
  readonly high: number;
}

export interface PlotLine {
  readonly label: string;
  readonly colour: string;
  readonly dashed: boolean;
  /** Ascending by `x`; at least one. */
  readonly points: readonly PlotPoint[];
}

export interface Plot {
  readonly title: string;
  /** Smaller lines under the title. */
  readonly notes: readonly string[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly formatX: (value: number) => string;
  readonly formatY: (value: number) => string;
  readonly lines: readonly PlotLine[];
  /** Under the plot. */
  readonly source: string;
}

const WIDTH = 960;
const HEIGHT = 600;
const LEFT = 92;
const RIGHT = 258;
const BOTTOM = 84;
const TITLE = 34;
const NOTE = 19;
/** Between the labels of two lines. */
const LABEL = 20;

interface Axis {
  readonly ticks: readonly number[];
  readonly place: (value: number) => number;
}

function logAxis(values: readonly number[], start: number, end: number): Axis {
  const from = Math.floor(Math.log10(Math.min(...values)) + 1e-9);
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(...values)) - 1e-9));
  return {
    ticks: Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index)),
    place: (value) => start + ((Math.log10(value) - from) / (to - from)) * (end - start),
  };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function text(at: readonly [x: number, y: number], words: string, attributes = ''): string {
  const [x, y] = at.map((value) => value.toFixed(1));
  return `<text x="${x}" y="${y}"${attributes === '' ? '' : ` ${attributes}`}>${escaped(words)}</text>`;
}

/** Places for labels that want to be at `wanted`, at least LABEL apart, in the same order. */
function spreadOut(wanted: readonly number[], limit: number): readonly number[] {
  const order = wanted.map((_, index) => index).sort((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0));
  const places = [...wanted];
  let next = Number.NEGATIVE_INFINITY;
  for (const index of order) {
    const place = Math.max(next, wanted[index] ?? 0);
    places[index] = place;
    next = place + LABEL;
  }
  let most = limit;
  for (const index of order.toReversed()) {
    const place = Math.min(most, places[index] ?? 0);
    places[index] = place;
    most = place - LABEL;
  }
  return places;
}

function lineParts({ points, colour, dashed }: PlotLine, x: Axis, y: Axis): readonly string[] {
  const at = (value: number, height: number) => `${x.place(value).toFixed(1)},${y.place(height).toFixed(1)}`;
  const upper = points.map((point) => at(point.x, point.high));
  const lower = points.map((point) => at(point.x, point.low)).reverse();
  const middle = points.map((point) => at(point.x, point.y));
  const dash = dashed ? ' stroke-dasharray="9 5"' : '';
  return [
    `<polygon points="${[...upper, ...lower].join(' ')}" fill="${colour}" fill-opacity="0.09"/>`,
    `<polyline points="${middle.join(' ')}" fill="none" stroke="${colour}" stroke-width="3" stroke-linejoin="round"${dash}/>`,
    ...points.map(
      (point) =>
        `<circle cx="${x.place(point.x).toFixed(1)}" cy="${y.place(point.y).toFixed(1)}" r="4.5" fill="${colour}"/>`,
    ),
  ];
}

/** `plot` as the text of an SVG file. There must be at least one line. */
export function svgPlot(plot: Plot): string {
  const { title, notes, lines, xLabel, yLabel, formatX, formatY, source } = plot;
  const top = TITLE + 18 + NOTE * notes.length + 12;
  const [right, bottom] = [WIDTH - RIGHT, HEIGHT - BOTTOM];
  const points = lines.flatMap((line) => line.points);
  const x = logAxis(
    points.map((point) => point.x),
    LEFT,
    right,
  );
  const y = logAxis(
    points.flatMap(({ low, high }) => [low, high]),
    bottom,
    top,
  );
  const grid = [
    ...x.ticks.flatMap((value) => [
      `<path d="M${x.place(value).toFixed(1)} ${top}V${bottom}" stroke="#e3e3e3"/>`,
      text([x.place(value), bottom + 22], formatX(value), 'text-anchor="middle"'),
    ]),
    ...y.ticks.flatMap((value) => [
      `<path d="M${LEFT} ${y.place(value).toFixed(1)}H${right}" stroke="#e3e3e3"/>`,
      text([LEFT - 10, y.place(value) + 5], formatY(value), 'text-anchor="end"'),
    ]),
  ];
  const ends = lines.map((line) => line.points.at(-1));
  const places = spreadOut(
    ends.map((end) => y.place(end?.y ?? 1) + 5),
    bottom,
  );
  const labels = lines.flatMap((line, index) => {
    const place = places[index] ?? 0;
    const end = ends[index];
    const [from, height] = [x.place(end?.x ?? 1) + 8, y.place(end?.y ?? 1)];
    // A line that ends early is led to its label.
    const leader = `<path d="M${from.toFixed(1)} ${height.toFixed(1)}L${right + 8} ${(place - 5).toFixed(1)}" stroke="${line.colour}" stroke-dasharray="1 4"/>`;
    return [
      ...(from < right ? [leader] : []),
      text([right + 14, place], line.label, `fill="${line.colour}" font-weight="600"`),
    ];
  });
  const middle = (top + bottom) / 2;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" font-family="Helvetica, Arial, sans-serif" font-size="15" fill="#222">`,
    `<title>${escaped(title)}</title>`,
    `<desc>${escaped([...notes, source].join(' '))}</desc>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text([LEFT - 68, TITLE], title, 'font-size="24" font-weight="700"'),
    ...notes.map((note, index) => text([LEFT - 68, TITLE + 22 + NOTE * index], note, 'fill="#555"')),
    ...grid,
    text([(LEFT + right) / 2, bottom + 48], xLabel, 'text-anchor="middle"'),
    `<text transform="translate(26 ${middle}) rotate(-90)" text-anchor="middle">${escaped(yLabel)}</text>`,
    ...lines.flatMap((line) => lineParts(line, x, y)),
    ...labels,
    text([LEFT - 68, HEIGHT - 12], source, 'fill="#777" font-size="12"'),
    '</svg>',
  ].join('\n')}\n`;
}
