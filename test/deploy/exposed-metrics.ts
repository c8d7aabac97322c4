/** The names under which a text of `/metrics` gives figures: a histogram has three. */
export const exposedMetrics = (text: string): string[] =>
  [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name, type]) =>
    type === 'histogram' ? [`${name}_sum`, `${name}_count`, `${name}_bucket`] : [name!],
  );
