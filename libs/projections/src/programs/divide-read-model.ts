import { HubError } from '#libs/kernel';
import { connectPostgres, type PostgresSession } from '#libs/kernel/postgres.js';
import { Projector, type EventLog } from '../projector/projector.js';
import { readModelSchema, type PostgresReadModel } from '../read-model/postgres/postgres.read-model.js';
import { READ_MODEL_VERSION } from '../read-model/read-model.port.js';
import { dividedNameOf, nameOf, shardNamed, shardsOf, type Shard } from '../shards.js';

export interface DivideOptions {
  /** Of the read model, whose tables are there. */
  url: string;
  shards: number;
  log: EventLog;
  open: () => Promise<PostgresReadModel>;
}

interface Place {
  shard: Shard;
  position: number;
}

/**
 * Divides the tenants of a read model in so many shards, each with a checkpoint of its own. Where they are divided
 * otherwise, the shards there are come to one position first; nothing is folded anew.
 * @throws HubError `READ_MODEL.DIVIDED_OTHERWISE` while a projector of another division is at work
 */
export const divideReadModel = async ({ url, shards, log, open }: DivideOptions): Promise<void> => {
  const session = await connectPostgres({ url, schema: readModelSchema(url), room: 'READ_MODEL' });
  try {
    for (;;) {
      const uneven = await inTransaction(session, () => divide(session, shards));
      if (!uneven) return;
      const readModel = await open();
      try {
        for (const { shard } of uneven.places) await new Projector(readModel, log, { shard }).catchUp(undefined, 1000, uneven.through); // prettier-ignore
      } finally {
        await readModel.close();
      }
    }
  } finally {
    session.release();
  }
};

/** @returns what is to come to one position before it can be divided otherwise; undefined once it is divided */
const divide = async (
  session: PostgresSession,
  shards: number,
): Promise<{ places: Place[]; through: number } | undefined> => {
  // Nobody moves a checkpoint until this is over.
  await session.query('LOCK TABLE checkpoint IN EXCLUSIVE MODE');
  const { rows } = await session.query<{ name: string; position: number }>('SELECT name, position FROM checkpoint');
  const places = rows.map(({ name, position }) => ({ shard: shardNamed(name)!, position }));
  const present = places[0]?.shard.of;
  if (present === shards) return undefined;
  const through = Math.max(0, ...places.map(({ position }) => position));
  if (present !== undefined) {
    await refuseAtWork(session, present, shards);
    const behind = places.filter(({ position }) => position < through);
    if (behind.length > 0) return { places: behind, through };
  }
  await session.query('DELETE FROM checkpoint');
  const shown = await session.query<{ position: number }>('DELETE FROM progress RETURNING position');
  const least = Math.min(through, ...shown.rows.map(({ position }) => position));
  for (const shard of shardsOf(shards)) {
    const name = present === undefined ? nameOf(shard) : dividedNameOf(shard);
    await session.query('INSERT INTO checkpoint (name, version, position) VALUES ($1, $2, $3)', [
      name,
      READ_MODEL_VERSION,
      through,
    ]);
    await session.query('INSERT INTO progress (name, position) VALUES ($1, $2)', [nameOf(shard), least]);
  }
  return undefined;
};

const refuseAtWork = async (session: PostgresSession, present: number, wanted: number): Promise<void> => {
  const { rows } = await session.query('SELECT 1 FROM lease WHERE name = ANY($1) AND until > clock_timestamp()', [
    shardsOf(present).map(nameOf),
  ]);
  if (rows.length > 0)
    throw new HubError(
      'READ_MODEL.DIVIDED_OTHERWISE',
      `the tenants are divided in ${present} and a projector with HILO_PROJECTOR_SHARDS=${present} is at work, not ${wanted}: ` +
        `stop all projectors, then start them with ${wanted}`,
    );
};

const inTransaction = async <T>(session: PostgresSession, work: () => Promise<T>): Promise<T> => {
  await session.query('BEGIN');
  try {
    const result = await work();
    await session.query('COMMIT');
    return result;
  } catch (error) {
    await session.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
};
