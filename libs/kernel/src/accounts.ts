/** Which country a phone number in national form belongs to, by the account it was given to. */
export abstract class AccountCountries {
  /** ISO 3166-1 alpha-2: the account's, else its tenant's, else the installation's; undefined when none is declared. */
  abstract countryOf(tenant: string, account: string): string | undefined;
}
