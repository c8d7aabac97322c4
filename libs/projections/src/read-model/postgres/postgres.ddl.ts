import { AGENT_WORK_CODES } from '../../timeline/codes.js';

/** Tables of the read model, shape 4, in the order of `sqlite.ddl.ts`. Columns as `read-model.schema.ts` names them. */
export const TABLES = `
CREATE TABLE checkpoint (name text COLLATE "C" PRIMARY KEY, version integer NOT NULL, position bigint NOT NULL);
CREATE TABLE tenant (key bigint PRIMARY KEY, text text COLLATE "C" NOT NULL UNIQUE);
CREATE TABLE label (key bigint PRIMARY KEY, text text COLLATE "C" NOT NULL UNIQUE);
CREATE TABLE identity (
  key bigint PRIMARY KEY, id bytea NOT NULL UNIQUE, tenant bigint NOT NULL, type text NOT NULL, value text NOT NULL,
  verified integer NOT NULL, "firstPosition" bigint NOT NULL, customer bigint NOT NULL, name text, "nameAt" bigint,
  whole bigint, "heldFrom" bigint, "heldUntil" bigint, erased bigint, erasure bytea);
CREATE INDEX identity_customer ON identity (customer);
CREATE INDEX identity_whole ON identity (whole) WHERE whole IS NOT NULL;
CREATE TABLE mention (
  identity bigint NOT NULL, anchor bigint NOT NULL, position bigint NOT NULL, PRIMARY KEY (identity, anchor));
CREATE TABLE profile (identity bigint PRIMARY KEY, position bigint NOT NULL, data text NOT NULL);
CREATE TABLE link (
  key bigint PRIMARY KEY, id bytea NOT NULL UNIQUE, tenant bigint NOT NULL, a bigint NOT NULL, b bigint NOT NULL,
  status text NOT NULL, evidence text NOT NULL, confidence double precision NOT NULL, rule text, agent text,
  reason text, "firstPosition" bigint NOT NULL, "lastPosition" bigint NOT NULL);
CREATE INDEX link_a ON link (a);
CREATE INDEX link_b ON link (b);
CREATE TABLE conversation (key bigint PRIMARY KEY, id bytea NOT NULL UNIQUE, tenant bigint NOT NULL);
CREATE TABLE entry (
  position bigint PRIMARY KEY, id bytea NOT NULL, identity bigint NOT NULL, conversation bigint NOT NULL,
  channel bigint NOT NULL, account bigint NOT NULL, kind integer NOT NULL, direction integer NOT NULL,
  "occurredAt" bigint NOT NULL, "recordedAt" bigint NOT NULL, late integer NOT NULL, revision bigint NOT NULL,
  subject text, preview text, agent text, outcome text);
CREATE TABLE timeline (
  customer bigint NOT NULL, "occurredAt" bigint NOT NULL, position bigint NOT NULL, identity bigint NOT NULL,
  channel bigint NOT NULL, kind integer NOT NULL, direction integer NOT NULL,
  PRIMARY KEY (customer, "occurredAt", position));
CREATE TABLE commitment (
  position bigint PRIMARY KEY, id bytea NOT NULL, identity bigint NOT NULL, conversation bigint NOT NULL,
  text text NOT NULL, "dueAt" bigint, "madeAt" bigint NOT NULL, agent text NOT NULL, status text NOT NULL,
  "endedPosition" bigint);
CREATE TABLE access (
  position bigint PRIMARY KEY, identity bigint NOT NULL, by text NOT NULL, at bigint NOT NULL, saw text,
  reads bigint NOT NULL, field text, revealed bytea, reason text);
CREATE TABLE consent (
  identity bigint NOT NULL, position bigint NOT NULL, purpose text COLLATE "C" NOT NULL, channel text NOT NULL,
  granted integer NOT NULL, at bigint NOT NULL, until bigint, evidence text, by text,
  PRIMARY KEY (identity, position, purpose));
CREATE TABLE preference (
  identity bigint NOT NULL, position bigint NOT NULL, purpose text NOT NULL, channel text, at bigint NOT NULL,
  until bigint, evidence text, by text NOT NULL, PRIMARY KEY (identity, position));
CREATE TABLE erased_contact (
  position bigint PRIMARY KEY, tenant bigint NOT NULL, channel bigint NOT NULL, account bigint NOT NULL);
CREATE TABLE identity_past (
  identity bigint NOT NULL, since bigint NOT NULL, until bigint NOT NULL, verified integer NOT NULL, name text,
  "nameAt" bigint, "heldFrom" bigint, "heldUntil" bigint, PRIMARY KEY (identity, until));
CREATE TABLE profile_past (
  identity bigint NOT NULL, since bigint NOT NULL, until bigint NOT NULL, data text NOT NULL,
  PRIMARY KEY (identity, until));
CREATE TABLE link_past (
  link bigint NOT NULL, since bigint NOT NULL, until bigint NOT NULL, status text NOT NULL, evidence text NOT NULL,
  confidence double precision NOT NULL, rule text, agent text, reason text, PRIMARY KEY (link, until));
CREATE TABLE entry_past (
  position bigint NOT NULL, since bigint NOT NULL, until bigint NOT NULL, identity bigint NOT NULL,
  conversation bigint NOT NULL, channel bigint NOT NULL, account bigint NOT NULL, kind integer NOT NULL,
  direction integer NOT NULL, "occurredAt" bigint NOT NULL, late integer NOT NULL, revision bigint NOT NULL,
  subject text, preview text, agent text, outcome text, PRIMARY KEY (position, until));
`;

