import { Interactions } from '../load/interactions.js';
import { perSecond } from '../load/batches.js';

const TEXTS = 1000;
const FOR_MS = 700;

/** Contacts a second that are parsed and written again: what the processor gives to anything of this kind. */
export const jsonPerSecond = (): number => {
  const source = new Interactions(TEXTS, 'json');
  const texts = Array.from({ length: TEXTS }, () => source.next().body);
  const pass = (): number => {
    let characters = 0;
    for (const text of texts) characters += JSON.stringify(JSON.parse(text)).length;
    return characters;
  };
  pass();
  const startedAt = performance.now();
  let passes = 0;
  while (performance.now() - startedAt < FOR_MS) {
    pass();
    passes += 1;
  }
  return perSecond(passes * TEXTS, performance.now() - startedAt);
};
