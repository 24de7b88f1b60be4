import { describe, expect, it } from 'vitest';
import { libraryWords } from '../../core/text.ts';
import { findModel } from '../../models/index.ts';
import { codeOf, commandOf } from './command.ts';
import { modelForms, runForm } from './forms.ts';
import { plansOf } from './plans.ts';

describe('what does the same as a job', () => {
  const job = {
    kind: 'train',
    options: { model: 'pca', data: 'my parts/a.csv', tiles: { height: 8, width: 8, overlap: 0.5 }, config: { k: 1 } },
  };

  it('is a command in the words that it is given', () => {
    expect(commandOf(job, libraryWords)).toBe(
      '`train()` pca `data: \'my parts/a.csv\'` `tiles: {"height":8,"width":8}` `tiles.overlap: 0.5` `config.k: 1`',
    );
    expect(commandOf({ kind: 'try', options: { data: "it's" } }, libraryWords)).toBe("`tryModels()` 'it'\\''s'");
  });

  it('is code of the library', () => {
    expect(codeOf({ kind: 'export', options: { run: 'runs/a', verify: true } })).toBe(
      'import { exportModel } from \'oddity\';\n\nconst result = await exportModel({\n  run: "runs/a",\n  verify: true\n});',
    );
  });
});

describe('ways to train', () => {
  it('name models that take such items, with options that they have', () => {
    for (const kind of ['image', 'table', 'series', 'clip']) {
      const plans = plansOf(kind);
      expect(plans.map(({ name }) => name)).toEqual(['default', 'fast', 'balanced', 'accurate']);
      const takers = modelForms(kind).map(({ name }) => name);
      for (const { options } of plans) {
        if (options.model !== undefined) expect(takers).toContain(options.model);
        const known = [...runForm(kind).map(({ name }) => name), 'model', 'kind'];
        expect(Object.keys(options).filter((name) => !known.includes(name))).toEqual([]);
      }
    }
  });
});

it('forms say of each option what it means and what it must be', () => {
  const [first, ...others] = modelForms('table');
  expect(first.start).toBe(findModel('ensemble').startFor?.table);
  const options = [first, ...others].flatMap((form) => form.options);
  expect(options.length).toBeGreaterThan(50);
  expect(options.filter(({ must, schema }) => must === '' || !schema.description)).toEqual([]);
});
