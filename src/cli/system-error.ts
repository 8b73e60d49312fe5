/** What the operating system says about a file, in the words users know. */
import { InputError } from '../sim/input-error.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on the device',
  ENOTDIR: 'not a directory',
  EROFS: 'the file system is read-only',
};

/** The InputError for a failed `action` on `file`. Rethrows `error` when it is no system error. */
export function fileError(file: string, action: 'read' | 'write', error: unknown): InputError {
  if (!(error instanceof Error) || !('code' in error)) throw error;
  return new InputError(`cannot ${action}: ${REASONS[String(error.code)] ?? error.message}`, { file });
}
