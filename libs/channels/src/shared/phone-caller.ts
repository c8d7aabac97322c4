import type { CustomerIdentifier } from '#libs/kernel';

// Twilio spells "no caller id" as a number on the keypad: ANONYMOUS, RESTRICTED, UNAVAILABLE, UNKNOWN, PRIVATE.
const spelled: ReadonlySet<string> = new Set(['266696687', '7378742833', '86282452253', '8656696', '7748283']);

/**
 * The identifier of a caller id as a PBX or carrier writes it. A withheld number is nobody's identity, and `client:`
 * addresses are our own softphones; both give none.
 */
export const callerIdentifiers = (caller: string | undefined): CustomerIdentifier[] => {
  const address = (caller ?? '')
    .trim()
    .replace(/^(?:tel|sip|sips|whatsapp):/i, '')
    .split('@', 1)[0]!
    .split(';', 1)[0]!
    .trim();
  const digits = address.replace(/\D/g, '');
  if (!/^\+?[\d\s().-]+$/.test(address) || digits.length < 3 || digits.length > 20) return [];
  if (spelled.has(digits) || /^0+$/.test(digits)) return [];
  return [{ type: 'phone', value: address }];
};
