import { expect, it } from 'vitest';
import { action, libraryWords, option, say, textIfReferring, type Words, write } from './text.ts';

/** As a server would say it. */
const pointers: Words = {
  option: ({ option: path, value }) =>
    `/${path.map((name) => name.replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}${value === undefined ? '' : ` = ${JSON.stringify(value)}`}`,
  action: (name) => `POST /${name}`,
};

it('writes one sentence in the words of each interface', () => {
  const text = say`Tiles are larger than the image. Leave ${option('tiles')} out, or repeat ${action('train')} with
    ${option('size', 256)}.`;
  expect(write(text, libraryWords)).toBe(
    'Tiles are larger than the image. Leave `tiles` out, or repeat `train()` with `size: 256`.',
  );
  expect(write(text, pointers)).toBe(
    'Tiles are larger than the image. Leave /tiles out, or repeat POST /train with /size = 256.',
  );
});

it('writes paths and values of options as code', () => {
  const library = (path: string | string[], value?: unknown) => libraryWords.option(option(path, value));
  expect(library('config.epochs')).toBe('`config.epochs`');
  expect(library('config.coreset', 0.1)).toBe('`config.coreset: 0.1`');
  expect(library('protocol', 'one-class')).toBe("`protocol: 'one-class'`");
  expect(library(['columns', 'a.b c'], 'ignore')).toBe("`columns['a.b c']: 'ignore'`");
  expect(library('resume', true)).toBe('`resume: true`');
  expect(libraryWords.action('export')).toBe('`exportModel()`');
});

it('takes sentences and lists into sentences', () => {
  const remedy = say`Leave ${option('seed')} out.`;
  const all = say`${2} faults.${[' One.', say` ${remedy}`]}`;
  expect(all).toEqual(['2 faults. One. Leave ', { option: ['seed'] }, ' out.']);
  expect(write(all, libraryWords)).toBe('2 faults. One. Leave `seed` out.');
});

it('is data', () => {
  const text = say`Repeat ${action('train')} with ${option('tiles', { height: 8, width: 8 })}.`;
  expect(JSON.parse(JSON.stringify(text))).toEqual(text);
});

it('keeps what refers to something', () => {
  expect(textIfReferring('Plain.')).toBeUndefined();
  expect(textIfReferring(say`Plain ${1}.`)).toBeUndefined();
  expect(textIfReferring(say`See ${action('report')}.`)).toEqual(['See ', { action: 'report' }, '.']);
});
