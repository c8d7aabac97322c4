import {
  Inject,
  Injectable,
  Logger,
  Optional,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { SMTPServer, SMTPServerDataStream, SMTPServerSession } from 'smtp-server';
import { Clock, codeOf, messageOf } from '#libs/kernel';
import { HubSettings } from '#libs/kernel/settings.js';
import { Tracing, inSpan } from '#libs/kernel/tracing/tracing.port.js';
import { AccountDirectory } from '../accounts/account-directory.port.js';
import { SmtpDeclaration } from '../accounts/accounts.config.js';
import type { ChannelAccount, ParsedInteraction } from '../channel-adapter.port.js';
import { InteractionPublisher } from '../intake/interaction-publisher.js';
import { Undeliverable } from '../intake/undeliverable.js';
import { ownSenders } from './email.adapter.js';
import { parseMail } from './email.parse.js';

/** Bytes of all mails being received or parsed at a time; further mails are asked to come back (451). */
const maxBufferedBytes = 128 * 1024 * 1024;

const idleTimeoutMs = 60_000;
const closeTimeoutMs = 5_000;

/** A reply code for smtp-server. */
class SmtpRefusal extends Error {
  constructor(
    readonly responseCode: number,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Our own SMTP server, started when `HILO_SMTP_PORT` is set. It takes mail for declared addresses only (550 otherwise)
 * and answers `250` to `DATA` once the contact is durable; `451` asks the sender to try again and nothing was taken.
 */
@Injectable()
export class EmailListener implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(EmailListener.name);
  private server: SMTPServer | undefined;
  private bufferedBytes = 0;

  constructor(
    private readonly settings: HubSettings,
    private readonly directory: AccountDirectory,
    private readonly bounds: SmtpDeclaration,
    private readonly publisher: InteractionPublisher,
    private readonly undeliverable: Undeliverable,
    private readonly clock: Clock,
    @Optional() @Inject(Tracing) private readonly tracing?: Tracing,
  ) {}

  /** The port listened on; undefined while it is not listening. */
  get port(): number | undefined {
    const address = this.server?.server.address();
    return typeof address === 'object' ? address?.port : undefined;
  }

  async onApplicationBootstrap(): Promise<void> {
    const port = this.settings.smtpPort;
    if (port === undefined) return;
    // Loaded only here: a hub without mail does not keep the library in memory.
    const { SMTPServer } = await import('smtp-server');
    const server = new SMTPServer({
      ...(this.bounds.name === undefined ? {} : { name: this.bounds.name }),
      banner: 'Hilo',
      size: this.bounds.maxMessageBytes,
      maxClients: this.bounds.maxClients,
      authOptional: true,
      // The library's built-in certificate is public: no TLS is better than one that looks like it.
      disabledCommands: ['AUTH', 'STARTTLS'],
      disableReverseLookup: true,
      socketTimeout: idleTimeoutMs,
      closeTimeout: closeTimeoutMs,
      logger: false,
      onRcptTo: ({ address }, _session, done) =>
        done(this.directory.byAddress(address) ? null : new SmtpRefusal(550, '5.1.1 no such mailbox here')),
      onData: (stream, session, done) => {
        this.onData(stream, session).then(
          () => done(null, '2.0.0 recorded'),
          (error: unknown) => done(error instanceof SmtpRefusal ? error : this.tryLater(error)),
        );
      },
    });
    // A client that hangs up is no fault of ours.
    server.on('error', (error: Error) => this.logger.debug(`SMTP connection: ${codeOf(error) ?? 'failed'}`));
    await new Promise<void>((resolve, reject) => {
      server.server.once('error', reject);
      server.listen(port, this.settings.host, () => {
        server.server.off('error', reject);
        resolve();
      });
    });
    this.server = server;
  }

  /** Takes no further connection; resolves when the running ones have ended, after five seconds at the latest. */
  async beforeApplicationShutdown(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  private async onData(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<void> {
    const chunks: Buffer[] = [];
    let [bytes, overloaded] = [0, false];
    try {
      // The rest of a refused mail must still be read, or the reply never reaches the sender.
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        if (stream.sizeExceeded || overloaded) continue;
        if (this.bufferedBytes + chunk.length > maxBufferedBytes) overloaded = true;
        else {
          bytes += chunk.length;
          this.bufferedBytes += chunk.length;
          chunks.push(chunk);
        }
      }
      if (stream.sizeExceeded) throw new SmtpRefusal(552, `5.3.4 the limit is ${this.bounds.maxMessageBytes} bytes`);
      if (overloaded) throw new SmtpRefusal(451, '4.3.1 too much mail at once, try again later');
      await inSpan(this.tracing, 'SMTP DATA', { kind: 'server' }, () => this.take(Buffer.concat(chunks), session));
    } finally {
      this.bufferedBytes -= bytes;
    }
  }

  private async take(raw: Buffer, session: SMTPServerSession): Promise<void> {
    const receivedAtMs = this.clock.nowMs();
    const { mailFrom, rcptTo } = session.envelope;
    const accounts = new Set(
      rcptTo.map(({ address }) => this.directory.byAddress(address)).filter((a) => a !== undefined),
    );
    // Each account has its own receipt, so a mail that reached one of two before a failure is a duplicate there next time.
    for (const account of accounts) {
      const nullSender = mailFrom === false || mailFrom.address === '';
      const contact = await this.read(raw, account, receivedAtMs, nullSender);
      if (contact) await this.publisher.publishParsed(account, [contact], receivedAtMs);
    }
  }

  private async read(
    raw: Buffer,
    account: ChannelAccount,
    receivedAtMs: number,
    nullSender: boolean,
  ): Promise<ParsedInteraction | undefined> {
    const siblings = this.directory.all().filter((a) => a.adapter === 'email' && a.tenant === account.tenant);
    try {
      return await parseMail(raw, { account: account.name, receivedAtMs, nullSender, isOwn: ownSenders(siblings) });
    } catch (error) {
      if (codeOf(error) === 'CHANNEL.TOO_COMPLEX') throw new SmtpRefusal(554, `5.6.0 ${messageOf(error)}`);
      if (codeOf(error) !== 'CHANNEL.UNREADABLE') throw error;
      await this.undeliverable.park(account, {
        channel: 'email',
        reasonCode: 'CHANNEL.UNREADABLE',
        reason: messageOf(error),
        contentType: 'message/rfc822',
        bytes: raw,
        receivedAtMs,
      });
      return undefined;
    }
  }

  private tryLater(error: unknown): SmtpRefusal {
    this.logger.warn(`a mail was not taken: ${codeOf(error) ?? 'unknown failure'}`);
    return new SmtpRefusal(451, '4.3.0 not recorded, try again later');
  }
}
