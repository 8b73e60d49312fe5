/** A chart as SVG text that needs nothing else: services across, nanoseconds a packet up, both logarithmic. */
import type { LookupResult } from './lookup.ts';

const WIDTH = 800;
const HEIGHT = 500;
const LEFT = 80;
const RIGHT = 190;
const TOP = 50;
const BOTTOM = 60;
const COLOURS = ['#1b6ac9', '#c9431b', '#2a8a3e', '#8a2a84', '#7a6a00', '#00808a'];

interface Scale {
  /** Exponents of ten. */
  readonly from: number;
  readonly to: number;
  readonly place: (value: number) => number;
}

function scaleOf(values: readonly number[], start: number, end: number): Scale {
  const from = Math.floor(Math.log10(Math.min(...values)));
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(...values))));
  return {
    from,
    to,
    place: (value) => start + ((Math.log10(value) - from) / (to - from)) * (end - start),
  };
}

function powers({ from, to }: Scale): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index));
}

function timeText(nanoseconds: number): string {
  if (nanoseconds < 1e3) return `${nanoseconds} ns`;
  return nanoseconds < 1e6 ? `${nanoseconds / 1e3} µs` : `${nanoseconds / 1e6} ms`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Results as lines, one an engine and kind of destinations; `subtitle` says where they were measured. */
export function lookupChart(results: readonly LookupResult[], subtitle: string): string {
  const x = scaleOf(
    results.map(({ services }) => services),
    LEFT,
    WIDTH - RIGHT,
  );
  const y = scaleOf(
    results.map(({ nanoseconds }) => nanoseconds),
    HEIGHT - BOTTOM,
    TOP,
  );
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<text x="${LEFT}" y="22" font-size="16">Finding a Service's endpoint</text>`,
    `<text x="${LEFT}" y="39" fill="#666" font-size="10">${escaped(subtitle)}</text>`,
  ];
  for (const value of powers(x)) {
    const at = x.place(value).toFixed(1);
    parts.push(
      `<path d="M${at} ${TOP}V${HEIGHT - BOTTOM}" stroke="#ddd"/>`,
      `<text x="${at}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${value.toLocaleString('en')}</text>`,
    );
  }
  for (const value of powers(y)) {
    const at = y.place(value).toFixed(1);
    parts.push(
      `<path d="M${LEFT} ${at}H${WIDTH - RIGHT}" stroke="#ddd"/>`,
      `<text x="${LEFT - 8}" y="${at}" dy="4" text-anchor="end">${timeText(value)}</text>`,
    );
  }
  parts.push(
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 14}" text-anchor="middle">Services</text>`,
    `<text transform="translate(20 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">time a packet</text>`,
  );
  const lines = new Map<string, LookupResult[]>();
  for (const result of results) {
    const name = `${result.engine}, ${result.spread}`;
    lines.set(name, [...(lines.get(name) ?? []), result]);
  }
  for (const [index, [name, points]] of [...lines].entries()) {
    const colour = COLOURS[index % COLOURS.length] ?? '#000';
    const places = [...points]
      .sort((a, b) => a.services - b.services)
      .map(
        ({ services, nanoseconds }) => `${x.place(services).toFixed(1)},${y.place(nanoseconds).toFixed(1)}`,
      );
    const dots = places.map((place) => {
      const [cx = '', cy = ''] = place.split(',');
      return `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`;
    });
    parts.push(
      `<polyline points="${places.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...dots,
      `<text x="${WIDTH - RIGHT + 12}" y="${TOP + 14 + 20 * index}" fill="${colour}">${escaped(name)}</text>`,
    );
  }
  return `${[...parts, '</svg>'].join('\n')}\n`;
}
