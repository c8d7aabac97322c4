import type { InteractionBus } from '#libs/bus';
import type { EventStore, ParkedMessages } from '#libs/event-store';
import { HubError } from '#libs/kernel';
import type { ProjectionProgress, ReadModel } from '#libs/projections';
import type { HealthCheck, Metrics } from '#libs/queries';

/** Events the read model of the embedded engines may be behind and the program still counts as ready. */
const READY_LAG = 100_000;

export const eventStoreAnswers = (events: EventStore): HealthCheck => ({
  name: 'eventStore',
  ask: async () => void (await events.head()),
});

export const busAnswers = (bus: InteractionBus): HealthCheck => ({
  name: 'bus',
  ask: async () => void (await bus.backlog()),
});

export const readModelAnswers = (readModel: ReadModel): HealthCheck => ({
  name: 'readModel',
  ask: async () => void (await readModel.db.selectFrom('checkpoint').select('position').execute()),
});

/** Where parked messages, keys and counts are. */
export const operationsAnswer = (parked: ParkedMessages): HealthCheck => ({
  name: 'operations',
  ask: async () => void (await parked.list({ limit: 1 })),
});

/** @param most positions behind the log before the program counts as not ready. @default 100000 */
export const timelinesFollow = (events: EventStore, progress: ProjectionProgress, most = READY_LAG): HealthCheck => ({
  name: 'timelines',
  ask: async () => {
    const behind = Math.max(0, (await events.head()) - progress.position());
    if (behind > most)
      throw new HubError('READ_MODEL.BEHIND', 'the timelines are behind', { retryable: true, facts: { behind } });
    return { behind };
  },
});

export const watchTimelines = (metrics: Metrics, events: EventStore, progress: ProjectionProgress): void => {
  metrics.watch('hilo_log_head_position', 'Position of the newest event', () => events.head());
  metrics.watch('hilo_read_model_position', 'Position the timelines show', () => progress.position());
};

export const watchBus = (metrics: Metrics, bus: InteractionBus): void => {
  metrics.watch('hilo_bus_in_flight', 'Contacts accepted and not yet recorded', () => bus.backlog());
  metrics.watch('hilo_bus_sending', 'Contacts taken by this program and not yet acknowledged', () => bus.inFlight());
};

export const watchParked = (metrics: Metrics, parked: ParkedMessages): void =>
  metrics.watch('hilo_parked_messages', 'Messages that wait in the parked ones', async () =>
    (await parked.count()).reduce((sum, account) => sum + account.parked, 0),
  );
