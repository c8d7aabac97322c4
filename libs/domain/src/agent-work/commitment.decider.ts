import { HubError } from '#libs/kernel';
import type { Decider } from '../decider.js';
import type { CommitmentCommand, KeepCommitment, MakeCommitment, WithdrawCommitment } from './agent-work.commands.js';
import type { CommitmentEvent, CommitmentKept, CommitmentMade } from './agent-work.events.js';

type Made = CommitmentMade['data'];

/** What has become of a promise; `erased` with the customer it was made to. */
export type Commitment =
  { status: 'unknown' } | { status: 'erased' } | { status: 'open' | 'kept' | 'withdrawn'; made: Made };

const make = ({ content }: MakeCommitment, state: Commitment): CommitmentEvent[] => {
  if (state.status === 'unknown') return [{ type: 'CommitmentMade', data: content }];
  if (state.status === 'erased') throw notFound();
  if (state.made.text === content.text && state.made.dueAt === content.dueAt) return [];
  throw new HubError('COMMITMENT.CONFLICT', 'another one was sent under the same Idempotency-Key; send another key');
};

const keep = (command: KeepCommitment, state: Commitment): CommitmentEvent[] => {
  switch (state.status) {
    case 'unknown':
    case 'erased':
      throw notFound();
    case 'open':
      return [{ type: 'CommitmentKept', data: ended(command, state.made) }];
    case 'kept':
      return [];
    case 'withdrawn':
      throw new HubError('COMMITMENT.CONFLICT', 'the commitment is withdrawn; make a new one');
  }
};

const withdraw = (command: WithdrawCommitment, state: Commitment): CommitmentEvent[] => {
  switch (state.status) {
    case 'unknown':
    case 'erased':
      throw notFound();
    case 'open':
      return [{ type: 'CommitmentWithdrawn', data: ended(command, state.made) }];
    case 'withdrawn':
      return [];
    case 'kept':
      throw new HubError('COMMITMENT.CONFLICT', 'the commitment is kept: there is nothing left to withdraw');
  }
};

const ended = (
  { commitment, by, at, reason }: KeepCommitment | WithdrawCommitment,
  { conversation, anchor, channel, account }: Made,
): CommitmentKept['data'] => ({
  commitment,
  conversation,
  anchor,
  channel,
  account,
  by,
  at,
  ...(reason !== undefined && { reason }),
});

const notFound = () => new HubError('COMMITMENT.NOT_FOUND', 'no commitment has this id');

/** What agents may say of a promise: it is made once, and ends once, kept or withdrawn. */
export const commitmentDecider: Decider<CommitmentCommand, Commitment, CommitmentEvent> = {
  initialState: { status: 'unknown' },
  decide: (command, state) => {
    switch (command.type) {
      case 'MakeCommitment':
        return make(command, state);
      case 'KeepCommitment':
        return keep(command, state);
      case 'WithdrawCommitment':
        return withdraw(command, state);
    }
  },
  evolve: (state, event) => {
    switch (event.type) {
      case 'CommitmentMade':
        return event.data.erased ? { status: 'erased' } : { status: 'open', made: event.data };
      case 'CommitmentKept':
        return 'made' in state ? { status: 'kept', made: state.made } : state;
      case 'CommitmentWithdrawn':
        return 'made' in state ? { status: 'withdrawn', made: state.made } : state;
    }
  },
};
