import { IdFactory, type Uuid } from '#libs/kernel';

export const ids = new IdFactory(Buffer.from('a pepper for tests'));
/** When everything begins, epoch milliseconds. */
export const BEGIN_MS = Date.UTC(2026, 0, 1);
export const PEOPLE = 6;
export const CONVERSATIONS = 4;

export const emailOf = (person: number) => `p${person}@mail.example`;
export const personId = (person: number, tenant = 'acme'): Uuid => ids.identity(tenant, 'email', emailOf(person));
export const profileId = (number: number): Uuid => ids.identity('acme', 'profile', `crm:${number}`);
export const conversationId = (number: number): Uuid => `c0000000-0000-8000-8000-00000000000${number}`;
export const interactionId = (number: number): Uuid => ids.interaction('acme', 'email', 'care', `m${number}`);
