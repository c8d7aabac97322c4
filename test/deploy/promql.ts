import { parser } from '@prometheus-io/lezer-promql';

/** The metrics that a PromQL expression reads; undefined where it is none. */
export const metricsIn = (query: string): string[] | undefined => {
  const metrics = new Set<string>();
  let broken = false;
  parser.parse(query).iterate({
    enter: ({ type, from, to, node }) => {
      if (type.isError) broken = true;
      if (type.name === 'Identifier' && node.parent?.type.name === 'VectorSelector') metrics.add(query.slice(from, to));
    },
  });
  return broken ? undefined : [...metrics];
};

/** Names that a page of metrics holds series of. */
export const familiesIn = (page: string): string[] =>
  [...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name, type]) =>
    type === 'histogram' || type === 'summary' ? [name!, `${name}_sum`, `${name}_count`, `${name}_bucket`] : [name!],
  );
