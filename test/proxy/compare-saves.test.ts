import { describe, expect, test } from 'vitest';
import { comparable } from './compare-saves.ts';
import { endpoint, generate, service, slice } from './objects.ts';

const text = generate({
  services: [service(), service({ name: 'db', clusterIP: '10.96.0.11' })],
  slices: [
    slice([endpoint('10.244.1.5'), endpoint('10.244.2.6')]),
    slice([endpoint('10.244.1.7')], { service: 'db' }),
  ],
});

function edited(edit: (lines: string[]) => void): string {
  const lines = text.split('\n');
  edit(lines);
  return lines.join('\n');
}

function swap(lines: string[], first: RegExp, second: RegExp): void {
  const a = lines.findIndex((line) => first.test(line));
  const b = lines.findIndex((line, index) => index !== a && second.test(line));
  expect(Math.min(a, b)).toBeGreaterThanOrEqual(0);
  [lines[a], lines[b]] = [lines[b] ?? '', lines[a] ?? ''];
}

describe('two saves differ when', () => {
  test.each<{ what: string; edit: (lines: string[]) => void }>([
    {
      what: 'a rule is missing',
      edit: (lines) =>
        lines.splice(
          lines.findIndex((line) => /SEP.* DNAT/.test(line)),
          1,
        ),
    },
    {
      what: 'a chain is missing',
      edit: (lines) =>
        lines.splice(
          lines.findIndex((line) => /^:KUBE-SVC/.test(line)),
          1,
        ),
    },
    { what: 'a table is missing', edit: (lines) => lines.splice(0, 4) },
    {
      what: 'rules of one chain change places',
      edit: (lines) => swap(lines, /^-A KUBE-SVC-CDGG.*1\.5/, /^-A KUBE-SVC-CDGG.*2\.6/),
    },
    { what: 'jumps change places', edit: (lines) => swap(lines, /^-A FORWARD/, /^-A FORWARD/) },
    {
      what: 'a policy changes',
      edit: (lines) => {
        lines[lines.indexOf(':FORWARD ACCEPT [0:0]')] = ':FORWARD DROP [0:0]';
      },
    },
  ])('$what', ({ edit }) => {
    expect(comparable(edited(edit))).not.toEqual(comparable(text));
  });
});

test('rules of different Service ports may change places in the shared chains', () => {
  const other = edited((lines) =>
    swap(lines, /^-A KUBE-SERVICES .*default\/db/, /^-A KUBE-SERVICES .*default\/web/),
  );
  expect(other).not.toBe(text);
  expect(comparable(other)).toEqual(comparable(text));
});

test('nothing may stand behind the catch-all rule', () => {
  const other = edited((lines) =>
    swap(lines, /this must be the last rule/, /^-A KUBE-SERVICES .*default\/web/),
  );
  expect(() => comparable(other)).toThrow('behind the catch-all rule');
});
