import { Command } from 'commander';
import { addApiKeys } from './api-keys.js';

/** The name under which the first release had the API keys: what it could do goes on working, and nothing is added. */
export const keysCommand = (): Command =>
  addApiKeys(new Command('keys').description('API keys by their old name: see api-keys'));
