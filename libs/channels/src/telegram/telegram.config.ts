// oxlint-disable-next-line typescript/no-extraneous-class -- the class is the declaration that nothing may be set
/** A Telegram account has no settings: its secrets are the `secret_token`s given to `setWebhook`. */
export class TelegramSettings {}
