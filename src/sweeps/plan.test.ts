/** Plans: what is refused, and the trials that follow from what is not. */
import { describe, expect, it } from 'vitest';
import type { ConfigError } from '../core/errors.ts';
import { propertiesOf } from '../core/schema.ts';
import { checkPlan, planSchema } from './plan.ts';
import { idOf, trialsOf } from './trials.ts';

const plan = { data: 'synthetic', classes: ['texture'], models: ['pca'] };
const trials = (given: object) => trialsOf(checkPlan(given));
const varied = (given: object) => trials(given).map((trial) => trial.varied);

/** Code, path and sentence of what a plan is refused with. */
function refusal(given: unknown) {
  try {
    trialsOf(checkPlan(given));
  } catch (error) {
    const { code, facts, message } = error as ConfigError;
    return [code, facts?.option.join('.'), message];
  }
  return [];
}

describe('a plan', () => {
  it('is data sets × models × options × seeds, in this order, and equal trials are one', () => {
    const found = trials({
      ...plan,
      models: ['pca', { model: 'knn', preset: undefined, grid: { neighbours: [1, 5] } }, 'pca'],
      seeds: [1, 2],
      grid: { trainLimit: [20, 40] },
      options: { validationFraction: 0.3 },
    });
    expect(found.map(({ model, varied, seed }) => [model, varied, seed])).toEqual([
      ...[20, 40].flatMap((trainLimit) => [1, 2].map((seed) => ['pca', { trainLimit }, seed])),
      ...[20, 40].flatMap((trainLimit) =>
        [1, 5].flatMap((neighbours) => [1, 2].map((seed) => ['knn', { trainLimit, neighbours }, seed])),
      ),
    ]);
    expect(found.at(-1)!.options).toEqual({
      ...{ validationFraction: 0.3, trainLimit: 40, model: 'knn', config: { neighbours: 5 } },
      ...{ data: 'synthetic', class: 'texture', seed: 2 },
    });
    expect(new Set(found.map(({ configuration }) => configuration)).size).toBe(6);
  });

  it('varies an option for those models that have it', () => {
    const found = trials({ ...plan, models: ['pca', 'knn'], grid: { components: [2, 4] } });
    expect(found.map(({ model, varied }) => [model, varied])).toEqual([
      ['pca', { components: 2 }],
      ['pca', { components: 4 }],
      ['knn', {}],
    ]);
  });

  it('draws by its seed, whole numbers where an option is whole, and more draws keep the first', () => {
    const drawn = (trials: number, seed = 1) =>
      varied({
        ...plan,
        random: { trials, seed },
        grid: {
          components: { from: 1, to: 400, scale: 'log' },
          variance: { from: 0.5, to: 1 },
          statistic: ['residual', 't2'],
        },
      });
    const few = drawn(4);
    expect(few).toHaveLength(4);
    expect(drawn(8).slice(0, 4)).toEqual(few);
    expect(drawn(4, 2)).not.toEqual(few);
    for (const { components, variance } of drawn(40) as Record<string, number>[]) {
      expect(Number.isInteger(components) && components >= 1 && components <= 400).toBe(true);
      expect(variance >= 0.5 && variance <= 1).toBe(true);
    }
    const whole = varied({ ...plan, random: 60, grid: { components: { from: 3, to: 5 } } });
    expect(new Set(whole.map(({ components }) => components))).toEqual(new Set([3, 4, 5]));
  });

  it('is refused with the nearest name and the place of what is wrong', () => {
    expect(refusal({ ...plan, sedes: [1] })).toEqual([
      'unknown-plan-key',
      'sedes',
      'A plan has no key "sedes". Did you mean "seeds"?',
    ]);
    expect(refusal({ ...plan, options: { trainLimt: 5 } })[2]).toBe(
      '"options" of a plan has no key "trainLimt". Did you mean "trainLimit"?',
    );
    expect(refusal({ ...plan, grid: { componets: [1] } })).toEqual([
      'unknown-plan-key',
      'grid.componets',
      'pca has no key "componets". Did you mean "components"?',
    ]);
    expect(refusal({ ...plan, models: ['knn', { model: 'pca', gird: {} }] })[1]).toBe('models.1.gird');
    expect(refusal({ ...plan, models: ['pac'] })).toEqual([
      'unknown-model',
      'models.0',
      'There is no model named "pac". Did you mean "pca"?',
    ]);
    expect(refusal({ ...plan, data: ['nosuch'] })[0]).toMatch(/^unknown-data|no-data/);
  });

  it('is refused for values that no training would take, at their place', () => {
    expect(refusal({ ...plan, models: ['knn', 'pca'], grid: { components: [4, -1] } }).slice(0, 2)).toEqual([
      'option-range',
      'grid.components',
    ]);
    const own = { model: 'pca', config: { statistic: 't3' } };
    expect(refusal({ ...plan, models: ['knn', own] }).slice(0, 2)).toEqual([
      'option-range',
      'models.1.config.statistic',
    ]);
    expect(refusal({ ...plan, options: { trainLimit: 0 } })[1]).toBe('options.trainLimit');
    expect(refusal({ ...plan, seeds: [] })[2]).toBe('"seeds" must be a list of whole numbers from 0; got [].');
    expect(refusal({ models: ['pca'] })[2]).toMatch(/^A plan needs "data"/);
    expect(refusal({ ...plan, grid: { components: { from: 1, to: 5 } } })[2]).toContain(
      'ranges are for plans with "random"',
    );
    expect(refusal({ ...plan, random: 3, grid: { components: { from: 5, to: 1 } } })[2]).toContain('"from" below "to"');
    expect(refusal({ ...plan, options: { validationFraction: 0 } })[1]).toBe('options.validationFraction');
    expect(refusal({ ...plan, halving: true, grid: { trainLimit: [5, 9] } })[1]).toBe('grid.trainLimit');
    expect(refusal([])[2]).toMatch(/^A plan must be a list/);
  });

  it('has a description for every key', () => {
    const properties = Object.entries(propertiesOf(planSchema));
    expect(properties.filter(([, { description }]) => !description)).toEqual([]);
  });
});

describe('the name of a trial', () => {
  const [first] = trials(plan);
  const name = (options: object = {}, content = 'abc') => idOf({ ...first.options, ...options }, content);

  it('follows from what it does, whatever the order of options', async () => {
    const id = await name({ trainLimit: 5, maps: 0 });
    expect(id).toMatch(/^[0-9a-f]{16}$/);
    expect(await name({ maps: 0, trainLimit: 5 })).toBe(id);
    const others = [
      name({ maps: 0 }),
      name({ trainLimit: 5, maps: 0, seed: 2 }),
      name({ trainLimit: 5, maps: 0 }, 'abd'),
    ];
    expect(new Set([id, ...(await Promise.all(others))]).size).toBe(4);
  });

  it('is that of the content where data is a path, wherever it lies', async () => {
    expect(await name({ data: './a/x.csv' })).toBe(await name({ data: '/b/x.csv' }));
  });
});
