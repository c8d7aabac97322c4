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
      .when(record({ ...first, digest: 'said-differently' }))
      .thenRefused('INTERACTION.CONFLICT'));

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
