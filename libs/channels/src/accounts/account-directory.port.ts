import { AccountCountries } from '#libs/kernel';
import type { ChannelAccount } from '../channel-adapter.port.js';

/** The declared accounts: which inbox, number, page or form belongs to which tenant. Fixed while the program runs. */
export abstract class AccountDirectory extends AccountCountries {
  abstract all(): readonly ChannelAccount[];

  abstract byId(id: string): ChannelAccount | undefined;

  /** The mail account an address belongs to: case does not matter, and `care+anything@x` is `care@x`. */
  abstract byAddress(address: string): ChannelAccount | undefined;
}
