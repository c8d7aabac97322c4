import type { Producer } from 'kafkajs';
import { isRetryable } from '#libs/kernel';
import type { BusMessage } from '../interaction-bus.port.js';
import { fromClient } from './kafka.errors.js';
import { SEALED_CONTENT_TYPE, type MessageSeal } from './kafka.message.js';

/** A message that was taken off a topic and cannot be recorded for good. */
export interface DeadLetter {
  topic: string;
  partition: number;
  offset: string;
  /** Whose topic it was on; absent on our own, where what cannot be read has no tenant either. */
  tenant?: string;
  /** What it says, where it could be read and the recorder failed on it. */
  message?: BusMessage;
  /** `BUS.REASON`. */
  reasonCode: string;
  /** One sentence for an operator, without personal data. */
  reason: string;
  contentType: string;
  /** The value as it lay on the topic. */
  bytes: Buffer;
}

/** Sets a dead letter aside where people find it (`hilo parked`); a second time adds no more than an attempt. */
export type ParkDeadLetter = (letter: DeadLetter) => Promise<void>;

export interface DeadLettersOptions {
  topic: string;
  seal: Pick<MessageSeal, 'now'>;
  park: ParkDeadLetter;
}

/** Where messages go that would otherwise stop their partition: parked first, then copied to a topic of their own. */
export class DeadLetters {
  constructor(
    private readonly producer: Producer,
    private readonly options: DeadLettersOptions,
  ) {}

  /**
   * Resolves when the message is parked and copied.
   * @throws HubError retryable: it is not in both places yet
   */
  async take(letter: DeadLetter): Promise<void> {
    const { topic, seal, park } = this.options;
    await park(letter);
    const place = `${letter.topic}/${letter.partition}/${letter.offset}`;
    // Keys and headers of other producers may name people: the copy has none of them.
    const headers = {
      'content-type': SEALED_CONTENT_TYPE,
      'hilo-place': place,
      'hilo-reason': letter.reasonCode,
      'hilo-content-type': letter.contentType,
    };
    try {
      const value = (await seal.now())(deadLetterBound(place), letter.bytes);
      await this.producer.send({ topic, acks: -1, messages: [{ key: place, headers, value }] });
    } catch (error) {
      throw isRetryable(error) ? error : fromClient(error);
    }
  }
}

/** What the copy of a message from a place (`topic/partition/offset`) is sealed to. */
export const deadLetterBound = (place: string): string => `hilo dead letter\0${place}`;
