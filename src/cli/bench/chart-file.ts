/** One file, written whole or not at all. */
import {
  accessSync,
  constants,
  existsSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../../sim/input-error.ts';
import { fileError } from '../system-error.ts';

/** Throws InputError when no file can be put at `path`. */
export function checkWritable(path: string): void {
  try {
    // The dot: what it is in has to be a directory.
    if (!existsSync(path)) accessSync(`${dirname(path)}/.`, constants.W_OK);
    else if (statSync(path).isDirectory())
      throw new InputError('cannot write: is a directory', { file: path });
    else accessSync(path, constants.W_OK);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw fileError(path, 'write', error);
  }
}

/** Puts `text` at `path`, in the place of the file that is there. Throws InputError. */
export function replaceFile(path: string, text: string): void {
  const target = existsSync(path) ? realpathSync(path) : path;
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  try {
    // A pipe or a device is written to, not replaced.
    if (existsSync(target) && !statSync(target).isFile()) {
      writeFileSync(target, text);
      return;
    }
    writeFileSync(temporary, text);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw fileError(path, 'write', error);
  }
}
