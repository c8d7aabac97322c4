import type { ReadAllOptions } from '#libs/event-store';
import type { HubSettings } from '#libs/kernel/settings.js';

/** What the thread begins with. */
export interface LogThreadData {
  settings: HubSettings;
  options: ReadAllOptions;
}

/** Asks for one more batch, or for the end. */
export type ToLogThread = 'next' | 'stop';

/** Answers, in the order of what was asked. */
export type FromLogThread = { pack: string } | { end: true } | { code: string; message: string; retryable: boolean };
