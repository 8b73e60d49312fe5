/**
 * Cuts a file into pieces of whole documents before parsing, so that the parser's events for one piece are
 * garbage by the time the next is read: a long file costs no more memory than what is kept of it.
 */
import { SourceDocument } from './source-document.ts';

/**
 * Four million characters: the parser runs twice as fast on one long text as on many short ones (measured,
 * js-yaml 5.5 on Node 20), and the events of this much take some 80 MB.
 */
const PIECE = 0x400000;

/**
 * The YAML documents of `text` in pieces of at least PIECE characters, cut at `---` lines. A marker in the
 * first column ends a document whatever construct it stands in (YAML 1.2 §9.1.2, c-forbidden), so the cut
 * needs no parser. A file with directives (`%YAML`), which belong to the document after them, is left whole.
 */
export function splitYaml(text: string, file: string): SourceDocument[] {
  if (text.startsWith('%') || text.includes('\n%')) return [new SourceDocument(file, text, 1)];
  const documents: SourceDocument[] = [];
  let start = 0;
  let line = 1;
  for (;;) {
    const next = nextMarker(text, start + PIECE);
    const end = next ?? text.length;
    const chunk = text.slice(start, end);
    documents.push(new SourceDocument(file, chunk, line));
    if (next === undefined) return documents;
    line += countLines(text, start, end);
    start = end;
  }
}

/** How many lines end between the two offsets. */
function countLines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

/** Where the next line `---` after `start` begins. */
function nextMarker(text: string, start: number): number | undefined {
  for (let at = text.indexOf('\n---', start); at >= 0; at = text.indexOf('\n---', at + 1)) {
    const after = text[at + 4];
    if (after === undefined || after === '\n' || after === '\r' || after === ' ' || after === '\t')
      return at + 1;
  }
  return undefined;
}

const OPEN = new Set(['{', '[']);
const CLOSE = new Set(['}', ']']);

/**
 * The JSON values of `text`, which may follow one another (as `jq` prints them). Undefined when brackets do
 * not balance or something stands between the values: that is not JSON.
 */
export function splitJson(text: string, file: string): SourceDocument[] | undefined {
  const documents: SourceDocument[] = [];
  let depth = 0;
  let start = 0;
  let line = 1;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? '';
    if (char === '"') {
      at = endOfString(text, at);
      if (at < 0 || depth === 0) return undefined;
    } else if (OPEN.has(char)) {
      if (depth++ === 0) {
        line += countLines(text, start, at);
        start = at;
      }
    } else if (CLOSE.has(char)) {
      if (--depth < 0) return undefined;
      if (depth === 0) documents.push(new SourceDocument(file, text.slice(start, at + 1), line));
    } else if (depth === 0 && !/\s/.test(char)) {
      return undefined;
    }
  }
  return depth === 0 ? documents : undefined;
}

/** The index of the quote that closes the string opened at `open`, or -1. */
function endOfString(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  return -1;
}
