import fc from 'fast-check';
import { historyEvent, historyLine } from './history-line.js';
import { anyEvents, rawEvent, sampleEvent } from './sample-log.contract.js';

describe('a history line', () => {
  it('has its keys in one order', () =>
    expect(historyLine(sampleEvent(3, { data: { z: 1, a: 'é\n' } }))).toBe(
      '{"position":3,"stream":"interaction-00000000-0000-8000-8000-000000000003","revision":0,"id":"00000000-0000-8000-8000-000000900003",' +
        '"type":"InteractionRecorded","schema":1,"tenant":"acme","recordedAt":"2025-01-01T00:03:00.000Z","data":{"z":1,"a":"é\\n"}}\n',
    ));

  it('is the same from raw and parsed data, is one line, and reads back as the event', () =>
    fc.assert(
      fc.property(anyEvents, (events) => {
        for (const event of events) {
          const raw = rawEvent(event);
          const line = historyLine(raw);
          expect(historyLine({ ...event, data: JSON.parse(raw.json) as object })).toBe(line);
          expect(line.indexOf('\n')).toBe(line.length - 1);
          expect(JSON.parse(line)).toEqual(historyEvent(raw));
        }
      }),
    ));
});
