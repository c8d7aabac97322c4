import { HubError } from '#libs/kernel';
import { ChannelAdapter, type ParsedDelivery, type RawDelivery } from '../channel-adapter.port.js';
import { settingsOf } from '../shared/settings-of.js';
import { QueueLogSettings } from './queue-log.config.js';
import { parseQueueLog, parseQueueLogLine } from './queue-log.parse.js';

/** Asterisk's queue_log; `body` is a stretch of the file. */
export class AsteriskQueueLogAdapter extends ChannelAdapter {
  readonly name = 'asterisk-queue-log';
  readonly channel = 'phone';
  readonly transport = 'file';
  readonly settings = QueueLogSettings;
  override readonly needsSecret = false;

  verify(): void {
    // A file on our own disk: whoever may write it is the PBX.
  }

  parse({ account, body }: RawDelivery): ParsedDelivery {
    const lines = body.toString('utf8').split('\n');
    if (body.length > 0 && !lines.some((line) => parseQueueLogLine(line)))
      throw new HubError('CHANNEL.UNREADABLE', 'no line is one of a queue log', { facts: { bytes: body.length } });
    const { interactions, ignored } = parseQueueLog(
      lines,
      account.name,
      settingsOf(QueueLogSettings, account).maxOpenHours,
    );
    return { interactions, ignored };
  }
}
