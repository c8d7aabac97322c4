import { parseArgs } from 'node:util';

/** What can be measured by itself, in the order in which a round takes it. */
export const RUNS = ['ingest', 'start', 'rebuild', 'export', 'posts', 'pages', 'costs'] as const;
export type RunName = (typeof RUNS)[number];

export interface Options {
  quick: boolean;
  only: readonly RunName[];
  withInstall: boolean;
  /** Directory for the hub's CPU profiles. */
  profile?: string;
}

export const USAGE = `npm run bench -- [--quick] [--only ${RUNS.join(',')}] [--with-install] [--profile DIR]`;

/** @throws Error with a sentence for the terminal */
export const readOptions = (args: readonly string[]): Options => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      'with-install': { type: 'boolean', default: false },
      profile: { type: 'string' },
    },
  });
  const names = values.only.flatMap((text) => text.split(',')).filter((name) => name !== '');
  const unknown = names.find((name) => !isRun(name));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: measured are ${RUNS.join(', ')}`);
  return {
    quick: values.quick,
    only: names.length > 0 ? RUNS.filter((run) => names.includes(run)) : RUNS,
    withInstall: values['with-install'],
    ...(values.profile === undefined ? {} : { profile: values.profile }),
  };
};

const isRun = (name: string): name is RunName => (RUNS as readonly string[]).includes(name);
