import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { HubProcess, hilo, temporaryDirectory } from './hub-process.js';

/** What nobody may find where it should be sealed: invented, and found nowhere by chance. */
const CANARIES = [
  'zaunkoenig.isolde',
  '4915557770131',
  'Isolde Zaunkönig',
  'KANARI-EXTERN-1',
  'KANARI-FADEN-1',
  'Der Zaunkönig fragt nach dem Nest',
  'Das Nest kam ohne Deckel',
  'Ausgang: Deckel nachgeschickt',
  'nestfoto-zaunkoenig.png',
  'kanari-attribut',
  'KANARI-CRM-9',
  '1977-07-07',
  'amsel.mail',
  'Amalia Amsel',
  'Mein Nest hat ein Loch',
  'kanari-anhang.pdf',
  'rotkehlchen',
];

/** The read model: derived, clear, for its owner alone. Erasure empties it. */
const CLEAR_FILES = /^read-model\.db(-wal|-shm)?$/;

const contact = {
  channel: 'whatsapp',
  account: 'shop',
  externalId: 'KANARI-EXTERN-1',
  threadId: 'KANARI-FADEN-1',
  kind: 'message',
  occurredAt: '2026-03-02T09:15:00Z',
  customer: {
    identifiers: [
      { type: 'email', value: 'Zaunkoenig.Isolde@example.net', verified: true },
      { type: 'phone', value: '+49 1555 7770131' },
    ],
    name: 'Isolde Zaunkönig',
  },
  subject: 'Der Zaunkönig fragt nach dem Nest',
  text: 'Das Nest kam ohne Deckel',
  html: '<b>Das Nest kam ohne Deckel</b>',
  outcome: 'Ausgang: Deckel nachgeschickt',
  attachments: [{ name: 'nestfoto-zaunkoenig.png', url: 'https://f.example/nestfoto-zaunkoenig.png' }],
  attributes: { note: 'kanari-attribut' },
};

const profile = {
  source: 'crm',
  externalId: 'KANARI-CRM-9',
  identifiers: [{ type: 'email', value: 'zaunkoenig.isolde@example.net' }],
  name: 'Isolde Zaunkönig',
  birthDate: '1977-07-07',
  attributes: { note: 'kanari-attribut' },
};

