import { ArrayMaxSize, IsArray, IsOptional, Matches } from '#libs/kernel/late-validator.js';
import type { ChannelAccount } from '../channel-adapter.port.js';

const addressForm = /^[^\s@<>]{1,64}@[A-Za-z0-9.-]{1,253}$/;

/** Settings of a mail account. */
export class EmailSettings {
  /** Addresses that deliver here, plus-tags aside; at most 100. Unset: the account's name is the address. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(100)
  @Matches(addressForm, { each: true, message: 'must be mail addresses such as care@example.com' })
  addresses?: string[];

  /** Further senders that are us: addresses, or `@example.com` for a whole domain. Their mail is outbound. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(1000)
  @Matches(/^[^\s@<>]{0,64}@[A-Za-z0-9.-]{1,253}$/, { each: true, message: 'must be addresses or @domain' })
  ownSenders?: string[];
}

/** The addresses of an account; none for an account of another channel. */
export const mailAddresses = (account: ChannelAccount): readonly string[] => {
  if (account.adapter !== 'email') return [];
  const declared = account.settings.addresses;
  if (Array.isArray(declared)) return declared as string[];
  return addressForm.test(account.name) ? [account.name] : [];
};

/** Bounds of what is parsed; above them a mail is refused (554), for no honest mail gets there. */
export const MIME_BOUNDS = { depth: 20, parts: 500, headerBytes: 256 * 1024 } as const;

/** Longest HTML that is turned into text by the full converter, in bytes; above it tags are only dropped. */
export const MAX_CONVERTED_HTML_BYTES = 256 * 1024;

/** Bound of `attributes.quotedText`: characters, and bytes as JSON. */
export const QUOTED_TEXT_BOUND = { characters: 12_000, bytes: 12 * 1024 } as const;
