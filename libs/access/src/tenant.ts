const tenantForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Whether a text can name a tenant: 1 to 64 letters, digits, `.`, `_`, `-`, the first a letter or digit. */
export const isTenant = (text: string): boolean => tenantForm.test(text);
