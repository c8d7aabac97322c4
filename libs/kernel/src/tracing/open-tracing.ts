import type { Tracing } from './tracing.port.js';

type Env = Readonly<Record<string, string | undefined>>;

const isWanted = (env: Env): boolean =>
  Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) &&
  env.OTEL_SDK_DISABLED?.toLowerCase() !== 'true' &&
  env.OTEL_TRACES_EXPORTER !== 'none';

/**
 * Traces by OTLP over HTTP (JSON), as the standard `OTEL_…` variables say; undefined where they name no collector: then
 * nothing of OpenTelemetry is loaded.
 * @param program names the service, `hilo-hub`, where `OTEL_SERVICE_NAME` does not
 * @param warn hears that a collector does not take what it is sent
 */
export const openTracing = async (
  env: Env,
  program: string,
  warn: (problem: string) => void = () => undefined,
): Promise<Tracing | undefined> => {
  if (!isWanted(env)) return undefined;
  const { OpenTelemetryTracing } = await import('./opentelemetry.tracing.js');
  return OpenTelemetryTracing.open(`hilo-${program}`, warn);
};
