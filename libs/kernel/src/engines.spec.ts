import { requireSharedEngines } from './engines.js';
import { readSettings } from './settings.js';

const SHARED = {
  HILO_BUS_URL: 'kafka://localhost:9092',
  HILO_EVENT_STORE_URL: 'esdb://localhost:2113?tls=false',
  HILO_READ_MODEL_URL: 'postgres://localhost/hub',
  HILO_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
  HILO_PEPPER: Buffer.alloc(32, 2).toString('base64'),
};
const ALL = ['busUrl', 'eventStoreUrl', 'readModelUrl', 'masterKey', 'pepper'] as const;

describe('requireSharedEngines', () => {
  it('lets a program start whose engines are shared', () => {
    expect(() => requireSharedEngines(readSettings(SHARED), 'recorder', ALL)).not.toThrow();
  });

  it('names every variable that keeps a program from its neighbours, and what to write', () => {
    let message = '';
    try {
      requireSharedEngines(readSettings({}), 'recorder', ALL);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message.split('\n')).toEqual([
      'HILO_BUS_URL: embedded: works inside one program only, and recorder is a part of the line; name a shared engine, kafka://host:9092, or run apps/hub instead',
      'HILO_EVENT_STORE_URL: sqlite: works inside one program only, and recorder is a part of the line; name a shared engine, esdb://user:password@host:2113, or run apps/hub instead',
      'HILO_READ_MODEL_URL: sqlite: works inside one program only, and recorder is a part of the line; name a shared engine, postgres://user:password@host/database, or run apps/hub instead',
      'HILO_MASTER_KEY: is needed by recorder: all programs have the same',
      'HILO_PEPPER: is needed by recorder: all programs have the same',
    ]);
  });

  it('asks for nothing that a program does without', () => {
    const { HILO_EVENT_STORE_URL: _, ...rest } = SHARED;
    expect(() => requireSharedEngines(readSettings(rest), 'ingest', ['busUrl', 'readModelUrl'])).not.toThrow();
  });
});
