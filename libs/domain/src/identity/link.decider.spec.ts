import { specFor } from '#libs/testing';
import type { LinkEvent } from './identity.events.js';
import { linkDecider } from './link.decider.js';

const { given } = specFor(linkDecider);
const [link, a, b] = ['b-link', 'a-one', 'a-two'];
const by = { agent: 'kim' };
const reason = 'said so on the phone';

const ruleLinked: LinkEvent = {
  type: 'IdentitiesLinked',
  data: { link, a, b, rule: 'rules-1', evidence: 'same-interaction', confidence: 0.9 },
};
const ruleRetracted: LinkEvent = { type: 'LinkRetracted', data: { link, rule: 'rules-1', reason: 'shared' } };
const proposed: LinkEvent = {
  type: 'LinkProposed',
  data: { link, a, b, rule: 'rules-1', evidence: 'identify', reason: 'conflicting-profiles', confidence: 0.9 },
};
const withdrawn: LinkEvent = { type: 'LinkRejected', data: { link, rule: 'rules-1', reason: 'hub' } };
const agentLinked: LinkEvent = {
  type: 'IdentitiesLinked',
  data: { link, a, b, evidence: 'agent', confidence: 1, by, reason },
};
const agentRetracted: LinkEvent = { type: 'LinkRetracted', data: { link, by, reason } };
const agentConfirmed: LinkEvent = { type: 'LinkConfirmed', data: { link, by, reason } };
const agentRejected: LinkEvent = { type: 'LinkRejected', data: { link, by, reason } };

const linkIdentities = { type: 'LinkIdentities' as const, link, a, b, by, reason };
const retractLink = { type: 'RetractLink' as const, link, by, reason };
const confirmLink = { type: 'ConfirmLink' as const, link, by, reason };
const rejectLink = { type: 'RejectLink' as const, link, by, reason };

describe('linking two identities', () => {
  it('records who did it and why, the ends in their order', () =>
    given([])
      .when({ ...linkIdentities, a: b, b: a })
      .thenEvents([agentLinked]));

  it('takes a proposal for accepted', () => given([proposed]).when(linkIdentities).thenEvents([agentConfirmed]));

  it('makes a rule’s link the agent’s, so that no rule takes it back', () =>
    given([ruleLinked]).when(linkIdentities).thenEvents([agentConfirmed]));

  it.each([[[ruleLinked, ruleRetracted]], [[proposed, withdrawn]], [[agentLinked, agentRetracted]], [[proposed, agentRejected]]])(
    'opens what was closed (%#)',
    (past) => given(past).when(linkIdentities).thenEvents([agentLinked]),
  ); // prettier-ignore

  it('stays quiet when an agent has linked them already', () => {
    given([agentLinked]).when(linkIdentities).thenNothing();
    given([proposed, agentConfirmed]).when(linkIdentities).thenNothing();
  });

  it('refuses to link an identity with itself', () =>
    given([])
      .when({ ...linkIdentities, b: a })
      .thenRefused('LINK.INVALID'));
});

describe('retracting a link', () => {
  it.each([[[ruleLinked]], [[agentLinked]], [[proposed, agentConfirmed]], [[ruleLinked, ruleRetracted]]])(
    'ends it by the agent’s word (%#)',
    (past) => given(past).when(retractLink).thenEvents([agentRetracted]),
  );

  it('stays quiet when an agent has closed it already', () => {
    given([ruleLinked, agentRetracted]).when(retractLink).thenNothing();
    given([proposed, agentRejected]).when(retractLink).thenNothing();
  });

  it('is not for a proposal, nor for a link that never was', () => {
    given([proposed]).when(retractLink).thenRefused('LINK.CONFLICT');
    given([]).when(retractLink).thenRefused('LINK.NOT_FOUND');
  });
});

describe('ruling on a proposal', () => {
  it('confirms it, with a reason or without', () => {
    given([proposed]).when(confirmLink).thenEvents([agentConfirmed]);
    given([proposed])
      .when({ type: 'ConfirmLink', link, by })
      .thenEvents([{ type: 'LinkConfirmed', data: { link, by } }]);
  });

  it('rejects it, with a reason or without', () => {
    given([proposed]).when(rejectLink).thenEvents([agentRejected]);
    given([proposed])
      .when({ type: 'RejectLink', link, by })
      .thenEvents([{ type: 'LinkRejected', data: { link, by } }]);
  });

  it('stays quiet when it is said again', () => {
    given([proposed, agentConfirmed]).when(confirmLink).thenNothing();
    given([proposed, agentRejected]).when(rejectLink).thenNothing();
  });

  it('keeps the rules to what they have done of it themselves meanwhile', () => {
    given([proposed, ruleLinked]).when(confirmLink).thenEvents([agentConfirmed]);
    given([proposed, withdrawn]).when(rejectLink).thenEvents([agentRejected]);
  });

  it('refuses to open what is closed or to close what holds', () => {
    given([proposed, withdrawn]).when(confirmLink).thenRefused('LINK.CONFLICT');
    given([proposed, agentRejected]).when(confirmLink).thenRefused('LINK.CONFLICT');
    given([proposed, agentConfirmed]).when(rejectLink).thenRefused('LINK.CONFLICT');
    given([]).when(confirmLink).thenRefused('LINK.NOT_FOUND');
    given([]).when(rejectLink).thenRefused('LINK.NOT_FOUND');
  });
});
