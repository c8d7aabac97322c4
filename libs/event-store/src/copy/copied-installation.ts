import { HubError } from '#libs/kernel';
import { KEY_VAULT, PEPPER, type Installation } from '../installation.js';

const CARRIED = [
  [PEPPER, 'pepper'],
  [KEY_VAULT, 'key vault'],
] as const;

const otherInstallation = (what: string): HubError =>
  new HubError(
    'COPY.OTHER_INSTALLATION',
    `the log to copy to was begun with another ${what}; copy to a namespace (or a server) that nothing was begun in`,
  );

/** @throws HubError `COPY.OTHER_INSTALLATION` when the target belongs to another pepper or key vault */
export const checkInstallation = async (
  source: Pick<Installation, 'recall'>,
  target: Pick<Installation, 'recall'>,
): Promise<void> => {
  for (const [name, what] of CARRIED) {
    const [value, kept] = [await source.recall(name), await target.recall(name)];
    if (kept !== undefined && kept !== value) throw otherInstallation(what);
  }
};

/**
 * Binds a complete copy to the pepper and the key vault of its original, so that no program opens it with others.
 * @throws HubError `COPY.OTHER_INSTALLATION`
 */
export const carryInstallation = async (
  source: Pick<Installation, 'recall'>,
  target: Pick<Installation, 'keep'>,
): Promise<void> => {
  for (const [name, what] of CARRIED) {
    const value = await source.recall(name);
    if (value !== undefined && (await target.keep(name, value)) !== value) throw otherInstallation(what);
  }
};
