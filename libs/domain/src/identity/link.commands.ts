import type { Uuid } from '#libs/kernel';
import type { DecidedBy } from './identity.events.js';

/** What every command of an agent on a link says. */
interface AgentCommand {
  link: Uuid;
  by: DecidedBy;
}

/** Make two identities one customer's, whatever the rules think of them. The order of the two means nothing. */
export interface LinkIdentities extends AgentCommand {
  type: 'LinkIdentities';
  a: Uuid;
  b: Uuid;
  reason: string;
}

/** Undo one link, made by an agent or by a rule, and keep the rules from making it again. */
export interface RetractLink extends AgentCommand {
  type: 'RetractLink';
  reason: string;
}

/** Accept a proposal. */
export interface ConfirmLink extends AgentCommand {
  type: 'ConfirmLink';
  reason?: string;
}

/** Turn a proposal down, for good. */
export interface RejectLink extends AgentCommand {
  type: 'RejectLink';
  reason?: string;
}

export type LinkCommand = LinkIdentities | RetractLink | ConfirmLink | RejectLink;
