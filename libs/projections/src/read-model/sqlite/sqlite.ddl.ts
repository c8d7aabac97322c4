import { AGENT_WORK_CODES } from '../../timeline/codes.js';

/** Tables of the read model, shape 4. Columns as `read-model.schema.ts` names them. */
export const TABLES = `
CREATE TABLE IF NOT EXISTS checkpoint (name TEXT PRIMARY KEY, version INTEGER NOT NULL, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tenant (key INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS label (key INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS identity (
  key INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, tenant INTEGER NOT NULL, type TEXT NOT NULL, value TEXT NOT NULL,
  verified INTEGER NOT NULL, firstPosition INTEGER NOT NULL, customer INTEGER NOT NULL, name TEXT, nameAt INTEGER,
  whole INTEGER, heldFrom INTEGER, heldUntil INTEGER, erased INTEGER, erasure BLOB);
CREATE INDEX IF NOT EXISTS identity_customer ON identity (customer);
CREATE INDEX IF NOT EXISTS identity_whole ON identity (whole) WHERE whole IS NOT NULL;
CREATE TABLE IF NOT EXISTS mention (
  identity INTEGER NOT NULL, anchor INTEGER NOT NULL, position INTEGER NOT NULL,
  PRIMARY KEY (identity, anchor)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS profile (identity INTEGER PRIMARY KEY, position INTEGER NOT NULL, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS link (
  key INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, tenant INTEGER NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL,
  status TEXT NOT NULL, evidence TEXT NOT NULL, confidence REAL NOT NULL, rule TEXT, agent TEXT, reason TEXT,
  firstPosition INTEGER NOT NULL, lastPosition INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS link_a ON link (a);
CREATE INDEX IF NOT EXISTS link_b ON link (b);
CREATE TABLE IF NOT EXISTS conversation (key INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, tenant INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS entry (
  position INTEGER PRIMARY KEY, id BLOB NOT NULL, identity INTEGER NOT NULL, conversation INTEGER NOT NULL,
  channel INTEGER NOT NULL, account INTEGER NOT NULL, kind INTEGER NOT NULL, direction INTEGER NOT NULL,
  occurredAt INTEGER NOT NULL, recordedAt INTEGER NOT NULL, late INTEGER NOT NULL, revision INTEGER NOT NULL,
  subject TEXT, preview TEXT, agent TEXT, outcome TEXT);
CREATE TABLE IF NOT EXISTS timeline (
  customer INTEGER NOT NULL, occurredAt INTEGER NOT NULL, position INTEGER NOT NULL, identity INTEGER NOT NULL,
  channel INTEGER NOT NULL, kind INTEGER NOT NULL, direction INTEGER NOT NULL,
  PRIMARY KEY (customer, occurredAt, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS commitment (
  position INTEGER PRIMARY KEY, id BLOB NOT NULL, identity INTEGER NOT NULL, conversation INTEGER NOT NULL,
  text TEXT NOT NULL, dueAt INTEGER, madeAt INTEGER NOT NULL, agent TEXT NOT NULL, status TEXT NOT NULL,
  endedPosition INTEGER);
CREATE TABLE IF NOT EXISTS access (
  position INTEGER PRIMARY KEY, identity INTEGER NOT NULL, by TEXT NOT NULL, at INTEGER NOT NULL, saw TEXT,
  reads INTEGER NOT NULL, field TEXT, revealed BLOB, reason TEXT);
CREATE TABLE IF NOT EXISTS consent (
  identity INTEGER NOT NULL, position INTEGER NOT NULL, purpose TEXT NOT NULL, channel TEXT NOT NULL,
  granted INTEGER NOT NULL, at INTEGER NOT NULL, until INTEGER, evidence TEXT, by TEXT,
  PRIMARY KEY (identity, position, purpose)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS preference (
  identity INTEGER NOT NULL, position INTEGER NOT NULL, purpose TEXT NOT NULL, channel TEXT, at INTEGER NOT NULL,
  until INTEGER, evidence TEXT, by TEXT NOT NULL, PRIMARY KEY (identity, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS erased_contact (
  position INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, channel INTEGER NOT NULL, account INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS identity_past (
  identity INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, verified INTEGER NOT NULL, name TEXT,
  nameAt INTEGER, heldFrom INTEGER, heldUntil INTEGER, PRIMARY KEY (identity, until)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS profile_past (
  identity INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, data TEXT NOT NULL,
  PRIMARY KEY (identity, until)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS link_past (
  link INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, status TEXT NOT NULL, evidence TEXT NOT NULL,
  confidence REAL NOT NULL, rule TEXT, agent TEXT, reason TEXT, PRIMARY KEY (link, until)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entry_past (
  position INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, identity INTEGER NOT NULL,
  conversation INTEGER NOT NULL, channel INTEGER NOT NULL, account INTEGER NOT NULL, kind INTEGER NOT NULL,
  direction INTEGER NOT NULL, occurredAt INTEGER NOT NULL, late INTEGER NOT NULL, revision INTEGER NOT NULL,
  subject TEXT, preview TEXT, agent TEXT, outcome TEXT, PRIMARY KEY (position, until)) WITHOUT ROWID;
`;

/** What a bulk write builds last. */
export const INDEXES = `
CREATE INDEX IF NOT EXISTS entry_conversation ON entry (conversation);
CREATE INDEX IF NOT EXISTS link_proposed ON link (tenant, lastPosition) WHERE status = 'proposed';
CREATE INDEX IF NOT EXISTS commitment_identity ON commitment (identity);
CREATE INDEX IF NOT EXISTS mention_anchor ON mention (anchor);
CREATE INDEX IF NOT EXISTS identity_erasure ON identity (erasure) WHERE erasure IS NOT NULL;
CREATE INDEX IF NOT EXISTS access_identity ON access (identity, position);
CREATE INDEX IF NOT EXISTS entry_past_identity ON entry_past (
  identity, occurredAt, position, until, since, channel, kind, direction);
CREATE INDEX IF NOT EXISTS entry_past_conversation ON entry_past (conversation);
`;

/** What a bulk write does at its end for all that was erased; `erasure.projection.ts` does it for one at a time. */
export const FORGET_ERASED = `
CREATE TEMP TABLE gone AS SELECT key, tenant FROM identity WHERE erased IS NOT NULL;
CREATE UNIQUE INDEX temp.gone_key ON gone (key);
INSERT INTO erased_contact
  SELECT e.position, g.tenant, e.channel, e.account FROM entry e JOIN gone g ON g.key = e.identity
  WHERE e.kind NOT IN (${AGENT_WORK_CODES.join(', ')}) ORDER BY e.position;
DELETE FROM entry_past WHERE position IN (SELECT e.position FROM entry e JOIN gone g ON g.key = e.identity);
DELETE FROM entry WHERE identity IN (SELECT key FROM gone);
UPDATE entry_past SET subject = NULL, preview = NULL, agent = NULL, outcome = NULL
  WHERE identity IN (SELECT key FROM gone);
DELETE FROM mention WHERE identity IN (SELECT key FROM gone) OR anchor IN (SELECT key FROM gone);
DROP TABLE gone;
`;
