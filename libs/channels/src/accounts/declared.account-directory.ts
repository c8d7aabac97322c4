import type { ChannelAccount } from '../channel-adapter.port.js';
import { mailAddresses } from '../email/email.config.js';
import { AccountDirectory } from './account-directory.port.js';
import { SmtpDeclaration, type TenantDeclaration } from './accounts.config.js';

/** `Care+Token@X.example` as it is looked up: `care@x.example`. */
export const plainAddress = (address: string): string => {
  const at = address.lastIndexOf('@');
  if (at < 1) return address.toLowerCase();
  return `${address.slice(0, at).split('+', 1)[0]}${address.slice(at)}`.toLowerCase();
};

/** The accounts that a file declared, held in memory. */
export class DeclaredAccountDirectory extends AccountDirectory {
  private readonly ids: ReadonlyMap<string, ChannelAccount>;
  private readonly addresses: ReadonlyMap<string, ChannelAccount>;
  private readonly countries = new Map<string, string>();

  constructor(
    private readonly accounts: readonly ChannelAccount[],
    private readonly tenants: Readonly<Record<string, TenantDeclaration>> = {},
    private readonly installationCountry?: string,
    /** What the file says about the mail listener. */
    readonly smtp: SmtpDeclaration = new SmtpDeclaration(),
  ) {
    super();
    this.ids = new Map(accounts.map((account) => [account.id, account]));
    this.addresses = new Map(
      accounts.flatMap((account) => mailAddresses(account).map((a) => [plainAddress(a), account] as const)),
    );
    for (const { tenant, name, defaultCountry } of accounts)
      if (defaultCountry !== undefined) this.countries.set(`${tenant}|${name}`, defaultCountry);
  }

  all(): readonly ChannelAccount[] {
    return this.accounts;
  }

  byId(id: string): ChannelAccount | undefined {
    return this.ids.get(id);
  }

  byAddress(address: string): ChannelAccount | undefined {
    return this.addresses.get(plainAddress(address));
  }

  countryOf(tenant: string, account: string): string | undefined {
    const tenants = this.tenants;
    const own = Object.hasOwn(tenants, tenant) ? tenants[tenant]!.defaultCountry : undefined;
    return this.countries.get(`${tenant}|${account}`) ?? own ?? this.installationCountry;
  }
}
