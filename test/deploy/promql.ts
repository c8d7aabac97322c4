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
