import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export const POM = resolve('test/engines/kafka/pom.xml');

/** Of the broker the tests start, whichever way. */
export const KAFKA_VERSION = /<artifactId>kafka_2\.13<\/artifactId>\s*<version>([^<]+)</.exec(
  readFileSync(POM, 'utf8'),
)![1]!;
