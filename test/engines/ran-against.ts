import { appendFileSync } from 'node:fs';

/** Says at the end of `npm run test:engines` what a suite met. */
export const ranAgainst = (engine: string): void => {
  const { HILO_ENGINES_REPORT: file } = process.env;
  if (file !== undefined) appendFileSync(file, `${engine}\n`);
};
