import { HubError } from '#libs/kernel';
import type { Decider } from '../decider.js';
import type { LinkEvent } from './identity.events.js';
import type { ConfirmLink, LinkCommand, LinkIdentities, RejectLink, RetractLink } from './link.commands.js';

/** What stands between two identities; `ruled` once an agent has decided it, which no rule changes any more. */
export type Link =
  | { status: 'unknown' }
  | { status: 'proposed' }
  | { status: 'active'; ruled: boolean }
  | { status: 'closed'; ruled: boolean };

const linkIdentities = (command: LinkIdentities, state: Link): LinkEvent[] => {
  const { link, by, reason } = command;
  if (command.a === command.b)
    throw new HubError('LINK.INVALID', 'both ends are the same identity; name one identity of each customer');
  const [a, b] = command.a < command.b ? [command.a, command.b] : [command.b, command.a];
  switch (state.status) {
    case 'unknown':
    case 'closed':
      return [{ type: 'IdentitiesLinked', data: { link, a, b, evidence: 'agent', confidence: 1, by, reason } }];
    case 'proposed':
      return [{ type: 'LinkConfirmed', data: { link, by, reason } }];
    case 'active':
      // A rule may let go of its own link; what an agent has said too, it may not.
      return state.ruled ? [] : [{ type: 'LinkConfirmed', data: { link, by, reason } }];
  }
};

const retract = ({ link, by, reason }: RetractLink, state: Link): LinkEvent[] => {
  switch (state.status) {
    case 'unknown':
      throw notFound();
    case 'proposed':
      throw new HubError('LINK.CONFLICT', 'the link is only proposed; reject the proposal instead');
    case 'active':
      return [{ type: 'LinkRetracted', data: { link, by, reason } }];
    case 'closed':
      // What the rules let go they may take up again; an agent's word keeps it closed.
      return state.ruled ? [] : [{ type: 'LinkRetracted', data: { link, by, reason } }];
  }
};

const confirm = ({ link, by, reason }: ConfirmLink, state: Link): LinkEvent[] => {
  switch (state.status) {
    case 'unknown':
      throw notFound();
    case 'closed':
      throw new HubError('LINK.CONFLICT', 'the proposal is closed; link the two identities instead');
    case 'active':
      if (state.ruled) return [];
      break;
    case 'proposed':
  }
  return [{ type: 'LinkConfirmed', data: { link, by, ...(reason !== undefined && { reason }) } }];
};

const reject = ({ link, by, reason }: RejectLink, state: Link): LinkEvent[] => {
  switch (state.status) {
    case 'unknown':
      throw notFound();
    case 'active':
      throw new HubError('LINK.CONFLICT', 'the link holds; retract it instead');
    case 'closed':
      if (state.ruled) return [];
      break;
    case 'proposed':
  }
  return [{ type: 'LinkRejected', data: { link, by, ...(reason !== undefined && { reason }) } }];
};

const notFound = () => new HubError('LINK.NOT_FOUND', 'no link has this id');

/** What agents may say of two identities, in whatever state the rules have left them. Saying it again changes nothing. */
export const linkDecider: Decider<LinkCommand, Link, LinkEvent> = {
  initialState: { status: 'unknown' },
  decide: (command, state) => {
    switch (command.type) {
      case 'LinkIdentities':
        return linkIdentities(command, state);
      case 'RetractLink':
        return retract(command, state);
      case 'ConfirmLink':
        return confirm(command, state);
      case 'RejectLink':
        return reject(command, state);
    }
  },
  evolve: (_state, event) => {
    switch (event.type) {
      case 'LinkProposed':
        return { status: 'proposed' };
      case 'IdentitiesLinked':
      case 'LinkConfirmed':
        return { status: 'active', ruled: event.data.by !== undefined };
      case 'LinkRejected':
      case 'LinkRetracted':
        return { status: 'closed', ruled: event.data.by !== undefined };
    }
  },
};
