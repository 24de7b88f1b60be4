import { expect, it } from 'vitest';
import { findModel } from '../models/index.ts';
import { parseConfigFile } from './config-file.ts';
import { modelOptions, typedValue } from './schema.ts';

it('reads a file and remembers the line of every key', () => {
  const { values, lines } = parseConfigFile(
    '# mine\nmodel: autoencoder\nclass: 1\n\nconfig:\n  epochs: 5\n  loss: l1\n',
    'c.yaml',
  );
  expect(values).toEqual({ model: 'autoencoder', class: '1', config: { epochs: 5, loss: 'l1' } });
  expect(Object.fromEntries(lines)).toEqual({ model: 2, class: 3, config: 5, 'config.epochs': 6, 'config.loss': 7 });
});

it('takes an empty file', () => {
  expect(parseConfigFile('# nothing\n', 'c.yaml').values).toEqual({});
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
