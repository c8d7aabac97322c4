import { Injectable } from '@nestjs/common';
import type { DeliveryOutcome } from '#libs/bus';
import { counter, durations } from '#libs/kernel/measures.js';

/** What an operator sees of the recorder. */
@Injectable()
export class IntakeMeasures {
  private readonly outcomes = counter(
    'hilo_recorder_contacts_total',
    'Contacts taken off the bus, by what became of them',
    ['outcome'],
  );
  private readonly failures = counter('hilo_recorder_retries_total', 'Batches that failed and are taken again');
  private readonly seconds = durations('hilo_recorder_batch_seconds', 'Time to record one batch');

  /** Counts a batch when it is recorded, or has failed. */
  async of(batch: Promise<DeliveryOutcome[]>): Promise<DeliveryOutcome[]> {
    const since = performance.now();
    try {
      const outcomes = await batch;
      const counts = new Map<string, number>();
      for (const { status } of outcomes) counts.set(status, (counts.get(status) ?? 0) + 1);
      for (const [outcome, count] of counts) this.outcomes.inc({ outcome }, count);
      return outcomes;
    } catch (error) {
      this.failures.inc();
      throw error;
    } finally {
      this.seconds.observe((performance.now() - since) / 1000);
    }
  }
}
