/** The README's library example is this folder's example.ts, letter by letter, and it runs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

afterEach(() => vi.restoreAllMocks());

describe('the library example', () => {
  it('stands in the README as it is run here', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const example = readFileSync(join(import.meta.dirname, 'example.ts'), 'utf8');
    const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);
    expect(blocks).toContain(example);
  });

  it('runs', async () => {
    const printed: unknown[] = [];
    vi.spyOn(console, 'log').mockImplementation((line) => printed.push(line));
    await import('./example.ts');
    expect(printed).toEqual([
      'delivered',
      expect.stringMatching(
        /^Delivered and answered\. Service default\/web \(port http\) sent it to pod\/default\/web-\S+ on demo-worker2?, one of 3 endpoints\./,
      ),
    ]);
  });
});
