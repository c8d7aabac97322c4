/** Nest's token of the `IdentityRules` in force: loaded once at the start, the same for intake and identity resolver. */
export const IDENTITY_RULES = Symbol('identity rules');
