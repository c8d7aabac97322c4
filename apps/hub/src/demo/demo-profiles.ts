import type { CustomerIdentifier } from '#libs/kernel';
import { PEOPLE, type City, type Person } from './casa-lumbre.js';
import type { DemoProfile } from './demo.types.js';

const COUNTRY: Readonly<Record<City, string>> = { Madrid: 'ES', Lima: 'PE', Austin: 'US' };
const TIERS = ['chispa', 'brasa', 'llama'] as const;

const identifiersIn = (person: Person): CustomerIdentifier[] => [
  ...(person.email ? [{ type: 'email', value: person.email }] : []),
  ...(person.phone ? [{ type: 'phone', value: person.phone }] : []),
  ...(person.landline ? [{ type: 'phone', value: person.landline }] : []),
  ...(person.account ? [{ type: 'account', value: person.account }] : []),
  ...(person.loyalty ? [{ type: 'loyalty', value: person.loyalty }] : []),
];

const profileOf = (person: Person, i: number): DemoProfile => ({
  source: 'crm',
  externalId: `crm-${1001 + i}`,
  identifiers: identifiersIn(person),
  name: person.name,
  givenName: person.given,
  familyName: person.family,
  ...(person.birthDate && { birthDate: person.birthDate }),
  country: COUNTRY[person.city],
  createdAt: `202${2 + (i % 3)}-0${1 + (i % 9)}-1${i % 10}T10:00:00.000Z`,
  consents: { email: i % 4 !== 3, whatsapp: i % 3 === 0, phone: i % 2 === 0 },
  attributes: { city: person.city, tier: TIERS[i % TIERS.length] ?? 'chispa', preferredLanguage: person.language },
});

/** Records of the company's CRM: most customers, and one of them twice. Bodies of `POST /v1/profiles`. */
export const demoProfiles = (): DemoProfile[] => {
  const profiles = PEOPLE.filter((_, i) => i % 6 !== 5).map(profileOf);
  const twice = profiles.find(({ name }) => name === 'Grace Whitfield');
  if (twice)
    profiles.push({
      ...twice,
      externalId: 'crm-0417',
      name: 'G. Whitfield',
      givenName: 'G.',
      createdAt: '2019-05-02T15:00:00.000Z',
    });
  return profiles;
};
