import { Injectable } from '@nestjs/common';
import type { Decider, DomainEvent } from '#libs/domain';
import { SCHEMAS, upcast } from '#libs/domain';
import { EventStore, type ExpectedRevision, type NewEvent, type StoredEvent, type StreamId } from '#libs/event-store';
import { codeOf, type Uuid } from '#libs/kernel';
import type { Traceparent } from '#libs/kernel/tracing/tracing.port.js';
import { randomUUID } from 'node:crypto';

/** What came of a command. */
export interface CommandReceipt<Event extends DomainEvent = DomainEvent> {
  /** What was decided and appended, now or by an earlier run of the same command; empty when nothing was left to do. */
  events: readonly Event[];
  /** Where it was recorded; of an empty decision, where the stream ended. */
  position: number;
}

/** Where a command comes from. */
export interface CommandOrigin {
  /** Names the command for ever: run again, it finds what it has appended, whatever its caller was told of it. */
  commandId?: Uuid | undefined;
  /** The trace that the command belongs to. */
  traceparent?: Traceparent | undefined;
}

export interface CommandTarget extends CommandOrigin {
  stream: StreamId;
  tenant: string;
  /** The stream is most likely new: decide from the initial state and read only when the append says otherwise. */
  expectNew?: boolean;
}

const MAX_ATTEMPTS = 8;

/**
 * Reads a stream, folds, decides and appends at the revision read; alone in doing so. A command that was run before, under
 * the same id, is answered with what it appended then.
 */
@Injectable()
export class CommandRunner {
  constructor(private readonly store: EventStore) {}

  /** @throws whatever `decide` throws, `EVENT_STORE.REVISION_CONFLICT` after 8 lost races, `EVENT_STORE.UNAVAILABLE`. */
  async run<Command, State, Event extends DomainEvent>(
    decider: Decider<Command, State, Event>,
    command: Command,
    target: CommandTarget,
  ): Promise<CommandReceipt<Event>> {
    const commandId = target.commandId ?? randomUUID();
    let expectNew = target.expectNew ?? false;
    for (let attempt = 1; ; attempt++) {
      const { state, expected, position, own } = expectNew
        ? { state: decider.initialState, expected: 'no_stream' as const, position: 0, own: undefined }
        : await this.fold(decider, target, commandId);
      if (own) return own;
      const events = decider.decide(command, state);
      if (events.length === 0) return { events, position };
      try {
        const receipt = await this.store.append(target.stream, events.map(stored(commandId, target)), expected);
        return { events, position: receipt.position };
      } catch (error) {
        if (codeOf(error) !== 'EVENT_STORE.REVISION_CONFLICT' || attempt === MAX_ATTEMPTS) throw error;
        expectNew = false;
      }
    }
  }

  private async fold<Command, State, Event extends DomainEvent>(
    decider: Decider<Command, State, Event>,
    { stream, tenant }: CommandTarget,
    commandId: Uuid,
  ): Promise<{
    state: State;
    expected: ExpectedRevision;
    position: number;
    /** What this command has appended before. */
    own?: CommandReceipt<Event> | undefined;
  }> {
    // Ids come from callers too: somebody else's stream is one that never was.
    const past = (await this.store.read(stream)).filter((event) => event.tenant === tenant);
    const events = past.map((stored) => upcast(stored) as unknown as Event);
    const state = events.reduce((s, event) => decider.evolve(s, event), decider.initialState);
    const last = past.at(-1);
    const first = past.findIndex(({ id }) => id === commandId);
    return {
      state,
      expected: last ? last.revision : 'no_stream',
      position: last?.position ?? 0,
      own: first === -1 ? undefined : ownOf(past.slice(first), events.slice(first), commandId),
    };
  }
}

/** The events of one command lie one behind another. */
const ownOf = <Event extends DomainEvent>(
  past: readonly StoredEvent[],
  events: readonly Event[],
  commandId: Uuid,
): CommandReceipt<Event> => {
  const next = past.findIndex(({ id }, index) => id !== nthId(commandId, index));
  const count = next === -1 ? past.length : next;
  return { events: events.slice(0, count), position: past[count - 1]!.position };
};

const stored =
  (commandId: Uuid, { tenant, traceparent }: CommandTarget) =>
  (event: DomainEvent, index: number): NewEvent => ({
    id: nthId(commandId, index),
    type: event.type,
    schema: SCHEMAS[event.type] ?? 1,
    tenant,
    data: event.data,
    ...(traceparent !== undefined && { traceparent }),
  });

// The last four hex digits count the events of one command; a decision of more than 65,535 events does not exist.
const nthId = (commandId: Uuid, index: number): Uuid =>
  index === 0
    ? commandId
    : commandId.slice(0, 32) +
      ((Number.parseInt(commandId.slice(32), 16) + index) & 0xffff).toString(16).padStart(4, '0');