/** What a bulk write has the server learn of its tables but the timeline, so that it need not find out by and by. */
export const ANALYZE = `ANALYZE ${[...TABLES.matchAll(/CREATE TABLE (\w+)/g)]
  .map(([, table]) => table)
  .filter((table) => table !== 'timeline')
  .join(', ')}`;

/** For what is no look-up of some rows, in a transaction of its own. */
export const WHOLE_TABLES = 'SET LOCAL enable_seqscan = on;';

/** Columns that tell of a person. */
const PERSONAL = {
  identity: ['value', 'name'],
  identity_past: ['name'],
  profile: ['data'],
  profile_past: ['data'],
  link: ['evidence', 'agent', 'reason'],
  link_past: ['evidence', 'agent', 'reason'],
  entry: ['subject', 'preview', 'agent', 'outcome'],
  entry_past: ['subject', 'preview', 'agent', 'outcome'],
  commitment: ['text', 'agent'],
  consent: ['evidence', 'by'],
  preference: ['evidence', 'by'],
} as const;

/** Tables whose files are to hold nothing of whom was erased. */
export const PERSONAL_TABLES = Object.keys(PERSONAL);

/** The server keeps samples of columns in its statistics, which would outlive the rows. */
export const NO_SAMPLES = Object.entries(PERSONAL)
  .flatMap(([table, columns]) =>
    columns.map((column) => `ALTER TABLE ${table} ALTER COLUMN ${column} SET STATISTICS 0;`),
  )
  .join('\n');

/** What a bulk write builds last. */
export const INDEXES = `
CREATE INDEX IF NOT EXISTS entry_conversation ON entry (conversation);
CREATE INDEX link_proposed ON link (tenant, "lastPosition") WHERE status = 'proposed';
CREATE INDEX commitment_identity ON commitment (identity);
CREATE INDEX mention_anchor ON mention (anchor);
CREATE INDEX identity_erasure ON identity (erasure) WHERE erasure IS NOT NULL;
CREATE INDEX access_identity ON access (identity, position);
CREATE INDEX entry_past_identity ON entry_past (
  identity, "occurredAt", position, until, since, channel, kind, direction);
CREATE INDEX entry_past_conversation ON entry_past (conversation);
`;

/** What a bulk write does at its end for all that was erased; `erasure.projection.ts` does it for one at a time. */
export const FORGET_ERASED = `
CREATE TEMP TABLE gone ON COMMIT DROP AS SELECT key, tenant FROM identity WHERE erased IS NOT NULL;
ANALYZE gone;
INSERT INTO erased_contact
  SELECT e.position, g.tenant, e.channel, e.account FROM entry e JOIN gone g ON g.key = e.identity
  WHERE e.kind NOT IN (${AGENT_WORK_CODES.join(', ')}) ORDER BY e.position;
DELETE FROM entry_past WHERE position IN (SELECT e.position FROM entry e JOIN gone g ON g.key = e.identity);
DELETE FROM entry WHERE identity IN (SELECT key FROM gone);
UPDATE entry_past SET subject = NULL, preview = NULL, agent = NULL, outcome = NULL
  WHERE identity IN (SELECT key FROM gone);
DELETE FROM mention WHERE identity IN (SELECT key FROM gone) OR anchor IN (SELECT key FROM gone);
`;

/** Fills the timeline in its own order; its key is built over what is there, which costs less than row by row. */
export const FILL_TIMELINE = `
BEGIN;
${WHOLE_TABLES}
TRUNCATE timeline;
ALTER TABLE timeline DROP CONSTRAINT timeline_pkey;
INSERT INTO timeline SELECT i.customer, e."occurredAt", e.position, e.identity, e.channel, e.kind, e.direction
  FROM entry e JOIN identity i ON i.key = e.identity ORDER BY i.customer, e."occurredAt", e.position;
ALTER TABLE timeline ADD PRIMARY KEY (customer, "occurredAt", position);
COMMIT;
`;

/** What the programs around a read model tell each other; no rows of it. */
export const PROGRAMS = `
CREATE TABLE lease (name text COLLATE "C" PRIMARY KEY, owner text NOT NULL, until timestamptz NOT NULL);
CREATE TABLE progress (name text COLLATE "C" PRIMARY KEY, position bigint NOT NULL);
`;
