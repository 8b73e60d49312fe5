/** `curl -w`: a format with variables about the transfer. */

/** What is known when a transfer ends; times in seconds since it began. */
export interface TransferFacts {
  readonly url: string;
  readonly method: string;
  readonly httpCode: number;
  readonly httpVersion: string;
  readonly contentType: string;
  readonly sizeDownload: number;
  readonly sizeUpload: number;
  readonly sizeHeader: number;
  readonly sizeRequest: number;
  readonly numConnects: number;
  readonly numRedirects: number;
  readonly redirectUrl: string;
  readonly local: { readonly address: string; readonly port: number };
  readonly remote: { readonly address: string; readonly port: number };
  readonly timeNamelookup: number;
  readonly timeConnect: number;
  readonly timeStarttransfer: number;
  readonly timeTotal: number;
  readonly exitCode: number;
  readonly errorMessage: string;
}

const time = (seconds: number) => seconds.toFixed(6);

const VARIABLES: Readonly<Record<string, (facts: TransferFacts) => string>> = {
  url: ({ url }) => url,
  url_effective: ({ url }) => url,
  method: ({ method }) => method,
  scheme: () => 'HTTP',
  http_code: ({ httpCode }) => String(httpCode).padStart(3, '0'),
  response_code: ({ httpCode }) => String(httpCode).padStart(3, '0'),
  http_connect: () => '000',
  http_version: ({ httpVersion }) => httpVersion,
  content_type: ({ contentType }) => contentType,
  size_download: ({ sizeDownload }) => String(sizeDownload),
  size_upload: ({ sizeUpload }) => String(sizeUpload),
  size_header: ({ sizeHeader }) => String(sizeHeader),
  size_request: ({ sizeRequest }) => String(sizeRequest),
  speed_download: ({ sizeDownload, timeTotal }) =>
    String(timeTotal === 0 ? 0 : Math.floor(sizeDownload / timeTotal)),
  num_connects: ({ numConnects }) => String(numConnects),
  num_redirects: ({ numRedirects }) => String(numRedirects),
  redirect_url: ({ redirectUrl }) => redirectUrl,
  local_ip: ({ local }) => local.address,
  local_port: ({ local }) => String(local.port),
  remote_ip: ({ remote }) => remote.address,
  remote_port: ({ remote }) => String(remote.port),
  time_namelookup: ({ timeNamelookup }) => time(timeNamelookup),
  time_connect: ({ timeConnect }) => time(timeConnect),
  time_appconnect: () => time(0),
  time_pretransfer: ({ timeConnect }) => time(timeConnect),
  time_redirect: () => time(0),
  time_starttransfer: ({ timeStarttransfer }) => time(timeStarttransfer),
  time_total: ({ timeTotal }) => time(timeTotal),
  exitcode: ({ exitCode }) => String(exitCode),
  errormsg: ({ errorMessage }) => errorMessage,
  onerror: () => '',
};

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

/** `format` filled in; `unknown` is told of variables that curl does not know. */
export function writeOut(format: string, facts: TransferFacts, unknown: (name: string) => void): string {
  return format.replace(
    /%%|%\{([^}]*)\}|\\([ntr])/g,
    (all, name: string | undefined, letter: string | undefined) => {
      if (letter !== undefined) return ESCAPES[letter] ?? all;
      if (name === undefined) return '%';
      const variable = VARIABLES[name];
      if (variable === undefined) unknown(name);
      return variable?.(facts) ?? '';
    },
  );
}
