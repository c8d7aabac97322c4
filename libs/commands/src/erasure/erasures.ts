import { randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import {
  eraseIdentityDecider,
  erasureDecider,
  upcast,
  type Erasure,
  type ErasureEvent,
  type ErasureRequested,
} from '#libs/domain';
import { EventStore, ParkedMessages, streamId } from '#libs/event-store';
import { Clock, HubError, codeOf, isUuid, toInstant, type Uuid } from '#libs/kernel';
import { KeyVault } from '#libs/privacy';
import { CommandRunner } from '../command-runner.js';
import { DeletedData, ErasableCustomers, ErasureTurns } from './erasable-customers.port.js';
import { mentions } from './mentions.js';

/** How long an answer waits for an erasure to come to its end. */
const WAIT_MS = 10_000;
/** How long the read model may take to forget before it is asked again. */
const SHOWN_MS = 30_000;
const RETRY_MS = 2_000;
const PARKED_A_PAGE = 200;

export interface ErasureOrder {
  tenant: string;
  /** Any id of the customer. */
  customer: string;
  by: string;
  /** Code of the reason. */
  reason: string;
}

/** An erasure that was asked for. */
export type KnownErasure = Exclude<Erasure, { status: 'unknown' }>;

/**
 * Forgets customers. What is found of one is written down first; from there on every step can be taken again, and one
 * that was cut off is taken again at the next start:
 * parked messages, while it is known whom they may name; the keys, for good; an event for each identity, by which every
 * reader of the log forgets; the files, once all have; the certificate.
 */
@Injectable()
export class Erasures implements OnApplicationBootstrap, OnApplicationShutdown {
  /** What is under way here. */
  private running: Promise<unknown> = Promise.resolve();
  private stopped = false;
  private readonly logger = new Logger(Erasures.name);
  private wake: () => void = () => undefined;

  constructor(
    private readonly commands: CommandRunner,
    private readonly store: EventStore,
    private readonly vault: KeyVault,
    private readonly parked: ParkedMessages,
    private readonly customers: ErasableCustomers,
    private readonly deleted: DeletedData,
    private readonly clock: Clock,
    private readonly turns: ErasureTurns,
  ) {}

  /** Goes on with what was cut off. */
  onApplicationBootstrap(): void {
    this.resume().catch((error: unknown) =>
      this.logger.error(`erasures cannot be gone on with: ${codeOf(error) ?? 'unknown'}`),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    this.wake();
    await this.running.catch(() => undefined);
  }

  /**
   * Erases a customer; one that is erased answers with the erasure that did it. It may still be going on in the answer:
   * then ask for it again.
   * @throws HubError `CUSTOMER.NOT_FOUND`; `READ_MODEL.BEHIND`, `EVENT_STORE.UNAVAILABLE`, retryable, with nothing begun;
   *   `ERASURE.UNAVAILABLE`, retryable, where others are in front of it
   */
  async erase({ tenant, customer, by, reason }: ErasureOrder): Promise<KnownErasure> {
    let erasure: Uuid | undefined;
    const work = this.alone(async () => {
      const found = await this.customers.find(tenant, customer);
      if ('erasure' in found) {
        erasure = found.erasure;
        return true;
      }
      const id = randomUUID();
      const requestedAt = toInstant(this.clock.nowMs());
      const request = { erasure: id, customer, by, reason, requestedAt, ...found };
      await this.vault.beginErasure({ erasure: id, tenant });
      await this.commands.run(erasureDecider, { type: 'RequestErasure', request }, targetOf(tenant, id));
      erasure = id;
      // At once, before anybody else finds the same customer.
      return this.attempt(tenant, id);
    }).then((done) => (done ? undefined : this.toItsEnd(tenant, erasure!)));
    await within(WAIT_MS, work);
    if (erasure === undefined)
      throw new HubError('ERASURE.UNAVAILABLE', 'another erasure is going on; ask again', { retryable: true });
    return this.get(tenant, erasure);
  }

  /** @throws HubError `ERASURE.NOT_FOUND` */
  async get(tenant: string, erasure: string): Promise<KnownErasure> {
    const events = isUuid(erasure) ? await this.store.read(streamId('erasure', erasure)) : [];
    const state = events
      .filter((event) => event.tenant === tenant)
      .reduce<Erasure>(
        (s, event) => erasureDecider.evolve(s, upcast(event) as ErasureEvent),
        erasureDecider.initialState,
      );
    if (state.status === 'unknown') throw new HubError('ERASURE.NOT_FOUND', 'no erasure has this id');
    return state;
  }

  private async resume(): Promise<void> {
    const open = await this.vault.openErasures();
    await Promise.all(open.map(({ tenant, erasure }) => this.toItsEnd(tenant, erasure)));
  }

  private alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.turns.alone(work);
    this.running = Promise.allSettled([this.running, result]);
    return result;
  }

  /** Tries until it is done, or the program ends. */
  private async toItsEnd(tenant: string, erasure: Uuid): Promise<void> {
    while (!this.stopped && !(await this.alone(() => this.attempt(tenant, erasure))))
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, RETRY_MS).unref();
      });
  }

  /** @returns whether it is done; a full disk, a busy file: whatever was in the way, what was promised is tried again */
  private async attempt(tenant: string, erasure: Uuid): Promise<boolean> {
    try {
      return await this.carryOut(tenant, erasure);
    } catch (error) {
      this.logger.warn(`erasure ${erasure} is tried again: ${codeOf(error) ?? 'failed'}`);
      return false;
    }
  }

  /** @returns whether it is done */
  private async carryOut(tenant: string, erasure: Uuid): Promise<boolean> {
    const state = await this.get(tenant, erasure).catch(() => undefined);
    // Cut off before it was written down: nothing has been done, and nobody was told that it would be.
    if (!state || state.status === 'completed') {
      await this.vault.endErasure(erasure);
      return true;
    }
    const { request } = state;
    const parked = await this.purgeParked(tenant, request);
    const identities = request.identities.map(({ identity }) => identity);
    await this.vault.erase(erasure, [...identities, ...request.links, ...request.conversations]);
    const position = await this.tellOfIdentities(tenant, request);
    if (!(await this.customers.shows(position, SHOWN_MS))) return false;
    const { files, complete } = await this.deleted.scrub();
    if (!complete) return false;
    const ended = new Map((await this.vault.erasedBy(erasure)).map(({ id, keyDestroyed }) => [id, keyDestroyed]));
    const certificate = {
      ...request,
      completedAt: toInstant(this.clock.nowMs()),
      position,
      identities: request.identities.map((one) => ({ ...one, keyDestroyed: ended.get(one.identity) ?? false })),
      links: request.links.length,
      conversations: request.conversations.length,
      parked,
      files,
    };
    await this.commands.run(erasureDecider, { type: 'CompleteErasure', certificate }, targetOf(tenant, erasure));
    await this.vault.endErasure(erasure);
    return true;
  }

  /** Nobody knows whom parked messages are about, so they are looked through. */
  private async purgeParked(tenant: string, { erasure, by, identities }: ErasureRequested['data']): Promise<number> {
    const reason = `erasure ${erasure}`;
    const isNamed = mentions(await this.customers.identifiersOf(identities.map(({ identity }) => identity)));
    let purged = 0;
    for (let before: Uuid | undefined; ;) {
      const page = await this.parked.list({ tenant, limit: PARKED_A_PAGE, ...(before !== undefined && { before }) });
      for (const { id, discardReason } of page) {
        const message = await this.parked.get(id);
        if (message && message.bytes.length > 0 && isNamed(message.bytes.toString('utf8')))
          await this.parked.purge(id, by, reason);
        // Also what an attempt before this one has purged.
        else if (discardReason !== reason) continue;
        purged += 1;
      }
      if (page.length < PARKED_A_PAGE) return purged;
      before = page.at(-1)!.id;
    }
  }

  /** @returns position of the last */
  private async tellOfIdentities(tenant: string, request: ErasureRequested['data']): Promise<number> {
    const { erasure, by, reason } = request;
    const at = toInstant(this.clock.nowMs());
    const receipts = await Promise.all(
      request.identities.map(({ identity }) =>
        this.commands.run(
          eraseIdentityDecider,
          { type: 'EraseIdentity', erased: { identity, erasure, by, reason, at } },
          { stream: streamId('identity', identity), tenant },
        ),
      ),
    );
    return Math.max(...receipts.map(({ position }) => position));
  }
}

const targetOf = (tenant: string, erasure: Uuid) => ({ stream: streamId('erasure', erasure), tenant });

const within = async (ms: number, work: Promise<unknown>): Promise<void> => {
  // Nobody waits for it any more once the time is over.
  work.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work, timeout]).finally(() => clearTimeout(timer));
};