/** Which canaries some bytes show: in UTF-8, Latin-1 or UTF-16, in base64, or as JSON escapes them. */
const foundIn = (content: Buffer): string[] => {
  const text = content.toString('utf8').toLowerCase();
  return CANARIES.filter((canary) => {
    const escaped = canary.replace(/[^ -~]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
    // Of base64 the last digits depend on what follows.
    const encoded = Buffer.from(canary).toString('base64').slice(0, -4);
    return (
      [canary, escaped].some((spelling) => text.includes(spelling.toLowerCase())) ||
      [Buffer.from(canary, 'latin1'), Buffer.from(canary, 'utf16le'), Buffer.from(encoded)].some((bytes) =>
        content.includes(bytes),
      )
    );
  });
};

const bytesOf = (dataDir: string, name: string): Buffer =>
  Buffer.concat(
    ['', '-wal']
      .map((end) => join(dataDir, name + end))
      .map((file) => (existsSync(file) ? readFileSync(file) : Buffer.alloc(0))),
  );

/** Canaries by file, in every file that should show none. */
const search = (dataDir: string): Record<string, string[]> =>
  Object.fromEntries(
    readdirSync(dataDir)
      .filter((name) => !CLEAR_FILES.test(name))
      .map((name) => [name, foundIn(readFileSync(join(dataDir, name)))] as const)
      .filter(([, found]) => found.length > 0),
  );

describe('personal data', () => {
  it('is in clear in no file but the read model, in no log line and no metric', async () => {
    const dataDir = temporaryDirectory();
    const accounts = join(temporaryDirectory(), 'accounts.yaml');
    writeFileSync(accounts, 'accounts:\n  - { id: care, tenant: demo, adapter: email, name: care@nest.example }\n');
    const hub = await HubProcess.start({
      dataDir,
      env: { HILO_LOG_LEVEL: 'trace', HILO_ACCOUNTS_FILE: accounts, HILO_SMTP_PORT: '0' },
    });
    const integration = await hub.client('integration');
    const agent = await hub.client('agent');

    await integration.take([contact]);
    await integration.take([{ ...contact, revision: 2, text: 'Das Nest kam ohne Deckel, immer noch' }]);
    // Other content under the same revision: its bytes are parked.
    const conflict = { ...contact, revision: 2, text: 'Das Nest kam ohne Deckel, sagt rotkehlchen' };
    const [parked] = await integration.take([conflict]);
    expect(parked).toMatchObject({ status: 'parked' });
    await integration.take([profile], '/v1/profiles');

    const port = Number(/^SMTP: port (\d+)$/m.exec(hub.stdout)![1]);
    const mail = createTransport({ host: '127.0.0.1', port, secure: false, ignoreTLS: true });
    await mail.sendMail({
      from: '"Amalia Amsel" <amsel.mail@example.net>',
      to: 'care@nest.example',
      subject: 'Mein Nest hat ein Loch',
      text: 'Mein Nest hat ein Loch, schreibt rotkehlchen',
      attachments: [{ filename: 'kanari-anhang.pdf', content: 'rotkehlchen' }],
    });
    mail.close();

    const { id: amalia } = await agent.customer('email:amsel.mail@example.net', 5);
    expect((await agent.timeline(amalia)).items).toMatchObject([{ subject: 'Mein Nest hat ein Loch' }]);
    const { id: isolde } = await agent.customer('email:zaunkoenig.isolde@example.net');
    expect((await agent.timeline(isolde, { include: 'body' })).items).toMatchObject([
      { body: { text: 'Das Nest kam ohne Deckel, immer noch' } },
    ]);
    const metrics = (await agent.get('/metrics')).text;

    // The search finds what it looks for where it may be.
    expect(foundIn(bytesOf(dataDir, 'read-model.db'))).toEqual(
      expect.arrayContaining(['zaunkoenig.isolde', 'Isolde Zaunkönig', 'Mein Nest hat ein Loch']),
    );
    expect(search(dataDir)).toEqual({});
    expect(await hub.stop()).toMatchObject({ code: 0 });
    expect(search(dataDir)).toEqual({});
    expect(foundIn(Buffer.from(`${hub.stdout}\n${hub.stderr}\n${metrics}`))).toEqual([]);
    for (const name of ['read-model.db', 'identity.db', 'events.db', 'keys.db', 'master.key'])
      expect([name, statSync(join(dataDir, name)).mode & 0o777]).toEqual([name, 0o600]);

    // With the key everything is there, for analysts and for who mends what was parked.
    const { stdout: history } = await hilo(dataDir, 'history');
    expect(foundIn(Buffer.from(history))).toEqual(
      expect.arrayContaining(['zaunkoenig.isolde', 'KANARI-CRM-9', 'Amalia Amsel', 'kanari-attribut']),
    );
    const { stdout: shown } = await hilo(dataDir, 'parked', 'show', parked!.receipt!);
    expect(shown).toContain('rotkehlchen');
  }, 120_000);

  it('opens with the new master key after hilo keys rotate, and with the old one no longer', async () => {
    const dataDir = temporaryDirectory();
    const first = await HubProcess.start({ dataDir });
    await (await first.client('integration')).take([contact]);
    expect(first.stdout).toContain('a master key was made');
    expect((await hilo(dataDir, 'keys', 'rotate')).stderr).toContain('is in use by hub');
    await first.stop();
    const old = readFileSync(join(dataDir, 'master.key'));
    expect(await hilo(dataDir, 'keys', 'rotate')).toMatchObject({ code: 0 });
    expect(readFileSync(join(dataDir, 'master.key')).equals(old)).toBe(false);

    const second = await HubProcess.start({ dataDir });
    const agent = await second.client('agent');
    const { id } = await agent.customer('email:zaunkoenig.isolde@example.net');
    expect((await agent.timeline(id, { include: 'body' })).items).toMatchObject([{ body: { text: contact.text } }]);
    await second.stop();

    writeFileSync(join(dataDir, 'master.key'), old);
    const third = HubProcess.spawn({ dataDir });
    expect(await third.exited).toMatchObject({ code: 1 });
    expect(third.stderr).toMatch(/master key is not the one.*no sealed content can be read/s);
  }, 120_000);
});
