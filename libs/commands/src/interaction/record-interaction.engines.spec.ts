import { randomUUID } from 'node:crypto';
import { EventStoreDbEventStore } from '#libs/event-store/eventstoredb/eventstoredb.event-store.js';
import type { Uuid } from '#libs/kernel';
import { interactionContent } from '#libs/testing';
import { FakeEventStoreDb } from '#libs/testing/eventstoredb-fake/fake-event-store-db.js';
import { ranAgainst } from '../../../../test/engines/ran-against.js';
import { CommandRunner } from '../command-runner.js';
import { RecordInteractionCommand, RecordInteractionHandler } from './record-interaction.handler.js';

jest.setTimeout(30_000);
beforeAll(() => ranAgainst('EventStoreDB under faults: a fake'));

let fake: FakeEventStoreDb;
let store: EventStoreDbEventStore;
let interaction: Uuid;
beforeEach(async () => {
  fake = await FakeEventStoreDb.start();
  store = EventStoreDbEventStore.open({
    url: fake.url(),
    attemptTimeoutMs: 200,
    giveUpAfterMs: 900,
    initialBackoffMs: 5,
    maxBackoffMs: 20,
  });
  interaction = randomUUID();
});
afterEach(async () => {
  await store.close();
  await fake.stop();
});

/** What was decided and recorded, by the delivery that a command is named after. */
const record = async (delivery: Uuid, revision = 1): Promise<{ types: string[]; position: number }> => {
  const content = interactionContent({ revision, digest: `digest-${revision}` });
  const command = new RecordInteractionCommand(
    'acme',
    interaction,
    { type: 'RecordInteraction', content },
    { commandId: delivery },
  );
  const { events, position } = await new RecordInteractionHandler(new CommandRunner(store)).execute(command);
  return { types: events.map(({ type }) => type), position };
};
const lost = async (...given: Parameters<typeof record>): Promise<void> => {
  fake.faults.chooseAppend = () => 'lost reply';
  await expect(record(...given)).rejects.toMatchObject({
    code: 'EVENT_STORE.UNAVAILABLE',
    facts: { stored: 'unknown' },
  });
  fake.faults.chooseAppend = () => undefined;
};

describe('RecordInteraction on a server whose answers are lost', () => {
  it('is answered as recorded, when the reply is lost once and the append sent again', async () => {
    fake.faults.appends.push('lost reply');
    expect(await record(randomUUID())).toMatchObject({ types: ['InteractionRecorded'] });
    expect(fake.arrivedAppends).toHaveLength(2);
  });

  it('is answered as recorded, when the append was given up and the delivery comes again', async () => {
    const delivery = randomUUID();
    await lost(delivery);
    const [stored, ...more] = await store.read(`interaction-${interaction}`);
    expect(more).toEqual([]);
    const answer = { types: ['InteractionRecorded'], position: stored!.position };
    expect(await record(delivery)).toEqual(answer);
    expect(await record(delivery)).toEqual(answer);
    expect(await store.read(`interaction-${interaction}`)).toEqual([stored]);
  });

  it('leaves nothing to do for another delivery of the same contact', async () => {
    await lost(randomUUID());
    expect(await record(randomUUID())).toMatchObject({ types: [] });
  });

  it('is answered as corrected, when the correction was given up and comes again', async () => {
    const first = randomUUID();
    const correction = randomUUID();
    await record(first);
    // Its first append supposes that the contact is new, and is answered.
    fake.faults.appends.push({ slowMs: 0 });
    await lost(correction, 2);
    const stored = await store.read(`interaction-${interaction}`);
    expect(stored).toHaveLength(2);
    expect(await record(correction, 2)).toEqual({ types: ['InteractionCorrected'], position: stored[1]!.position });
    expect(await record(first)).toEqual({ types: ['InteractionRecorded'], position: stored[0]!.position });
  });
});
