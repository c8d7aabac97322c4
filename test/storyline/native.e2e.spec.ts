import { spawn, type ChildProcess } from 'node:child_process';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { gunzipSync } from 'node:zlib';
import { createTransport } from 'nodemailer';
import { openSqlite } from '#libs/kernel/sqlite.js';
import { STORYLINE, TENANTS, deliveries, hasStoryline, importItem, type StorylineRow } from './storyline.js';

const HUB = join('dist', 'apps', 'hub', 'src', 'main.js');
const CLI = join('dist', 'apps', 'cli', 'src', 'main.js');
const MINUTES = 60_000;

const where = hasStoryline ? describe : describe.skip;
const title = hasStoryline
  ? 'the same year in the formats of its providers'
  : `the same year in the formats of its providers (skipped: ${STORYLINE} is not on this machine)`;

const MAILBOXES: Record<string, string> = {
  'eagle-bank': 'care@eagle-bank.example',
  beanhouse: 'hello@beanhouse.example',
};

const accounts = (queueLog: string) => `
tenants:
  eagle-bank: { defaultCountry: US }
  skyline-air: { defaultCountry: US }
  beanhouse: { defaultCountry: US }
accounts:
  - { id: eagle-mail, tenant: eagle-bank, adapter: email, name: care@eagle-bank.example }
  - { id: bean-mail, tenant: beanhouse, adapter: email, name: hello@beanhouse.example }
  - { id: eagle-pbx, tenant: eagle-bank, adapter: asterisk-queue-log, name: pbx, settings: { file: ${queueLog}, pollMs: 200 } }
`;

/** Mails by their Message-ID, as they stand in the mailbox. */
const mails = (): Map<string, string> =>
  new Map(
    gunzipSync(readFileSync(join(STORYLINE, 'native', 'mail.mbox.gz')))
      .toString('utf8')
      .split(/^From MAILER-DAEMON .*\n/m)
      .filter(Boolean)
      .map((mail) => [/^Message-ID: (\S+)/m.exec(mail)![1]!, mail.replaceAll('\n', '\r\n')]),
  );

where(title, () => {
  let dir: string;
  let hub: ChildProcess | undefined;
  afterAll(() => {
    hub?.kill('SIGKILL');
    if (dir) rmSync(dir, { recursive: true, force: true });
  });

  it(
    'takes mail by SMTP and calls from the queue log, and records every contact once',
    async () => {
      dir = mkdtempSync(join(tmpdir(), 'hilo-native-'));
      const data = join(dir, 'data');
      const queueLog = join(dir, 'queue_log');
      const lines = gunzipSync(readFileSync(join(STORYLINE, 'native', 'queue_log.gz')));
      writeFileSync(queueLog, lines);
      writeFileSync(join(dir, 'accounts.yaml'), accounts(queueLog));
      const calls = new Set(
        lines
          .toString('utf8')
          .trim()
          .split('\n')
          .map((line) => `call-${line.split('|')[1]!.split('.')[1]}`),
      );

      hub = spawn(process.execPath, [HUB], {
        env: {
          ...process.env,
          HILO_DATA_DIR: data,
          HILO_PORT: '0',
          HILO_SMTP_PORT: '0',
          HILO_ACCOUNTS_FILE: join(dir, 'accounts.yaml'),
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let url = '';
      let smtpPort = 0;
      for await (const line of createInterface({ input: hub.stdout! })) {
        url = /listening on (\S+)/.exec(line)?.[1] ?? url;
        smtpPort = Number(/SMTP: port (\d+)/.exec(line)?.[1] ?? smtpPort);
        if (line.startsWith('Ctrl-C')) break;
      }

      const rows = await deliveries();
      const byMail = rows.filter((row) => row.channel === 'email');
      const byApi = rows.filter((row) => row.channel !== 'email' && !calls.has(row.externalId));
      expect(calls.size).toBe(2020);

      const inbox = mails();
      const smtp = createTransport({
        host: '127.0.0.1',
        port: smtpPort,
        secure: false,
        ignoreTLS: true,
        pool: true,
        maxConnections: 4,
        maxMessages: Infinity,
      });
      await Promise.all(
        byMail.map(({ tenant, externalId }) =>
          smtp.sendMail({
            envelope: { from: 'relay@mx.example', to: [MAILBOXES[tenant]!] },
            raw: inbox.get(externalId)!,
          }),
        ),
      );
      smtp.close();

      for (const tenant of TENANTS) {
        const key = execFileSync(process.execPath, [
          CLI,
          'keys',
          'create',
          '--tenant',
          tenant,
          '--role',
          'integration',
          '--data-dir',
          data,
        ])
          .toString()
          .match(/hilo_\w+_[\w-]+/)![0];
        await postAll(
          url,
          key,
          byApi.filter((row) => row.tenant === tenant),
        );
      }

      // The tail reads on its own; it is done when every call of the log is recorded.
      for (let waited = 0; tally(data).recorded < 24_659 && waited < 60_000; waited += 500)
        await new Promise((resolve) => setTimeout(resolve, 500));
      hub.kill('SIGTERM');
      await once(hub, 'exit');

      const { recorded, duplicate, corrected, parked } = tally(data);
      expect({ recorded, parked, taken: recorded + duplicate + corrected }).toEqual({
        recorded: 24_659,
        parked: 0,
        taken: byMail.length + byApi.length + calls.size,
      });
      execFileSync(process.execPath, [CLI, 'reconcile', '--data-dir', data]);
    },
    10 * MINUTES,
  );
});

const postAll = async (url: string, key: string, rows: readonly StorylineRow[]): Promise<void> => {
  for (let i = 0; i < rows.length; i += 500) {
    const answer = await fetch(`${url}/v1/interactions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' },
      body: rows
        .slice(i, i + 500)
        .map(({ receivedAt: _ours, ...row }) => JSON.stringify(importItem(row as StorylineRow)))
        .join('\n'),
    });
    expect(answer.status).toBe(202);
  }
};

const tally = (data: string) => {
  const db = openSqlite(join(data, 'events.db'), { readonly: true });
  const [row] = db
    .prepare(
      'SELECT sum(recorded) recorded, sum(duplicate) duplicate, sum(corrected) corrected, sum(parked) parked FROM ledger',
    )
    .all<{ recorded: number; duplicate: number; corrected: number; parked: number }>([]);
  db.close();
  return row!;
};
