export const DAY_MS = 86_400_000;

/** An instant long enough ago to be late, whenever the test runs. */
export const at = (day: number, ms = 0): string => new Date(Date.UTC(2025, 2, 1) + day * DAY_MS + ms).toISOString();

let serial = 0;

/** Another number at each call, within one test file. */
export const nextNumber = (): number => ++serial;

/** A contact of its own, unless told otherwise. */
export const contact = (over: object = {}): Record<string, unknown> => {
  const number = nextNumber();
  return {
    channel: 'email',
    account: 'care@acme.example',
    externalId: `contact-${number}`,
    kind: 'message',
    occurredAt: at(0, number),
    ...over,
  };
};

/** The part of a contact that says whom it is from, by `type:value`. */
export const from = (...identifiers: string[]): object => ({
  customer: {
    identifiers: identifiers.map((text) => {
      const [type, value] = text.split(/:(.*)/s, 2);
      return { type, value };
    }),
  },
});
