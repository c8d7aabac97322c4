import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { accepts, accountOf, channelAdapterContract, receivedAtMs } from '../channel-adapter.contract.js';
import type { RawDelivery } from '../channel-adapter.port.js';
import { TelegramAdapter } from './telegram.adapter.js';

const adapter = new TelegramAdapter();
const account = accountOf('telegram');
const header = 'x-telegram-bot-api-secret-token';
const deliver = (update: unknown): RawDelivery => ({
  account,
  method: 'POST',
  url: 'https://hub.example/v1/webhooks/telegram-1',
  headers: { [header]: 'test-secret' },
  body: Buffer.from(JSON.stringify(update)),
  receivedAtMs,
});

channelAdapterContract({
  adapter,
  account,
  fixtures: join(import.meta.dirname, 'fixtures'),
  prove: (delivery) => ({ ...delivery, headers: { ...delivery.headers, [header]: 'test-secret' } }),
  signsBody: false,
  echoes: ['business-reply'],
});

describe('telegram', () => {
  const message = { message_id: 5, date: 1772442929, from: { id: 7 }, chat: { id: 7, type: 'private' } };
  const only = (update: unknown) => adapter.parse(deliver(update)).interactions[0];

  it('lets a later edit correct an earlier one, whichever comes first', () => {
    const revision = (editDate: number) =>
      only({ update_id: 1, edited_message: { ...message, edit_date: editDate, text: 'b' } })?.revision ?? 1;
    expect(revision(1772442929)).toBeGreaterThan(
      only({ update_id: 1, message: { ...message, text: 'a' } })?.revision ?? 1,
    );
    expect(revision(1772443000)).toBeGreaterThan(revision(1772442999));
  });

  it("believes a phone number only on the sender's own card", () => {
    const phones = (userId: unknown) =>
      only({
        update_id: 1,
        message: { ...message, contact: { phone_number: '34600111222', user_id: userId } },
      })?.customer?.identifiers?.filter((i) => i.type === 'phone');
    expect(phones(7)).toEqual([{ type: 'phone', value: '+34600111222', verified: true }]);
    expect(phones(8)).toEqual([]);
    expect(phones(undefined)).toEqual([]);
  });

  it('keeps ids as text and refuses those that lost digits', () => {
    expect(
      only({
        update_id: 1,
        message: { ...message, from: { id: 2 ** 51 }, chat: { id: 2 ** 51, type: 'private' }, text: 'a' },
      })?.externalId,
    ).toBe('2251799813685248:5');
    expect(
      adapter.parse(
        deliver({ update_id: 1, message: { ...message, chat: { id: 2 ** 60, type: 'private' }, text: 'a' } }),
      ).ignored,
    ).toEqual([{ reason: 'invalid', item: '1' }]);
  });

  const vectors = '../shared/fixtures/channels/signatures/telegram.json';
  const recorded = '../shared/fixtures/channels/social/telegram';

  (existsSync(vectors) ? describe : describe.skip)('where the shared files are', () => {
    it('agrees with the published rule of the secret header', () => {
      const { vectors: all } = JSON.parse(readFileSync(vectors, 'utf8')) as {
        vectors: { secretToken: string; header: string | null; valid: boolean }[];
      };
      for (const { secretToken, header: given, valid } of all) {
        const delivery = {
          ...deliver({}),
          account: { ...account, secrets: ['other', secretToken] },
          headers: (given === null ? {} : { [header]: given }) as Record<string, string>,
        };
        expect(accepts(adapter, delivery)).toBe(valid);
      }
    });
  });

  (existsSync(recorded) ? describe : describe.skip)('where the shared files are', () => {
    it('reads every recorded update', () => {
      const names = readdirSync(recorded).filter((name) => !/^teloxide-(?!update)|write-access/.test(name));
      const kept = names.map((name) => adapter.parse({ ...deliver({}), body: readFileSync(join(recorded, name)) }));
      expect(kept.every(({ interactions, ignored }) => interactions.length + ignored.length === 1)).toBe(true);
      expect(kept.filter(({ interactions }) => interactions.length === 1).length).toBeGreaterThan(10);
    });
  });
});
