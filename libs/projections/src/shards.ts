import { hash } from 'node:crypto';
import { PROJECTOR } from './read-model/read-model.port.js';

/** One of the parts that the tenants of a read model are divided into, each with a checkpoint and a projector of its own. */
export interface Shard {
  /** From 0. */
  index: number;
  of: number;
}

/** All tenants. */
export const WHOLE: Shard = { index: 0, of: 1 };

export const shardsOf = (of: number): Shard[] => Array.from({ length: of }, (_, index) => ({ index, of }));

/** The part that a tenant is in: the same in every program, for ever. */
export const indexOf = (tenant: string, of: number): number =>
  of === 1 ? 0 : Number.parseInt(hash('sha256', tenant, 'hex').slice(0, 8), 16) % of;

/** Whether a tenant is in a shard; remembers those it was asked for. */
export const membersOf = ({ index, of }: Shard): ((tenant: string) => boolean) => {
  const known = new Map<string, boolean>();
  return (tenant) => {
    let member = known.get(tenant);
    if (member === undefined) known.set(tenant, (member = indexOf(tenant, of) === index));
    return member;
  };
};

/**
 * Under what name the checkpoint of a shard is kept once tenants were divided. Keys of rows are those of one fold of the log
 * no more, and stay so.
 */
export const dividedNameOf = ({ index, of }: Shard): string => `${PROJECTOR}/${index}/${of}`;

/** Under what name lease and progress of a shard are kept. */
export const nameOf = (shard: Shard): string => (shard.of === 1 ? PROJECTOR : dividedNameOf(shard));

/** Whether a checkpoint is that of a shard. */
export const isPlaceOf = (name: string, { index, of }: Shard): boolean => {
  const found = shardNamed(name);
  return found?.index === index && found.of === of;
};

/** The shard that is kept under a name; undefined where it is the name of something else. */
export const shardNamed = (name: string): Shard | undefined => {
  if (name === PROJECTOR) return WHOLE;
  const [, index, of] = new RegExp(`^${PROJECTOR}/(\\d+)/(\\d+)$`).exec(name) ?? [];
  return of === undefined ? undefined : { index: Number(index), of: Number(of) };
};
