/** Figures of a running hub by name, without labels; empty when it does not answer. */
export const readMetrics = async (url: string): Promise<Map<string, number>> => {
  try {
    const response = await fetch(new URL('/metrics', url), { signal: AbortSignal.timeout(5000) });
    return response.ok ? parseMetrics(await response.text()) : new Map();
  } catch {
    return new Map();
  }
};

/** The unlabelled samples of a Prometheus text. */
export const parseMetrics = (text: string): Map<string, number> => {
  const figures = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^([A-Za-z_:][\w:]*) (\S+)/.exec(line);
    if (match) figures.set(match[1]!, Number(match[2]));
  }
  return figures;
};
