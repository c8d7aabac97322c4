import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsOptional,
  IsObject,
  Length,
  Matches,
} from '#libs/kernel/late-validator.js';
import type { ContactFormMeaning } from './contact-form.types.js';

/** Field names of the form builders met most, first hit wins. */
export const DEFAULT_FIELDS: Readonly<Record<keyof ContactFormMeaning, readonly string[]>> = {
  name: ['name', 'your-name', 'full_name', 'fullname'],
  email: ['email', '_replyto', 'your-email', 'e-mail'],
  phone: ['phone', 'your-phone', 'tel', 'telephone'],
  subject: ['subject', '_subject', 'your-subject', 'topic'],
  message: ['message', 'your-message', 'body', 'comments'],
  order: ['order', 'order_id', 'order_number'],
  consent: ['consent', 'gdpr', 'privacy'],
  submissionId: ['submission_id', 'submissionId'],
  page: ['page_url', '_page', 'page'],
};

/** Settings of a contact form; a secret is optional and lets servers post with `Authorization: Bearer <secret>`. */
export class ContactFormSettings {
  /** Origins whose pages may post, such as `https://www.example.com`; `*` for any. 1 to 100. */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @Matches(/^(?:\*|https?:\/\/[^\s/]+)$/, {
    each: true,
    message: 'must be origins such as https://www.example.com, or *',
  })
  allowedOrigins!: string[];

  /** Field names by meaning (`name email phone subject message order consent submissionId page`), one or a list each. Unset: the usual names. */
  @IsOptional()
  @IsObject()
  fields?: Record<string, string | string[]>;

  /** Where the fields are in a JSON body, for example `payload.data`. Unset: at the top. */
  @IsOptional()
  @Matches(/^[\w-]+(?:\.[\w-]+){0,5}$/)
  dataPath?: string;

  /** Fields that people do not see: filled, the sender is a machine. @default ['_gotcha', 'bot-field'] */
  @IsArray()
  @ArrayMaxSize(10)
  @Length(1, 100, { each: true })
  honeypots: string[] = ['_gotcha', 'bot-field'];

  /** Page the browser is sent to afterwards (303). Unset: 200 with a small JSON answer. */
  @IsOptional()
  @Matches(/^https?:\/\/\S{1,2000}$/, { message: 'must be an http or https address' })
  redirectUrl?: string;
}
