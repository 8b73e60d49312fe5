/**
 * `-f FILE|DIR|-`: the texts behind the paths a command was given, in their order. A directory stands for
 * its *.yaml, *.yml and *.json files, sorted by name (not those of its subdirectories); `-` is standard
 * input. Refuses what cannot be read, is empty of such files, or is not UTF-8.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../sim/input-error.ts';
import { fileError } from './system-error.ts';

export interface InputText {
  /** As the user named it; `-` is standard input. */
  readonly file: string;
  readonly text: string;
}

const MANIFEST_FILE = /\.(ya?ml|json)$/;

function decode(file: string, bytes: Uint8Array): InputText {
  try {
    return { file, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    throw new InputError('cannot read: expected UTF-8 text', { file });
  }
}

function readFile(file: string): InputText {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw fileError(file, 'read', error);
  }
  return decode(file, bytes);
}

/** The files that `path` stands for. */
function filesOf(path: string): readonly string[] {
  let names: readonly string[];
  try {
    if (!statSync(path).isDirectory()) return [path];
    names = readdirSync(path);
  } catch (error) {
    throw fileError(path, 'read', error);
  }
  const manifests = names.filter((name) => MANIFEST_FILE.test(name)).sort();
  if (manifests.length === 0) {
    throw new InputError('the directory holds no *.yaml, *.yml or *.json file', { file: path });
  }
  return manifests.map((name) => join(path, name));
}

async function readStandardInput(): Promise<InputText> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return decode('-', Buffer.concat(chunks));
}

/** Reads every path; standard input at most once. Throws InputError. */
export async function readInputs(paths: readonly string[]): Promise<readonly InputText[]> {
  if (paths.filter((path) => path === '-').length > 1) {
    throw new InputError('standard input (-f -) can be read only once');
  }
  const inputs: InputText[] = [];
  for (const path of paths) {
    if (path === '-') inputs.push(await readStandardInput());
    else inputs.push(...filesOf(path).map(readFile));
  }
  return inputs;
}

/** Reads one file, or standard input for `-`. Throws InputError. */
export async function readText(path: string): Promise<InputText> {
  return path === '-' ? readStandardInput() : readFile(path);
}
