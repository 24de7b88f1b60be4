/** What the compiler knows of models: a line that must not compile has `@ts-expect-error` above it, and tsc checks that. */
import { expect, it } from 'vitest';
import * as z from 'zod';
import { reduceMax } from '../graph/ops/index.ts';
import { type ConfigOf, defineModel, findModel, knn, type ModelName, type ModelOf, models } from './index.ts';

/** A model as somebody writes it outside the package, whose options are typed by its schema alone. */
const peak = defineModel({
  name: 'peak',
  title: 'Brightest pixel',
  idea: 'An image is as anomalous as its brightest pixel is bright.',
  paper: 'None.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'none',
  config: z.strictObject({
    power: z.number().positive().default(1).describe('Exponent.'),
    colour: z.enum(['red', 'any']).default('any').describe('Which channels count.'),
  }),
  presets: { red: { colour: 'red' } },
  tiny: {},
  // A literal stays one, although the schema is still being inferred here.
  defaults: (_shape, count) => ({ power: count > 100 ? 1 : 2, colour: 'any' }),
  pool: (_config, map) => reduceMax(map, { axes: [1, 2, 3] }),
  score(config, _net, x) {
    const { power, colour } = config satisfies { power: number; colour: 'red' | 'any' };
    // @ts-expect-error no such option
    config.powre;
    const map = power > 1 && colour === 'any' ? x : x;
    return { map, score: reduceMax(map, { axes: [1, 2, 3] }) };
  },
});

it('knows the options of a model by its name, none of them required', () => {
  const options: ConfigOf<'patchcore'> = { coreset: 0.1 };
  // @ts-expect-error misspelt
  const misspelt: ConfigOf<'patchcore'> = { coreste: 0.1 };
  // @ts-expect-error 'poled' is no descriptor
  const unknown: ConfigOf<'patchcore'> = { descriptor: 'poled' };
  // @ts-expect-error a number
  const text: ConfigOf<'patchcore'> = { coreset: 'much' };
  expect([options, misspelt, unknown, text]).toHaveLength(4);
});

it('knows the options of a model value, of this package or not', () => {
  const given: ConfigOf<typeof knn> = { neighbours: 3 };
  const own: ConfigOf<typeof peak> = { colour: 'red' };
  // @ts-expect-error misspelt
  const misspelt: ConfigOf<typeof peak> = { colur: 'red' };
  // @ts-expect-error no such colour
  const unknown: ConfigOf<typeof peak> = { colour: 'green' };
  expect([given, own, misspelt, unknown]).toHaveLength(4);
});

it('refuses presets and tiny options that the schema has not', () => {
  const config = z.strictObject({ k: z.int().default(1).describe('How many.') });
  const { score, ...words } = findModel('random');
  const rest = { ...words, learns: 'none', score } as const;
  // @ts-expect-error misspelt
  expect(defineModel({ ...rest, config, presets: {}, tiny: { kk: 1 } }).name).toBe('random');
  // @ts-expect-error misspelt
  expect(defineModel({ ...rest, config, presets: { few: { kk: 1 } }, tiny: {} }).name).toBe('random');
  // @ts-expect-error no flag holds a map
  defineModel({ ...rest, config: z.strictObject({ k: z.map(z.string(), z.number()) }), presets: {}, tiny: {} });
});

it('knows the names', () => {
  const name: ModelName = 'patchcore';
  // @ts-expect-error nearly
  const nearly: ModelName = 'patchcor';
  const own: 'peak' = peak.name;
  const same: ModelOf<'knn'> = knn;
  // @ts-expect-error another model
  const other: ModelOf<'pca'> = knn;
  expect([name, nearly, own, same, other]).toHaveLength(5);
  expect(models.filter((model) => model.name === ('knn' satisfies ModelName))).toEqual([knn]);
});
