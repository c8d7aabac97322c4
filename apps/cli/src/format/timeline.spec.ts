import type { CustomerDto } from '#libs/queries/customers/customer.dto.js';
import type { TimelineEntryDto } from '#libs/queries/timeline/timeline.dto.js';
import { customerChoice, customerHeader, timelineTable } from './timeline.js';

const plain = { paint: (_format: unknown, text: string) => text };

const ana: Pick<CustomerDto, keyof CustomerDto> = {
  id: '11111111-1111-8111-8111-111111111111',
  name: 'Ana \u001b[31mRed',
  names: ['Ana \u001b[31mRed'],
  identities: [
    { id: 'a', type: 'email', value: 'ana@example.com', verified: true },
    { id: 'b', type: 'phone', value: '+34600000101', verified: false },
    { id: 'c', type: 'profile', value: 'crm:1', verified: false },
  ],
  profiles: [{ source: 'crm', externalId: '1' }],
  channels: { chat: 1, email: 1200 },
  preferences: [],
  consents: [],
  interactions: 1201,
  firstContactAt: '2025-01-06T09:00:00.000Z',
  lastContactAt: '2025-02-07T09:00:00.000Z',
  commitments: [
    {
      id: 'k',
      conversation: 'c',
      text: 'call \u001b[31mback',
      dueAt: '2025-02-08T09:00:00.000Z',
      madeAt: '2025-02-07T09:00:00.000Z',
      agent: 'kim',
    },
  ],
  openCommitments: 3,
};

type Entry = Pick<TimelineEntryDto, keyof TimelineEntryDto>;

const entry = (more: Partial<Entry> = {}): Entry => ({
  id: 'i',
  conversation: 'c',
  channel: 'email',
  account: 'hello@casalumbre.example',
  kind: 'message',
  direction: 'inbound',
  occurredAt: '2025-01-06T09:00:00.000Z',
  recordedAt: '2025-01-06T09:00:01.000Z',
  position: 1,
  late: false,
  corrected: false,
  subject: 'Where is it?',
  preview: 'The parcel has not come.',
  ...more,
});

describe('the header of a customer', () => {
  it('names identities, channels, most used first, and what was promised', () => {
    expect(customerHeader(ana, plain)).toBe(
      `Ana  [31mRed  ${ana.id}
  email  ana@example.com verified
  phone  +34600000101
  record 1 of crm
  1,201 contacts: email 1,200, chat 1, 2025-01-06 to 2025-02-07
  promised: call  [31mback, due 2025-02-08
  and 2 commitments more
`,
    );
  });

  it('says what tells several customers apart', () => {
    expect(customerChoice([ana, { ...ana, id: 'x', name: undefined, interactions: 1, lastContactAt: undefined }])).toBe(
      `  ${ana.id}  Ana  [31mRed, 1,201 contacts, last 2025-02-07\n  x  no name, 1 contact\n`,
    );
  });
});

describe('the table of contacts', () => {
  it('has a line a contact, with what is special about it', () => {
    const call = entry({
      channel: 'phone',
      kind: 'call',
      direction: 'outbound',
      subject: undefined,
      preview: undefined,
    });
    expect(timelineTable([entry({ late: true }), { ...call, agent: 'marta', outcome: 'resolved' }], plain)).toBe(
      `when (UTC)          channel  kind     what
2025-01-06 09:00  → email    message  Where is it?: The parcel has not come. [came late]
2025-01-06 09:00  ← phone    call     [resolved, with marta]
`,
    );
  });

  it('stays within the width of the terminal', () => {
    const lines = timelineTable([entry()], { ...plain, width: 60 }).split('\n');
    expect(lines[1]).toBe('2025-01-06 09:00  → email    message  Where is it?: The par…');
    expect(lines[1]).toHaveLength(60);
  });

  it('puts what was said below, line by line', () => {
    const said = entry({
      body: { text: 'One two three four five six\n\nSeven', attachments: [{ name: 'photo.jpg' }] },
    });
    expect(
      timelineTable([said], { ...plain, width: 58 })
        .split('\n')
        .slice(1, -1),
    ).toEqual([
      '2025-01-06 09:00  → email    message  Where is it?',
      `${' '.repeat(38)}One two three four`,
      `${' '.repeat(38)}five six`,
      '',
      `${' '.repeat(38)}Seven`,
      `${' '.repeat(38)}attached: photo.jpg`,
    ]);
  });
});
