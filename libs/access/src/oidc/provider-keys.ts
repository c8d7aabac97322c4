import { createRemoteJWKSet, customFetch, type FetchImplementation, type RemoteJWKSet } from 'jose';
import { HubError, type Clock } from '#libs/kernel';

/** Bounds of what is asked of the provider: keys fit into a few KiB and are asked for a few times an hour. */
const TIMEOUT_MS = 5000;
const COOLDOWN_MS = 30_000;
const CACHED_MS = 600_000;
const MAX_ANSWER_BYTES = 512 * 1024;
/** After a failed request nobody waits for the next one before this. */
const FAILED_FOR_MS = 5000;

export interface ProviderKeysOptions {
  issuer: string;
  jwksUrl?: string;
  clock: Clock;
}

/**
 * The keys of one issuer: from the address given, else from the one its discovery document names, fetched when the
 * first token arrives, kept for 10 minutes, and asked for again when a token names a key that is not among them, at
 * most every 30 s. No redirects, 5 s, 512 KiB.
 */
export class ProviderKeys {
  private found: RemoteJWKSet | undefined;
  private finding: Promise<RemoteJWKSet> | undefined;
  private failedUntilMs = 0;

  constructor(private readonly options: ProviderKeysOptions) {}

  /** @throws HubError `OIDC.UNAVAILABLE` when the provider cannot be asked; retryable. */
  async get(): Promise<RemoteJWKSet> {
    this.found ??= await (this.finding ??= this.find().finally(() => (this.finding = undefined)));
    return this.found;
  }

  private async find(): Promise<RemoteJWKSet> {
    const url = new URL(this.options.jwksUrl ?? (await this.discover()));
    return createRemoteJWKSet(url, {
      timeoutDuration: TIMEOUT_MS,
      cooldownDuration: COOLDOWN_MS,
      cacheMaxAge: CACHED_MS,
      [customFetch]: async (address, options) =>
        Response.json(await this.ask(address, options, ({ keys }) => Array.isArray(keys))),
    });
  }

  private async discover(): Promise<string> {
    const { issuer } = this.options;
    const options = {
      headers: new Headers({ accept: 'application/json' }),
      method: 'GET',
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    } as const;
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const { jwks_uri: found } = await this.ask(
      url,
      options,
      (document) =>
        document.issuer === issuer &&
        typeof document.jwks_uri === 'string' &&
        // Keys that travel in clear may be anybody's.
        (document.jwks_uri.startsWith('https://') || issuer.startsWith('http://')),
    );
    return String(found);
  }

  private async ask(
    url: string,
    options: Parameters<FetchImplementation>[1],
    isRight: (document: Record<string, unknown>) => boolean,
  ): Promise<Record<string, unknown>> {
    const nowMs = this.options.clock.nowMs();
    if (nowMs < this.failedUntilMs) throw unavailable('it was asked in vain a moment ago');
    try {
      const answer = await fetch(url, options);
      if (answer.status !== 200) throw new Error(`it answered ${answer.status}`);
      const document = JSON.parse(await boundedText(answer)) as unknown;
      if (typeof document !== 'object' || document === null || !isRight(document as Record<string, unknown>))
        throw new Error('what it answered is not what was asked for');
      return document as Record<string, unknown>;
    } catch (cause) {
      this.failedUntilMs = nowMs + FAILED_FOR_MS;
      throw unavailable('it does not answer as it should', cause);
    }
  }
}

const unavailable = (why: string, cause?: unknown) =>
  new HubError('OIDC.UNAVAILABLE', `the OpenID provider cannot be asked for its keys: ${why}`, {
    retryable: true,
    cause,
  });

const boundedText = async (answer: Response): Promise<string> => {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const reader = answer.body?.getReader();
  if (!reader) return '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(parts).toString('utf8');
    bytes += value.length;
    if (bytes > MAX_ANSWER_BYTES) {
      await reader.cancel();
      throw new RangeError(`more than ${MAX_ANSWER_BYTES} bytes`);
    }
    parts.push(value);
  }
};
