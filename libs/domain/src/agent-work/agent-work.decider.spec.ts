import { specFor } from '#libs/testing';
import type { CommitmentEvent, CommitmentMade, NoteAdded } from './agent-work.events.js';
import { commitmentDecider } from './commitment.decider.js';
import { noteDecider } from './note.decider.js';

const place = { conversation: 'c-one', anchor: 'a-one', channel: 'email', account: 'care@acme.example' };
const by = { agent: 'kim' };
const at = '2026-03-02T09:15:00.000Z';
const later = '2026-03-03T10:00:00.000Z';

describe('adding a note', () => {
  const { given } = specFor(noteDecider);
  const content: NoteAdded['data'] = { ...place, note: 'n-one', text: 'prefers calls', by, at };
  const added: NoteAdded = { type: 'NoteAdded', data: content };

  it('records it as it was written', () => given([]).when({ type: 'AddNote', content }).thenEvents([added]));

  it('stays quiet when the same request arrives again, later or by a repeated click', () =>
    given([added])
      .when({ type: 'AddNote', content: { ...content, at: later } })
      .thenNothing());

  it('refuses another text under the same id', () =>
    given([added])
      .when({ type: 'AddNote', content: { ...content, text: 'prefers mail' } })
      .thenRefused('NOTE.CONFLICT'));
});

describe('a commitment', () => {
  const { given } = specFor(commitmentDecider);
  const commitment = 'k-one';
  const content: CommitmentMade['data'] = { ...place, commitment, text: 'call back', dueAt: later, by, at };
  const made: CommitmentEvent = { type: 'CommitmentMade', data: content };
  const make = { type: 'MakeCommitment' as const, content };
  const keep = { type: 'KeepCommitment' as const, commitment, by, at: later };
  const withdraw = { type: 'WithdrawCommitment' as const, commitment, by, at: later, reason: 'she found it' };
  const kept: CommitmentEvent = { type: 'CommitmentKept', data: { ...place, commitment, by, at: later } };
  const withdrawn: CommitmentEvent = {
    type: 'CommitmentWithdrawn',
    data: { ...place, commitment, by, at: later, reason: 'she found it' },
  };

  it('is made once, and stays as it is when it is made again, ended or not', () => {
    given([]).when(make).thenEvents([made]);
    for (const past of [[made], [made, kept], [made, withdrawn]]) given(past).when(make).thenNothing();
  });

  it('is not made of another text or for another day under the same id', () => {
    for (const other of [{ text: 'write' }, { dueAt: at }, { dueAt: undefined }])
      given([made])
        .when({ ...make, content: { ...content, ...other } })
        .thenRefused('COMMITMENT.CONFLICT');
  });

  it('is kept or withdrawn where it was made', () => {
    given([made]).when(keep).thenEvents([kept]);
    given([made]).when(withdraw).thenEvents([withdrawn]);
  });

  it('ends once: the same again is nothing, the other way is refused', () => {
    given([made, kept]).when(keep).thenNothing();
    given([made, withdrawn]).when(withdraw).thenNothing();
    given([made, kept]).when(withdraw).thenRefused('COMMITMENT.CONFLICT');
    given([made, withdrawn]).when(keep).thenRefused('COMMITMENT.CONFLICT');
  });

  it('that was never made, or is erased, cannot end', () => {
    const erased: CommitmentEvent = { type: 'CommitmentMade', data: { ...content, text: 'erased', erased: true } };
    for (const past of [[], [erased], [erased, kept]]) {
      given(past).when(keep).thenRefused('COMMITMENT.NOT_FOUND');
      given(past).when(withdraw).thenRefused('COMMITMENT.NOT_FOUND');
    }
  });
});
