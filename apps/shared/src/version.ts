/** Version of the API and of the programs; package.json carries the same. */
export const VERSION = '0.1.0';
