import {
  chooseAnchor,
  nameKey,
  nameKeyOfParts,
  normaliseIdentifier,
  relate,
  type CarriedIdentity,
  type ContactSummary,
  type Evidence,
  type EvidenceKind,
  type IdentityRules,
  type NameKey,
  type NormalisedIdentifier,
  type ProfileImported,
} from '#libs/domain';
import { LruMap, instantMs, toInstant, type ErasedIds, type IdFactory, type Instant, type Uuid } from '#libs/kernel';
import type { Sighted } from './identity.state.js';

/** What one contact or profile says about who is who, in ids and keyed hashes. */
export interface Sighting {
  identities: (Sighted & { id: Uuid })[];
  evidence: Evidence[];
}

type SeenContact = Pick<ContactSummary, 'anchor' | 'identities' | 'kind' | 'occurredAt' | 'name' | 'erased'>;

const NOTHING: Sighting = { identities: [], evidence: [] };

/** Days since 1970-01-01 in UTC. */
export const dayOf = (instant: Instant): number => Math.floor(instantMs(instant) / DAY_MS);
/** `YYYY-MM-DD` of such a day. */
export const dateOf = (day: number): string => toInstant(day * DAY_MS).slice(0, 10);
const DAY_MS = 86_400_000;

const REMEMBERED_NAMES = 10_000;
/** Longer texts are no names; hashing every word of them would only cost. */
const LONGEST_NAME = 200;

/** Turns what events carry into what the resolver keeps. */
export class Sightings {
  private readonly names = new LruMap<string, { key: NameKey | undefined }>(REMEMBERED_NAMES);
  private readonly tokens = new LruMap<string, string>(REMEMBERED_NAMES);

  constructor(
    private readonly ids: IdFactory,
    private readonly erased: ErasedIds,
    private readonly rules: IdentityRules,
  ) {}

  /** Forgets the names it has met. */
  forget(): void {
    this.names.clear();
    this.tokens.clear();
  }

  ofContact(tenant: string, content: SeenContact): Sighting {
    if (content.erased) return NOTHING; // its identifiers are placeholders, alike for everybody
    const carried = this.read(content.identities);
    // Rules that block what used to be the anchor leave the contact with the next best one.
    const anchor =
      carried.identifiers.find((one) => one.usable && carried.idOf(one) === content.anchor) ??
      chooseAnchor(carried.identifiers, this.rules);
    const kind = content.kind === 'identify' ? 'identify' : 'same-interaction';
    return this.relate(tenant, carried, kind, anchor, this.nameOf(tenant, content.name), dayOf(content.occurredAt));
  }

  ofProfile(tenant: string, profile: ProfileImported['data']): Sighting {
    if (profile.erased || this.erased.has(profile.profile)) return NOTHING;
    const carried = this.read([
      ...profile.identities,
      { identity: profile.profile, type: 'profile', value: profile.profile },
    ]);
    const own = carried.identifiers.at(-1);
    const { givenName = '', familyName = '' } = profile;
    const name =
      nameKeyOfParts(givenName.slice(0, LONGEST_NAME), familyName.slice(0, LONGEST_NAME), this.digestOf(tenant)) ??
      this.nameOf(tenant, profile.name);
    const day = profile.createdAt === undefined ? undefined : dayOf(profile.createdAt);
    const sighting = this.relate(tenant, carried, 'profile-import', own, name, day);
    for (const { id, seen } of sighting.identities) {
      if (id === profile.profile && profile.birthDate)
        seen.birthDate = this.ids.token(tenant, 'birth date', profile.birthDate);
    }
    return sighting;
  }

  private relate(
    tenant: string,
    { identifiers, idOf }: Carried,
    kind: EvidenceKind,
    anchor: NormalisedIdentifier | undefined,
    name: NameKey | undefined,
    day: number | undefined,
  ): Sighting {
    const relations = relate(identifiers, kind, anchor);
    const days = day !== undefined && { days: { first: day, last: day } };
    const find = (one: NormalisedIdentifier): Uuid => idOf(one) ?? this.ids.identity(tenant, one.type, one.value);
    return {
      identities: relations.identifiers.map((one) => ({
        id: find(one),
        type: one.type,
        linkable: !one.weak,
        carried: idOf(one) !== undefined,
        seen: {
          ...(name && { name }),
          ...(one.verified && { verified: true }),
          ...(one === relations.anchor && day !== undefined && { ownDay: day }),
        },
      })),
      evidence: relations.evidence.map(({ a, b, kind: how }) => ({ a: find(a), b: find(b), kind: how, ...days })),
    };
  }

  /** Values are kept as recorded; how weak they are is not, so today's rules of spelling say it again. */
  private read(carried: readonly CarriedIdentity[]): Carried {
    const identities = new Map<string, Uuid>();
    const identifiers: NormalisedIdentifier[] = [];
    for (const { identity, type, value, verified, blocked } of carried) {
      if (blocked || type === 'conversation' || this.erased.has(identity)) continue;
      identities.set(`${type}:${value}`, identity);
      identifiers.push({
        ...normaliseIdentifier({ type, value, ...(verified && { verified }) }, { rules: this.rules }),
        type,
        value,
      });
    }
    return { identifiers, idOf: ({ type, value }) => identities.get(`${type}:${value}`) };
  }

  private nameOf(tenant: string, written: string | undefined): NameKey | undefined {
    if (!written || written.length > LONGEST_NAME) return undefined;
    const text = `${tenant}\u0000${written}`;
    const known = this.names.get(text);
    if (known) return known.key;
    const key = nameKey(written, this.digestOf(tenant));
    this.names.set(text, { key });
    return key;
  }

  private digestOf(tenant: string): (word: string) => string {
    return (word) => {
      const text = `${tenant}\u0000${word}`;
      const known = this.tokens.get(text);
      if (known !== undefined) return known;
      const token = this.ids.token(tenant, 'name', word);
      this.tokens.set(text, token);
      return token;
    };
  }
}

interface Carried {
  identifiers: NormalisedIdentifier[];
  /** Undefined for an identifier that the event implies without carrying it. */
  idOf: (identifier: NormalisedIdentifier) => Uuid | undefined;
}
