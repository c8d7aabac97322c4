import {
  DEFAULT_RULES,
  chooseAnchor,
  normaliseIdentifier,
  type CarriedIdentity,
  type IdentityRules,
  type InteractionContent,
  type NormalisedIdentifier,
  type ProfileImported,
} from '#libs/domain';
import {
  LruMap,
  type AccountCountries,
  type CustomerIdentifier,
  type IdFactory,
  type InboundInteraction,
  type InboundProfile,
  type Uuid,
} from '#libs/kernel';

interface KnownIdentifier {
  normalised: NormalisedIdentifier;
  carried: CarriedIdentity;
}

/** Identifiers and threads that come again are not normalised and hashed again; so many are remembered. */
const REMEMBERED = 20_000;

/** Turns what travels into what is kept: ids derived, identifiers normalised, anchor chosen, fingerprint taken. */
export class ContentReader {
  private readonly identifiers = new LruMap<string, KnownIdentifier>(REMEMBERED);
  private readonly conversations = new LruMap<string, Uuid>(REMEMBERED);
  private erasures: number;
  /** Gives the ids that everything had before anything was erased. */
  private readonly first: IdFactory;

  constructor(
    private readonly ids: IdFactory,
    private readonly countries: AccountCountries,
    private readonly rules: IdentityRules = DEFAULT_RULES,
  ) {
    this.erasures = ids.erasures;
    this.first = ids.after({ size: 0, has: () => false });
  }

  interaction(inbound: InboundInteraction): InteractionContent {
    this.forgetErased();
    const { tenant, channel, account } = inbound;
    const thread = inbound.threadId ?? inbound.externalId;
    const conversation = this.conversation(tenant, channel, account, thread);
    const known = this.known(tenant, inbound.customer?.identifiers, this.countries.countryOf(tenant, account));
    const identities = known.map(({ carried }) => carried);
    const anchor = chooseAnchor(
      known.map(({ normalised }) => normalised),
      this.rules,
    );
    let anchorId: Uuid;
    if (anchor) {
      anchorId = known.find(({ normalised }) => normalised === anchor)!.carried.identity;
    } else {
      // Nobody to tell apart: the contact belongs to its conversation, findable there, and can be linked later.
      anchorId = this.ids.identity(tenant, 'conversation', conversation);
      identities.push({ identity: anchorId, type: 'conversation', value: conversation });
    }
    // Field by field: a rest spread costs more here than everything around it. What is undefined is not stored.
    return {
      channel,
      account,
      externalId: inbound.externalId,
      revision: inbound.revision ?? 1,
      kind: inbound.kind,
      conversation,
      threadId: inbound.threadId,
      direction: inbound.direction,
      occurredAt: inbound.occurredAt,
      endedAt: inbound.endedAt,
      receivedAt: inbound.receivedAt,
      anchor: anchorId,
      identities,
      name: inbound.customer?.name,
      agent: inbound.agent,
      subject: inbound.subject,
      text: inbound.text,
      html: inbound.html,
      language: inbound.language,
      outcome: inbound.outcome,
      attachments: inbound.attachments,
      attributes: inbound.attributes,
      digest: this.digest(fingerprint(inbound), anchorId, () =>
        anchor
          ? this.first.identity(tenant, anchor.type, anchor.value)
          : this.first.identity(tenant, 'conversation', this.first.conversation(tenant, channel, account, thread)),
      ),
    };
  }

  /** The record's own id is the identity of type `profile` that its identifiers are linked to. */
  profile(inbound: InboundProfile): ProfileImported['data'] {
    this.forgetErased();
    const { tenant, receivedAt: _receivedAt, identifiers, revision: _revision, country, ...said } = inbound;
    const known = this.known(tenant, identifiers, country ?? this.countries.countryOf(tenant, inbound.source));
    const record = `${inbound.source}:${inbound.externalId}`;
    const profile = this.ids.identity(tenant, 'profile', record);
    const text = JSON.stringify([said, identifiers?.map(identifierFingerprint)], sortedKeys);
    return {
      ...said,
      profile,
      identities: known.map(({ carried }) => carried),
      digest: this.digest(text, profile, () => this.first.identity(tenant, 'profile', record)),
    };
  }

  /** Whoever starts afresh after an erasure says the same under another fingerprint: an equal one would tell who it was. */
  private digest(text: string, id: Uuid, first: () => Uuid): string {
    const again = this.erasures > 0 && id !== first();
    return this.ids.digest(again ? `${text}\u0000${id}` : text);
  }

  private forgetErased(): void {
    if (this.ids.erasures === this.erasures) return;
    this.erasures = this.ids.erasures;
    this.identifiers.clear();
    this.conversations.clear();
  }

  private conversation(tenant: string, channel: string, account: string, thread: string): Uuid {
    const key = `${tenant}\u0000${channel}\u0000${account}\u0000${thread}`;
    const known = this.conversations.get(key);
    if (known !== undefined) return known;
    const id = this.ids.conversation(tenant, channel, account, thread);
    this.conversations.set(key, id);
    return id;
  }

  /** Each identity once, verified where any of its spellings is. */
  private known(
    tenant: string,
    given: readonly CustomerIdentifier[] | undefined,
    country: string | undefined,
  ): KnownIdentifier[] {
    if (!given || given.length === 0) return [];
    const distinct = new Map<Uuid, KnownIdentifier>();
    for (const identifier of given) {
      const one = this.identifier(tenant, identifier, country);
      if (one.normalised.value === '') continue; // nothing but white space: there is nothing to show or to find
      const same = distinct.get(one.carried.identity);
      if (!same || (one.normalised.verified && !same.normalised.verified)) distinct.set(one.carried.identity, one);
    }
    return [...distinct.values()];
  }

  private identifier(tenant: string, given: CustomerIdentifier, country: string | undefined): KnownIdentifier {
    const key = `${tenant}\u0000${given.verified ? 1 : 0}${country ?? ''}\u0000${given.type}\u0000${given.value}`;
    const known = this.identifiers.get(key);
    if (known) return known;
    const normalised = normaliseIdentifier(given, {
      rules: this.rules,
      ...(country === undefined ? {} : { defaultCountry: country }),
    });
    const read: KnownIdentifier = {
      normalised,
      carried: {
        identity: this.ids.identity(tenant, normalised.type, normalised.value),
        type: normalised.type,
        value: normalised.value,
        ...(normalised.verified ? { verified: true as const } : {}),
        ...(normalised.usable ? {} : { blocked: true as const }),
      },
    };
    this.identifiers.set(key, read);
    return read;
  }
}

const identifierFingerprint = (i: CustomerIdentifier): unknown[] => [i.type, i.value, i.verified ?? false];

// Field by field in a fixed order, so that the key order of a body says nothing; our own clock is left out.
const fingerprint = (i: InboundInteraction): string =>
  JSON.stringify([
    i.kind,
    i.threadId,
    i.direction,
    i.timeIsOurs ? undefined : i.occurredAt,
    i.endedAt,
    i.customer?.identifiers?.map(identifierFingerprint),
    i.customer?.name,
    i.agent,
    i.subject,
    i.text,
    i.html,
    i.language,
    i.outcome,
    i.attachments?.map((a) => [a.name, a.contentType, a.bytes, a.url, a.externalId]),
    i.attributes && Object.entries(i.attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ]);

const sortedKeys = (_key: string, value: unknown): unknown =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value;
