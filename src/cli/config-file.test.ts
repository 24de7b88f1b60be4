import { expect, it } from 'vitest';
import { findModel } from '../models/index.ts';
import { parseConfigFile } from './config-file.ts';
import { optionsFrom, runFlags } from './run-flags.ts';
import { modelOptions, typedValue } from './schema.ts';

it('takes every word that a flag has, in its spelling, and remembers the line of every option', () => {
  const text = [
    '# mine',
    'model: autoencoder',
    'class: 1',
    'train-limit: 20',
    'tile: 64x32',
    'overlap: 0.5',
    'held-out: [3, 4]',
    'column:',
    '  amount: numeric',
    'no-download: true',
    'resume: false',
    'epochs: 5',
    'config:',
    '  learning-rate: 0.01',
    '  loss: l1',
    '',
  ].join('\n');
  const { model, flags, config, lines } = parseConfigFile(text, 'c.yaml');
  expect(model).toBe('autoencoder');
  expect(config).toEqual({ epochs: 5, learningRate: 0.01, loss: 'l1' });
  expect(optionsFrom(new Map(), flags)).toEqual({
    class: '1',
    trainLimit: 20,
    tiles: { height: 64, width: 32, overlap: 0.5 },
    heldOut: ['3', '4'],
    columns: { amount: 'numeric' },
    download: false,
  });
  expect(lines.get('trainLimit')).toBe(4);
  expect(lines.get('columns.amount')).toBe(9);
  expect(lines.get('config.loss')).toBe(15);
  // Flags of the command line win; what may repeat adds up.
  const own = new Map([
    ['tile', ['128']],
    ['column', ['side=ignore']],
  ]);
  expect(optionsFrom(own, flags)).toMatchObject({
    tiles: { height: 128, width: 128, overlap: 0.5 },
    columns: { amount: 'numeric', side: 'ignore' },
  });
});

it('has a key for every flag of a run, and refuses other words with their line', () => {
  for (const { flag } of runFlags) {
    const value = flag.value === undefined ? 'true' : flag.repeats ? '{ a: b }' : '1';
    expect(() => parseConfigFile(`${flag.name}: ${value}\n`, 'c.yaml'), flag.name).not.toThrow();
  }
  expect(() => parseConfigFile('model: knn\nneighbors: 2\n', 'c.yaml')).toThrow(
    'A configuration file has no key "neighbors". Did you mean "neighbours"? (c.yaml:2)',
  );
  expect(() => parseConfigFile('overlap: 0.5\n', 'c.yaml')).not.toThrow();
  expect(() => optionsFrom(new Map([['overlap', ['0.5']]]))).toThrow('--overlap needs --tile.');
});

it('takes an empty file', () => {
  expect(parseConfigFile('# nothing\n', 'c.yaml').flags.size).toBe(0);
});

it('types a text by the schema of the model', () => {
  const options = modelOptions(findModel('autoencoder'));
  const option = (key: string) => options.find((o) => o.key === key);
  expect(typedValue(option('epochs'), '5')).toBe(5);
  expect(typedValue(option('learningRate'), '1e-3')).toBe(0.001);
  expect(typedValue(option('loss'), '5')).toBe('5');
  expect(typedValue(option('epochs'), 'many')).toBe('many');
  expect(typedValue(undefined, '5')).toBe('5');
  expect(option('learningRate')).toMatchObject({ flag: 'learning-rate', range: '> 0, ≤ 1', default: 0.001 });
});
