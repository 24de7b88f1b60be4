/** Type tests, checked by `tsc --noEmit` and never run: what must not compile stands below `@ts-expect-error`. */
import * as z from 'zod';
import type { Source } from '../dist/data/index.js';
import { defineModel, fit, train } from '../dist/index.js';

const mine = defineModel({
  name: 'mine',
  title: 'Mine',
  idea: '.',
  paper: '.',
  learning: 'one-class',
  inputs: ['table'],
  learns: 'none',
  config: z.strictObject({ strength: z.number().default(1).describe('How strong.') }),
  presets: {},
  tiny: {},
  score: ({ strength }, _net, x) => ({ score: x, map: x, strength: strength.toFixed() }) as never,
});

export async function typed(source: Source) {
  await train({ model: 'patchcore', data: 'parts', config: { coreset: 0.1 } });
  await train({ model: 'patchcore', data: source });
  await train({ model: mine, data: source, config: { strength: 2 } });
  await fit('knn', [{ a: 1 }], { config: { neighbours: 3 } });
  await fit(mine, source, { config: { strength: 2 } });
  // @ts-expect-error: a typing error in the name of an option
  await train({ model: 'patchcore', data: 'parts', config: { coreste: 0.1 } });
  // @ts-expect-error: a typing error in the name of a model
  await train({ model: 'patchcor', data: 'parts' });
  // @ts-expect-error: an option of another type
  await train({ model: 'patchcore', data: 'parts', config: { coreset: 'much' } });
  // @ts-expect-error: a typing error in an option of the run
  await train({ model: 'patchcore', data: 'parts', trainLimt: 3 });
  // @ts-expect-error: an option of another model
  await fit('knn', [{ a: 1 }], { config: { coreset: 0.1 } });
  // @ts-expect-error: an option that a model of one's own has not
  await train({ model: mine, data: source, config: { strenght: 2 } });
}
