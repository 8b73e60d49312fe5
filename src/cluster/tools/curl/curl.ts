/**
 * `curl`: HTTP requests with the messages and exit codes of the real one, as it behaves on a terminal (no
 * progress meter). It has no TLS and no files.
 */
import { headerOf } from '../../apps/http/http-message.ts';
import type { Tool, ToolContext } from '../tool.ts';
import { type CurlOptions, readCurlOptions } from './options.ts';
import { Transfer, type TransferResult } from './transfer.ts';
import { parseUrl, redirectUrl } from './url.ts';
import { writeOut } from './write-out.ts';

/** Without --max-redirs. */
const MAX_REDIRECTS = 50;

function isRedirect({ head }: TransferResult): boolean {
  return head !== undefined && head.status >= 300 && head.status < 400;
}

function fetchOne(text: string, options: CurlOptions, context: ToolContext): number {
  let url = parseUrl(text);
  let result = new Transfer(context, options, url).run();
  for (let redirects = 0; options.follow && isRedirect(result) && redirects < MAX_REDIRECTS; redirects++) {
    const location = headerOf(result.head?.headers ?? [], 'location');
    if (location === undefined) break;
    url = redirectUrl(url, location);
    result = new Transfer(context, options, url).run();
  }
  const { facts, failure } = result;
  if (options.writeOut !== undefined) {
    const unknown = (name: string) => context.complain(`curl: unknown --write-out variable: '${name}'\n`);
    context.print(writeOut(options.writeOut, facts, unknown));
  }
  if (failure === undefined) return 0;
  if (!options.silent || options.showError) context.complain(`curl: (${failure.code}) ${failure.message}\n`);
  return failure.code;
}

/** `curl` with `args`. */
export const curl: Tool = (args, context) => {
  const options = readCurlOptions(args);
  let code = 0;
  for (const url of options.urls) code = fetchOne(url, options, context);
  return code;
};
