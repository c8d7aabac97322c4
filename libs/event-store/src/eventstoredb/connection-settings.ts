import { HubError } from '#libs/kernel';

/** What a connection string says, and what is needed beside it. */
export interface ConnectionSettings {
  /** For the client; no namespace in it. */
  connectionString: string;
  /** Appends travel together on one call, the first time, and not each on one of its own. */
  appendsTogether: boolean;
  /** Sent over TLS alone. Passing them selects the client's unary appends, so there are always some. */
  credentials: { username: string; password: string };
  /** What stream names begin with, `` or `{namespace}_`. */
  prefix: string;
  /** For messages: without the password. */
  shown: string;
}

const FORM = /^(esdb(?:\+discover)?:\/\/)(?:([^:@/?]+):([^@/?]*)@)?([^?]+?)\/*(?:\?(.*))?$/s;
const NAMESPACE = /^[a-z0-9_]{1,40}$/;
/** Of no use to anybody: without TLS the client does not send them. */
const UNSENT = { username: 'nobody', password: 'none' };

const OURS = ['namespace', 'appends'];
const OPTIONS = new Set([
  'tls',
  'tlscafile',
  'usercertfile',
  'userkeyfile',
  'maxdiscoverattempts',
  'discoveryinterval',
  'gossiptimeout',
  'nodepreference',
  'keepaliveinterval',
  'keepalivetimeout',
  'defaultdeadline',
  'connectionname',
]);

/**
 * Reads `esdb://user:password@host:2113,…?tls=true&namespace=acme` (or `esdb+discover://`).
 * Ours are `namespace`, which stream names begin with, so that several hubs can share a server, and `appends=together`.
 * @throws HubError `SETTINGS.INVALID`; its message holds no password
 */
export const connectionSettingsOf = (
  url: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): ConnectionSettings => {
  if (/(^|[,\s])(\*|esdb)/.test(env['DEBUG'] ?? ''))
    throw refused('DEBUG=esdb:* makes the client print the password; unset it');
  const [, scheme, user, password, hosts, search = ''] = FORM.exec(url) ?? [];
  if (scheme === undefined || hosts === undefined)
    throw refused('is not of the form esdb://user:password@host:2113?tls=true (or esdb+discover://)');
  const options = new URLSearchParams(search);
  const namespace = options.get('namespace');
  if (namespace !== null && !NAMESPACE.test(namespace))
    throw refused('namespace has 1 to 40 characters of a-z, 0-9 and _');
  const appends = options.get('appends');
  if (appends !== null && appends !== 'together') throw refused('appends can be together, or is left out');
  for (const name of OURS) options.delete(name);
  for (const [name, value] of options) checkOption(name, value);
  const secure = options.get('tls') !== 'false';
  if (secure && user === undefined)
    throw refused('over TLS a user and a password are needed, percent-encoded: esdb://user:password@…');
  const rest = `${hosts}${options.size > 0 ? `?${asWritten(search)}` : ''}`;
  return {
    connectionString: `${scheme}${user === undefined ? '' : `${user}:${password}@`}${rest}`,
    credentials: user === undefined ? UNSENT : { username: decoded(user), password: decoded(password ?? '') },
    prefix: namespace === null ? '' : `${namespace}_`,
    appendsTogether: appends === 'together',
    shown: `${scheme}${hosts}${namespace === null ? '' : ` (namespace ${namespace})`}`,
  };
};

const checkOption = (name: string, value: string): void => {
  const option = name.toLowerCase().replaceAll(/[_-]/g, '');
  if (option === 'tlsverifycert' && value !== 'true')
    throw refused('tlsVerifyCert=false has no effect in the client; name the authority with tlsCAFile');
  if (option === 'throwonappendfailure' && value !== 'true')
    throw refused('throwOnAppendFailure=false hides why an append failed; leave it out');
  if (option.startsWith('keepalive') && !(Number(value) > 0))
    throw refused(`${name} is a number of milliseconds; without keep-alive a lost connection is never noticed`);
  if (!OPTIONS.has(option) && !['tlsverifycert', 'throwonappendfailure'].includes(option))
    throw refused(`unknown option "${name}"`);
};

/** The client wants options as they were written: it decodes some of them itself. */
const asWritten = (search: string): string =>
  search
    .split('&')
    .filter((pair) => !OURS.includes(pair.split('=')[0]!))
    .join('&');

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused('user and password are percent-encoded');
  }
};

const refused = (problem: string): HubError => new HubError('SETTINGS.INVALID', `HILO_EVENT_STORE_URL: ${problem}`);
