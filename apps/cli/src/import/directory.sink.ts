import type { BusMessage } from '#libs/bus';
import type { Intake } from '#libs/channels/ingest/inbound.js';
import type { HubSettings } from '#libs/kernel/settings.js';
import { settled, startLine, type Line } from '../line-program.js';
import type { ContactSink, LineOutcome } from './contact-sink.js';
import type { InputLine } from './line-reader.js';
import { messageOfItem, valueOf } from './read-item.js';

const IN_FLIGHT = 4;

/** Straight onto the bus of this process, which records into the data directory. */
export class DirectorySink implements ContactSink {
  readonly inFlight: number;

  private constructor(
    private readonly line: Line,
    private readonly intake: Intake,
    private readonly tenant: string,
    readonly name: string,
    batch: number,
    private readonly signal: AbortSignal,
  ) {
    // Within what the bus takes, so that it never refuses a batch that overtakes the ones behind it.
    this.inFlight = Math.max(1, Math.min(IN_FLIGHT, Math.floor(line.parts.settings.busCapacity / batch)));
  }

  static async open(
    settings: HubSettings,
    { intake, tenant, batch, signal }: { intake: Intake; tenant: string; batch: number; signal: AbortSignal },
  ): Promise<DirectorySink> {
    const line = await startLine(settings, 'hilo import');
    return new DirectorySink(line, intake, tenant, settings.dataDir, batch, signal);
  }

  async send(lines: readonly InputLine[]): Promise<LineOutcome[]> {
    const { bus, clock, log } = this.line.parts;
    const edge = { tenant: this.tenant, ids: log.ids, nowMs: clock.nowMs() };
    const messages: BusMessage[] = [];
    const results: (LineOutcome | undefined)[] = lines.map((line) => {
      const read = valueOf(line);
      const message = 'error' in read ? read : messageOfItem(this.intake, read.value, edge);
      if ('error' in message) return { outcome: 'rejected', error: message.error };
      messages.push(message);
      return undefined;
    });
    const outcomes = (await bus.publish(messages)).values();
    this.line.checkAlive();
    return results.map((rejected) => {
      if (rejected) return rejected;
      const { status, position } = outcomes.next().value!;
      return { outcome: status, ...(position !== undefined && { position }) };
    });
  }

  async shown(_position: number, report: (shown: number, head: number) => void): Promise<void> {
    await settled(this.line, report, this.signal);
  }

  close(): Promise<void> {
    return this.line.close();
  }
}
