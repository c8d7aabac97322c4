import { HubError, messageOf } from '#libs/kernel';

/** No broker took it, or none has said so: whether it was stored is unknown, and sending it again is harmless. */
export const busUnavailable = (problem: string, cause?: unknown): HubError =>
  new HubError('BUS.UNAVAILABLE', `Kafka does not answer: ${problem}`, { retryable: true, cause });

/** What the client throws, in our words. */
export const fromClient = (cause: unknown): HubError => busUnavailable(messageOf(cause), cause);

export const busClosed = (): HubError => new HubError('BUS.CLOSED', 'the hub is shutting down', { retryable: true });

/** Whether an error is the client's own, which knows what to do about it (rejoin, reconnect). */
export const isClientError = (error: unknown): boolean => error instanceof Error && error.name.startsWith('KafkaJS');
