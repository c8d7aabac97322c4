import {
  ArrayMaxSize,
  IsArray,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  Type,
  ValidateNested,
} from '#libs/kernel/late-validator.js';

/** What all accounts of one tenant share. */
export class TenantDeclaration {
  /** Country of its phone numbers in national form, ISO 3166-1 alpha-2. Unset: the installation's. */
  @IsOptional()
  @Matches(/^[A-Z]{2}$/, { message: 'must be two capital letters (ISO 3166-1 alpha-2), for example US' })
  defaultCountry?: string;
}

/** One entry of `accounts`. */
export class AccountDeclaration {
  /** Unique in the installation; appears in webhook addresses. 1 to 64 letters, digits, `-`, `_`, `.`. */
  @Matches(/^[A-Za-z0-9._-]{1,64}$/, { message: 'must be 1 to 64 letters, digits, "-", "_" or "."' })
  id!: string;

  @Matches(/^[A-Za-z0-9._-]{1,64}$/, { message: 'must be 1 to 64 letters, digits, "-", "_" or "."' })
  tenant!: string;

  /** Folder name of the adapter, or `ingest` for an account that integrations post to. */
  @IsString({ message: 'must name an adapter' })
  adapter!: string;

  /** What the timeline shows, 1 to 200 characters. @default id */
  @IsOptional()
  @Length(1, 200)
  name?: string;

  /** Accepted secrets in the clear; `secretsFrom` keeps them out of the file. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(20)
  @Length(1, 4096, { each: true })
  secrets?: string[];

  /** Environment variables that hold one secret each. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(20)
  @Matches(/^[A-Za-z_][A-Za-z0-9_]*$/, { each: true, message: 'must be names of environment variables' })
  secretsFrom?: string[];

  /** Country of its phone numbers in national form. Unset: the tenant's. */
  @IsOptional()
  @Matches(/^[A-Z]{2}$/, { message: 'must be two capital letters (ISO 3166-1 alpha-2), for example US' })
  defaultCountry?: string;

  /** What the adapter alone understands: see its README. */
  @IsOptional()
  @IsObject()
  settings?: Record<string, unknown>;
}

/** Bounds of the SMTP listener; it is switched on by `HILO_SMTP_PORT`. */
export class SmtpDeclaration {
  /** Name in the greeting. Unset: the host's name. */
  @IsOptional()
  @Matches(/^[A-Za-z0-9.-]{1,253}$/, { message: 'must be a host name' })
  name?: string;

  /** Largest mail in bytes, 64 KiB to 100 MiB. @default 26214400 (25 MiB) */
  @IsInt()
  @Min(64 * 1024)
  @Max(100 * 1024 * 1024)
  maxMessageBytes = 25 * 1024 * 1024;

  /** Connections at a time, 1 to 10000. @default 100 */
  @IsInt()
  @Min(1)
  @Max(10_000)
  maxClients = 100;
}

/** The file that `HILO_ACCOUNTS_FILE` names. */
export class AccountsFile {
  /** By tenant id. */
  @IsOptional()
  @IsObject()
  tenants?: Record<string, unknown>;

  @IsOptional()
  @IsArray()
  @ArrayMaxSize(10_000)
  @ValidateNested({ each: true })
  @Type(() => AccountDeclaration)
  accounts?: AccountDeclaration[];

  @IsOptional()
  @ValidateNested()
  @Type(() => SmtpDeclaration)
  smtp?: SmtpDeclaration;
}
