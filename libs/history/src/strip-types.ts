// By path: the hooks thread needs nothing else of the kernel.
import { HubError, codeOf, messageOf } from '#libs/kernel/errors.js';

type Strip = (source: string, file: string) => Promise<string>;

const bySwc = async (): Promise<Strip> => {
  const { transform } = await import('@swc/core');
  return async (source, filename) => {
    const { code } = await transform(source, {
      filename,
      swcrc: false,
      configFile: false,
      sourceMaps: 'inline',
      module: { type: 'es6' },
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    });
    return code;
  };
};

const byTypeScript = async (): Promise<Strip> => {
  const { default: ts } = await import('typescript');
  return (source, fileName) => {
    const { outputText, diagnostics = [] } = ts.transpileModule(source, {
      fileName,
      reportDiagnostics: true,
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, inlineSourceMap: true },
    });
    const [first] = diagnostics;
    return first === undefined
      ? Promise.resolve(outputText)
      : Promise.reject(new SyntaxError(ts.flattenDiagnosticMessageText(first.messageText, '\n')));
  };
};

const isMissing = (error: unknown): boolean => /^(ERR_)?MODULE_NOT_FOUND$/.test(codeOf(error) ?? '');

let stripper: Promise<Strip> | undefined;

const loadStripper = async (): Promise<Strip> => {
  for (const load of [bySwc, byTypeScript]) {
    try {
      return await load();
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  throw new HubError(
    'HISTORY.NO_TRANSPILER',
    'a .ts projection needs @swc/core or typescript, and neither is installed; npm install @swc/core, or write the projection as .mjs',
  );
};

/**
 * TypeScript without its types, checked for syntax only. The compiler is loaded with the first call.
 * @throws HubError `HISTORY.NO_TRANSPILER`, `HISTORY.PROJECTION_INVALID` with the place of the syntax error
 */
export const stripTypes = async (source: string, file: string): Promise<string> => {
  stripper ??= loadStripper();
  const strip = await stripper;
  try {
    return await strip(source, file);
  } catch (cause) {
    throw new HubError('HISTORY.PROJECTION_INVALID', `${file} is not valid TypeScript: ${messageOf(cause)}`, { cause });
  }
};
