/**
 * What the benches measure: the built modules, as users run them. The sources as vitest loads them reach every
 * import through an object, which makes the innermost loops several times slower.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const DIST = new URL('../dist/', import.meta.url);
if (!existsSync(fileURLToPath(DIST))) throw new Error('there is no dist; expected npm run build before');

/** The built module from `path` under src. Whoever calls says what is in it. */
export async function built(path: string): Promise<unknown> {
  return import(/* @vite-ignore */ new URL(path.replace(/\.ts$/, '.js'), DIST).href);
}
