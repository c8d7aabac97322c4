import { LIMITS } from '#libs/kernel';

/** The part of a Fastify instance that is needed here. */
export interface ParserHost {
  removeAllContentTypeParsers(): unknown;
  addContentTypeParser(
    type: string,
    options: { parseAs: 'buffer'; bodyLimit: number },
    parser: (request: unknown, body: Buffer, done: (error: Error | null, body?: Buffer) => void) => void,
  ): unknown;
}

/**
 * Makes `request.body` the bytes as they arrived, whatever their content type: signatures are computed over them, and
 * who parses them knows the limits. Call it before the application is initialised, and create that with
 * `bodyParser: false`.
 * @param options.bodyLimit bytes above which a body is answered 413. @default 5 MiB
 */
export const registerRawBody = (fastify: ParserHost, options: { bodyLimit?: number } = {}): void => {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: options.bodyLimit ?? LIMITS.batchBytes },
    (_request, body, done) => done(null, body),
  );
};
