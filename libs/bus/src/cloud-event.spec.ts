import * as fc from 'fast-check';
import { fromCloudEvent, parseCloudEvent, toCloudEvent } from './cloud-event.js';
import { messageOf } from './interaction-bus.contract.js';
import type { BusMessage } from './interaction-bus.port.js';

const profile: BusMessage = {
  type: 'profile',
  receipt: 'r-1',
  profile: { tenant: 'acme', source: 'crm', externalId: '7', receivedAt: '2025-03-02T09:15:30.000Z', name: 'A. B.' },
};

describe('CloudEvents', () => {
  it('names receipt, place, type and time in the envelope', () => {
    expect(toCloudEvent(messageOf('t', 1))).toMatchObject({
      specversion: '1.0',
      id: 't-1',
      source: '/tenants/acme/channels/chat/accounts/web',
      type: 'hilo.interaction.v1',
      time: '2025-03-02T09:15:30.000Z',
      datacontenttype: 'application/json',
    });
    expect(toCloudEvent(profile)).toMatchObject({
      source: '/tenants/acme/channels/profile/accounts/crm',
      type: 'hilo.profile.v1',
    });
  });

  it.each([messageOf('t', 1), profile])('returns the message that went in (%#)', (message) => {
    expect(parseCloudEvent(JSON.stringify(toCloudEvent(message)))).toEqual({ message });
  });

  it('returns the message whatever its account is called', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (account) => {
        const message = messageOf('t', 1);
        if (message.type === 'interaction') message.interaction.account = account;
        expect(fromCloudEvent(toCloudEvent(message))).toEqual({ message });
      }),
    ));

  it('refuses what does not carry a message, with a reason', () => {
    const event = toCloudEvent(messageOf('t', 1));
    const problemOf = (value: unknown): string => {
      const result = fromCloudEvent(value);
      return 'problem' in result ? result.problem : '';
    };
    expect(problemOf({ ...event, specversion: '0.3' })).toContain('specversion');
    expect(problemOf({ ...event, type: 'other' })).toContain('type');
    expect(problemOf({ ...event, id: '' })).toContain('id');
    expect(problemOf({ ...event, data: [] })).toContain('data');
    expect(problemOf({ ...event, data: { ...event.data, channel: 3 } })).toContain('data.channel');
    expect(problemOf({ ...event, data: { ...event.data, occurredAt: '2025-03-02T09:15:29' } })).toContain('occurredAt');
    expect(problemOf({ ...event, datacontenttype: 'text/xml' })).toContain('datacontenttype');
    expect(parseCloudEvent('{')).toEqual({ problem: 'not JSON' });
  });

  it('refuses data of another tenant than the source names', () => {
    const event = toCloudEvent(messageOf('t', 1));
    expect(fromCloudEvent({ ...event, data: { ...event.data, tenant: 'other' } })).toHaveProperty('problem');
  });

  it('never throws', () =>
    fc.assert(
      fc.property(fc.anything(), fc.string(), (value, json) => {
        fromCloudEvent(value);
        parseCloudEvent(json);
        fromCloudEvent({ ...toCloudEvent(profile), data: value });
        expect(true).toBe(true);
      }),
    ));
});
