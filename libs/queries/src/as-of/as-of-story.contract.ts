import type { CarriedIdentity, InteractionContent } from '#libs/domain';
import { streamId } from '#libs/event-store';
import { toInstant, type Uuid } from '#libs/kernel';
import type { ReadModel } from '#libs/projections';
import { interactionContent } from '#libs/testing';
import { AsOfHub } from './as-of-hub.contract.js';
import { BEGIN_MS, conversationId, emailOf, ids, interactionId, personId, profileId } from './as-of-people.contract.js';
import type { Said, Step } from './as-of-steps.contract.js';

const carried = (people: Iterable<number>, tenant: string, verified: boolean): CarriedIdentity[] =>
  [...new Set(people)].map((person) => ({
    identity: personId(person, tenant),
    type: 'email',
    value: emailOf(person),
    ...(verified && { verified: true as const }),
  }));

/** A hub that lived through these steps; those that mean nothing where they stand are left out. */
export const hubOf = async (steps: readonly Step[], newReadModel: () => Promise<ReadModel>): Promise<AsOfHub> => {
  const hub = await AsOfHub.open(newReadModel);
  const contacts: { id: Uuid; tenant: string; revision: number }[] = [];
  const seen: Uuid[] = [];
  const commitments: { id: Uuid; place: object }[] = [];
  let written = 0;
  const see = (identities: Iterable<Uuid>) => seen.push(...[...identities].filter((id) => !seen.includes(id)));
  const contentOf = (said: Said, tenant: string, revision: number, n: number): InteractionContent =>
    interactionContent({
      externalId: `m${n}`,
      revision,
      conversation: conversationId(said.conversation),
      anchor: personId(said.anchor, tenant),
      identities: carried([said.anchor, ...said.others], tenant, said.verified),
      channel: said.channel,
      direction: said.direction,
      kind: said.kind,
      occurredAt: toInstant(BEGIN_MS + said.minute * 60_000),
      receivedAt: toInstant(BEGIN_MS + 3_600_000),
      subject: `contact ${n}, revision ${revision}`,
      text: `text ${n} of revision ${revision}`,
      name: said.name,
      digest: `d${n}-${revision}`,
    });
  for (const step of steps) {
    hub.clock.advance(step.ms);
    switch (step.type) {
      case 'contact': {
        const tenant = step.elsewhere ? 'other' : 'acme';
        const id = interactionId(contacts.length);
        const content = contentOf(step.said, tenant, 1, contacts.length);
        await hub.put(streamId('interaction', id), 'InteractionRecorded', tenant, content);
        contacts.push({ id, tenant, revision: 1 });
        if (!step.elsewhere) see(content.identities.map(({ identity }) => identity));
        break;
      }
      case 'correct': {
        const contact = contacts[step.which % Math.max(1, contacts.length)];
        if (!contact) break;
        const content = contentOf(step.said, contact.tenant, ++contact.revision, contacts.indexOf(contact));
        await hub.put(streamId('interaction', contact.id), 'InteractionCorrected', contact.tenant, content);
        if (contact.tenant === 'acme') see(content.identities.map(({ identity }) => identity));
        break;
      }
      case 'profile': {
        const identities = carried(step.people, 'acme', false);
        await hub.put(streamId('identity', profileId(step.number)), 'ProfileImported', 'acme', {
          profile: profileId(step.number),
          source: 'crm',
          externalId: `${step.number}`,
          identities,
          ...(step.name && { name: step.name }),
          ...(step.minute !== undefined && { createdAt: toInstant(BEGIN_MS + step.minute * 60_000) }),
          ...(step.consents && { consents: step.consents }),
          attributes: { at: hub.clock.nowMs() },
          digest: `d${hub.clock.nowMs()}`,
        });
        see([profileId(step.number), ...identities.map(({ identity }) => identity)]);
        break;
      }
      case 'write': {
        // Only where somebody of the tenant has been in touch.
        const place = await hub.conversations.find('acme', conversationId(step.conversation));
        if (!place) break;
        const kind = step.note ? 'note' : 'commitment';
        const id = ids.written(kind, 'acme', conversationId(step.conversation), 'kim', `${++written}`);
        const said = {
          [kind]: id,
          conversation: conversationId(step.conversation),
          ...place,
          by: { agent: 'kim' },
          at: toInstant(hub.clock.nowMs()),
        };
        await hub.put(streamId(kind, id), step.note ? 'NoteAdded' : 'CommitmentMade', 'acme', {
          ...said,
          text: `written ${written}`,
          ...(!step.note && step.due !== undefined && { dueAt: toInstant(BEGIN_MS + step.due * 60_000) }),
        });
        if (!step.note) commitments.push({ id, place: said });
        break;
      }
      case 'end': {
        const [made] = commitments.splice(step.which % Math.max(1, commitments.length), 1);
        if (!made) break;
        const data = { ...made.place, ...(step.reason && { reason: step.reason }) };
        const type = step.kept ? 'CommitmentKept' : 'CommitmentWithdrawn';
        await hub.put(streamId('commitment', made.id), type, 'acme', data);
        break;
      }
      case 'consent':
      case 'preference': {
        const identity = seen[step.who % Math.max(1, seen.length)];
        if (identity === undefined) break;
        const { type, ms: _, who: __, lastsMs, ...statement } = step;
        const nowMs = hub.clock.nowMs();
        await hub.put(
          streamId('consent', identity),
          type === 'consent' ? 'ConsentRecorded' : 'PreferenceStated',
          'acme',
          {
            identity,
            ...statement,
            evidence: 'said so',
            ...(lastsMs !== undefined && { until: toInstant(nowMs + lastsMs) }),
            statedAt: toInstant(nowMs),
            by: 'kim',
          },
        );
        break;
      }
      case 'divide': {
        const identity = personId(step.who);
        if (!seen.includes(identity)) break;
        const former = step.days
          .toSorted((one, other) => one - other)
          .map((day, n) => ({
            identity: ids.formerEra(identity, n),
            until: toInstant(BEGIN_MS + day * 86_400_000).slice(0, 10),
          }));
        const data = { identity, former, rule: 'rules-1' };
        await hub.put(streamId('eras', identity), 'IdentityErasDecided', 'acme', data);
        see(former.map((era) => era.identity));
        break;
      }
      case 'link': {
        const [a, b] = [seen[step.a % Math.max(1, seen.length)], seen[step.b % Math.max(1, seen.length)]];
        if (a === undefined || b === undefined || a === b) break;
        const link = ids.link('acme', ...([a, b].toSorted() as [Uuid, Uuid]));
        const begins = step.event === 'IdentitiesLinked' || step.event === 'LinkProposed';
        const stream = streamId('link', link);
        if (!begins && (await hub.store.read(stream)).length === 0) break;
        await hub.put(stream, step.event, 'acme', {
          link,
          ...(begins && { a, b, evidence: 'same-interaction', confidence: 0.9 }),
          ...(step.agent ? { by: { agent: 'kim' } } : { rule: 'rules-1' }),
          ...(step.event === 'LinkRetracted' && { reason: 'wrong' }),
        });
      }
    }
  }
  return hub.fold();
};
