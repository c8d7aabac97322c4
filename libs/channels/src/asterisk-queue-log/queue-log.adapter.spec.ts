import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { accountOf, channelAdapterContract } from '../channel-adapter.contract.js';
import { AsteriskQueueLogAdapter } from './queue-log.adapter.js';
import { parseQueueLog } from './queue-log.parse.js';

channelAdapterContract({
  adapter: new AsteriskQueueLogAdapter(),
  account: accountOf('asterisk-queue-log'),
  fixtures: join(import.meta.dirname, 'fixtures'),
  frame: () => ({ headers: {} }),
  lacks: { proof: 'the log is a file of our own', echoes: 'queues hold calls from outside' },
});

describe('asterisk-queue-log', () => {
  const enter = '1772442929|1772442929.1|support|NONE|ENTERQUEUE||2145553981|1';
  const connect = '1772442939|1772442929.1|support|ana|CONNECT|10|x|2';
  const complete = '1772442999|1772442929.1|support|ana|COMPLETEAGENT|10|60|1';

  it('tells a call once, however its lines are cut', () => {
    expect(parseQueueLog([enter, connect], 'q').open).toEqual(['1772442929.1']);
    expect(parseQueueLog([enter, connect, complete], 'q').interactions).toHaveLength(1);
    // Read again from the middle: an earlier run has told this call.
    expect(parseQueueLog([connect, complete], 'q').interactions).toEqual([]);
  });

  it('ends a call that nobody ended after a day', () => {
    const dayLater = `${1772442929 + 86_401}|NONE|NONE|NONE|QUEUESTART|`;
    const { interactions } = parseQueueLog([enter, connect, dayLater, complete], 'q');
    expect(interactions.map((i) => [i.outcome, i.agent, i.endedAt])).toEqual([['unknown', 'ana', undefined]]);
  });

  const storyline = '../shared/data/omnichannel-storyline/native/queue_log.gz';
  (existsSync(storyline) ? describe : describe.skip)('where the shared files are', () => {
    it('reads a year of a real queue', () => {
      const lines = gunzipSync(readFileSync(storyline)).toString('utf8').split('\n');
      const { interactions, ignored, open } = parseQueueLog(lines, 'q');
      expect([interactions.length, ignored, open]).toEqual([2020, [], []]);
      const count = (outcome: string) => interactions.filter((i) => i.outcome === outcome).length;
      expect([count('answered'), count('abandoned')]).toEqual([1801, 219]);
      expect(new Set(interactions.map((i) => i.externalId)).size).toBe(2020);
      expect(interactions[0]).toMatchObject({
        externalId: '1736172763.2769',
        agent: 'MIKI',
        occurredAt: '2025-01-06T14:12:43.000Z',
        attributes: { queue: 'PS', waitSeconds: 20, talkSeconds: 973 },
      });
    });
  });
});
