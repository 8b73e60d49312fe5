/** Several files into one directory, all of them or none. */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileError } from './system-error.ts';

export interface OutputFile {
  readonly name: string;
  readonly text: string | Uint8Array;
}

/**
 * Writes `files` into `directory`, which is made if it is missing (its parent is not). Each goes to a
 * temporary name beside its place first, and takes its own only when all are on disk: an error before that,
 * also one thrown while `files` are being produced, leaves everything as it was. Throws InputError when
 * the directory cannot be written.
 */
export function writeFiles(directory: string, files: Iterable<OutputFile>): void {
  const pending: { readonly temporary: string; readonly path: string }[] = [];
  try {
    for (const { name, text } of files) {
      attempt(directory, () => ensureDirectory(directory));
      const path = join(directory, name);
      const temporary = join(directory, `.${name}.${process.pid}.tmp`);
      pending.push({ temporary, path });
      attempt(path, () => writeFileSync(temporary, text));
    }
    for (const { temporary, path } of pending) attempt(path, () => renameSync(temporary, path));
  } finally {
    for (const { temporary } of pending) removeQuietly(temporary);
  }
}

/** What could not be written cannot always be removed either, and the first error is the one to report. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {}
}

function ensureDirectory(path: string): void {
  // Not { recursive: true }: Node 20 never returns from that where the file system refuses, as in /proc.
  if (!existsSync(path)) mkdirSync(path);
}

function attempt(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw fileError(path, 'write', error);
  }
}
