import { ContentReader } from '#libs/commands/intake/content.js';
import { IdentityResolver } from '#libs/commands/identity-resolver/identity-resolver.js';
import {
  SCHEMAS,
  interactionDecider,
  profileDecider,
  upcast,
  type InteractionContent,
  type InteractionEvent,
  type ProfileImported,
} from '#libs/domain';
import type { NewEvent } from '#libs/event-store';
import { IdFactory } from '#libs/kernel';
import { goldenOf, logOf, openedGolden } from './golden-files.js';
import { TODAY, content, without } from './today.js';

describe('what is written today', () => {
  const ids = new IdFactory(Buffer.alloc(32));
  const reader = new ContentReader(ids, { countryOf: () => undefined });
  const identifiers = [
    { type: 'email', value: 'lucia@example.com', verified: true },
    { type: 'phone', value: '+34600111222' },
    { type: 'phone', value: 'anonymous' },
  ];
  const fieldsOf = (data: object) => Object.keys(data).toSorted();

  it('has the fields of the newest file of a contact', async () => {
    const { name, ...said } = without(content, 'conversation', 'anchor', 'identities', 'digest');
    const written = reader.interaction({ ...said, tenant: 'acme', customer: { identifiers, name } });
    const newest = (await openedGolden(`InteractionRecorded.${SCHEMAS.InteractionRecorded}`)) as InteractionContent;
    expect(fieldsOf(written)).toEqual(fieldsOf(newest));
    expect(written.identities.map(fieldsOf)).toEqual(newest.identities.map(fieldsOf));
  });

  it('has the fields of the newest file of a profile', async () => {
    const newest = (await openedGolden(`ProfileImported.${SCHEMAS.ProfileImported}`)) as ProfileImported['data'];
    const said = without(newest, 'profile', 'identities', 'digest');
    const receivedAt = '2025-03-02T09:16:04.000Z';
    const written = reader.profile({ ...said, tenant: 'acme', identifiers, receivedAt });
    expect(fieldsOf(written)).toEqual(fieldsOf(newest));
  });

  it('has the fields of the newest file of a link', async () => {
    const written: NewEvent[] = [];
    const resolver = IdentityResolver.open({
      file: ':memory:',
      ids,
      append: async (_stream, events) => {
        written.push(...events);
        return { position: 100, revision: 0 };
      },
    });
    await resolver.apply((await logOf('InteractionRecorded.1')).events);
    await resolver.close();
    const newest = goldenOf(`IdentitiesLinked.${SCHEMAS.IdentitiesLinked}`);
    expect(written).toMatchObject([{ type: 'IdentitiesLinked', schema: SCHEMAS.IdentitiesLinked }]);
    expect(fieldsOf(written[0]!.data)).toEqual(fieldsOf(newest.data));
  });
});

describe('the rules of today decide after what was written before', () => {
  it('on a contact: the same again is nothing, another revision a correction', async () => {
    const { events } = await logOf('InteractionRecorded.1', 'InteractionCorrected.1');
    const state = events
      .map((event) => upcast(event) as InteractionEvent)
      .reduce((before, event) => interactionDecider.evolve(before, event), interactionDecider.initialState);
    const corrected = TODAY['InteractionCorrected.1']!.data as InteractionContent;
    const decide = (said: InteractionContent) =>
      interactionDecider.decide({ type: 'RecordInteraction', content: said }, state).map(({ type }) => type);
    expect(state).toMatchObject({ status: 'recorded', content: { revision: 2 }, digests: [corrected.digest] });
    expect(decide(corrected)).toEqual([]);
    expect(decide({ ...corrected, revision: 3 })).toEqual(['InteractionCorrected']);
  });

  it('on a profile: the same again is nothing', async () => {
    const { events } = await logOf('ProfileImported.1');
    const state = events
      .map((event) => upcast(event) as ProfileImported)
      .reduce((before, event) => profileDecider.evolve(before, event), profileDecider.initialState);
    const said = TODAY['ProfileImported.1'] as ProfileImported;
    expect(profileDecider.decide({ type: 'ImportProfile', content: said.data }, state)).toEqual([]);
  });

  it('on who is who, whatever was linked, proposed, confirmed, rejected and retracted', async () => {
    const resolver = IdentityResolver.open({
      file: ':memory:',
      ids: new IdFactory(Buffer.alloc(32)),
      append: () => Promise.resolve({ position: 100, revision: 0 }),
    });
    const { events } = await logOf(
      'InteractionRecorded.1',
      'InteractionCorrected.1',
      'ProfileImported.1',
      'IdentitiesLinked.1',
      'LinkProposed.1',
      'LinkConfirmed.1',
      'LinkRetracted.1',
      'LinkRejected.1',
    );
    await resolver.apply(events);
    expect(await resolver.checkpoint()).toBe(events.at(-1)!.position);
    await resolver.close();
  });
});
