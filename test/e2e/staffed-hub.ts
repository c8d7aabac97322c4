import type { IngestAnswer } from '#libs/channels/ingest/ingest.service.js';
import { contact, from, nextNumber } from './contacts.js';
import type { HubClient } from './hub-client.js';
import { HubProcess, cleanUp, temporaryDirectory } from './hub-process.js';
import { eventually } from './waiting.js';

/** An id that nobody has. */
export const NOBODY = '00000000-0000-8000-8000-000000000000';

/** A hub and those who work with it, for as long as the tests of a file run. */
export class StaffedHub {
  process!: HubProcess;
  /** Hands contacts over. */
  sender!: HubClient;
  /** Looks at customers. */
  reader!: HubClient;

  constructor() {
    beforeAll(async () => {
      this.process = await HubProcess.start({ dataDir: temporaryDirectory() });
      this.sender = await this.process.client('integration');
      this.reader = await this.process.client('agent');
    });
    afterAll(() => this.process.stop());
    afterAll(cleanUp);
  }

  /** Takes contacts, and waits until the timelines show them. */
  readonly tell = async (...contacts: object[]): Promise<IngestAnswer['results']> => {
    const results = await this.sender.take(contacts);
    await this.reader.customers('email:nobody@example.com', Math.max(...results.map(({ position }) => position ?? 0)));
    return results;
  };

  /** Waits until who is who is decided for all that was told so far. */
  readonly decide = async (): Promise<void> => {
    const name = `decided-${nextNumber()}`;
    await this.tell(contact({ channel: 'letter', ...from(`email:${name}@example.net`, `account:${name}`) }));
    await eventually(async () => {
      const { identities } = await this.reader.customer(`account:${name.toUpperCase()}`);
      if (identities.length < 2) throw new Error(`${name} is not linked yet`);
    });
  };
}

export const idsOf = (page: { items: readonly { id: string }[] }): string[] => page.items.map(({ id }) => id);

export const expectProblem = (
  answer: { status: number; headers: Headers; body: unknown },
  status: number,
  code: string,
): void => {
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status, body: { status, code } });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
};
