import { specFor } from '#libs/testing';
import { interactionContent } from '#libs/testing';
import { interactionDecider } from './interaction.decider.js';
import type { InteractionContent } from './interaction.events.js';

const { given } = specFor(interactionDecider);
const recorded = (content: InteractionContent) => ({ type: 'InteractionRecorded' as const, data: content });
const corrected = (content: InteractionContent) => ({ type: 'InteractionCorrected' as const, data: content });
const record = (content: InteractionContent) => ({ type: 'RecordInteraction' as const, content });

const first = interactionContent({ revision: 1, digest: 'said-once' });
const second = interactionContent({ revision: 2, digest: 'said-better' });

describe('recording a contact', () => {
  it('records a contact heard of for the first time', () =>
    given([])
      .when(record(first))
      .thenEvents([recorded(first)]));

  it('stays quiet when the same delivery arrives again', () =>
    given([recorded(first)])
      .when(record({ ...first, receivedAt: '2025-12-01T00:00:00.000Z' }))
      .thenNothing());

  it('corrects a recorded contact by a higher revision', () =>
    given([recorded(first)])
      .when(record(second))
      .thenEvents([corrected(second)]));

  it('stays quiet when a revision that has been overtaken arrives late', () =>
    given([recorded(second)])
      .when(record(first))
      .thenNothing());

  it('refuses other content under the same id and revision', () =>
    given([recorded(first)])
      .when(record({ ...first, text: 'said differently', digest: 'said-differently' }))
      .thenRefused('INTERACTION.CONFLICT'));

  describe('from another sender, alike in all else', () => {
    const ana = { identity: '10000000-0000-8000-8000-00000000000a', type: 'social', value: 'page:1' };
    const also = { identity: '10000000-0000-8000-8000-00000000000b', type: 'social', value: 'app:9' };
    const one = { ...first, anchor: ana.identity, identities: [ana] };
    const other = { ...first, anchor: also.identity, identities: [also], digest: 'said-by-another' };
    const { kind, occurredAt, name } = first;
    const alias = {
      type: 'SenderAliasSeen' as const,
      data: {
        anchor: ana.identity,
        identities: [ana, also],
        kind,
        occurredAt,
        ...(name !== undefined && { name }),
        digest: other.digest,
      },
    };

    it('keeps that the two are one sender, once', () => {
      given([recorded(one)])
        .when(record(other))
        .thenEvents([alias]);
      given([recorded(one), alias])
        .when(record(other))
        .thenNothing();
      given([recorded(one), alias])
        .when(record(one))
        .thenNothing();
      given([recorded(one), alias])
        .when(record({ ...other, digest: 'in-another-order' }))
        .thenNothing();
    });

    it('keeps nothing where no sender is told, and refuses where anything else differs', () => {
      given([recorded(one)])
        .when(record({ ...one, identities: [], digest: 'said-by-nobody' }))
        .thenNothing();
      given([recorded(one)])
        .when(record({ ...other, text: 'something else' }))
        .thenRefused('INTERACTION.CONFLICT');
    });

    it('is corrected by a higher revision like any contact', () =>
      given([recorded(one), alias])
        .when(record(second))
        .thenEvents([corrected(second)]));
  });

  it('compares with the newest revision, not the first', () =>
    given([recorded(first), corrected(second)])
      .when(record(second))
      .thenNothing());

  it('takes in nothing more of a contact that was erased', () => {
    const erased = recorded({ ...first, erased: true });
    given([erased]).when(record(first)).thenNothing();
    given([erased]).when(record(second)).thenNothing();
    given([erased])
      .when(record({ ...first, digest: 'said-differently' }))
      .thenNothing();
  });
});
