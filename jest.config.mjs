const ts = {
  swcrc: false,
  module: { type: 'commonjs' },
  sourceMaps: 'inline',
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', decorators: true },
    keepClassNames: true,
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
  },
};
// isModule 'unknown': scripts that use a top-level `this` stay scripts
const js = {
  swcrc: false,
  isModule: 'unknown',
  module: { type: 'commonjs' },
  sourceMaps: false,
  jsc: { target: 'es2022', parser: { syntax: 'ecmascript' } },
};
const base = {
  testEnvironment: 'node',
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/test'],
  moduleNameMapper: {
    '^#libs/([^/]+)$': '<rootDir>/libs/$1/src/index.ts',
    '^#libs/([^/]+)/(.*)\\.js$': '<rootDir>/libs/$1/src/$2.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: { '^.+\\.ts$': ['@swc/jest', ts], '^.+\\.m?js$': ['@swc/jest', js] },
  transformIgnorePatterns: [], // node_modules is compiled too, once, then cached
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
};

export default {
  // Files are compiled at their first use, on machines that do other things too.
  testTimeout: 60_000,
  projects: [
    // opens no socket and writes no file
    { ...base, displayName: 'unit', testRegex: '(?<!\\.int|\\.e2e|\\.engines)\\.spec\\.ts$' },
    // meets one real adapter
    { ...base, displayName: 'int', testRegex: '\\.int\\.spec\\.ts$' },
    // the whole pipeline as a black box, against the built programs
    { ...base, displayName: 'e2e', testRegex: '\\.e2e\\.spec\\.ts$' },
    // meets servers that it starts itself: npm run test:engines
    { ...base, displayName: 'engines', testRegex: '\\.engines\\.spec\\.ts$' },
  ],
};
