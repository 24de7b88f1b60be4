import { describe, expect, it } from 'vitest';
import {
  Cancelled,
  ConfigError,
  DataError,
  errorData,
  errorFrom,
  InternalError,
  nearestName,
  RuntimeUnavailable,
  ShapeError,
  TrainingDiverged,
  unknownName,
} from './errors.ts';
import { option, say } from './text.ts';

describe('errors', () => {
  it('have a sentence in the words of the library, and as data', () => {
    const error = new DataError('disk', say`The disk is full. Repeat with ${option('resume', true)}.`);
    expect(error.message).toBe('The disk is full. Repeat with `resume: true`.');
    expect(error.text).toEqual(['The disk is full. Repeat with ', { option: ['resume'], value: true }, '.']);
    expect(new DataError('csv', 'No rows.').text).toEqual(['No rows.']);
  });

  it('of an option follow from the facts', () => {
    const error = new ConfigError('option-range', {
      of: 'padim',
      option: 'config.k',
      value: 0,
      must: 'an integer from 1 to 99',
      remedy: say`Leave ${option('config.k')} out.`,
    });
    expect(error.message).toBe('padim: `config.k` must be an integer from 1 to 99, got 0. Leave `config.k` out.');
    expect(error.facts).toEqual({ option: ['config', 'k'], value: 0, must: 'an integer from 1 to 99' });
    const found = (value: unknown) => new ConfigError('range', { option: 'seed', value, must: 'whole' }).message;
    expect(found(Number.NaN)).toBe('`seed` must be whole, got NaN.');
    expect(found('x')).toBe('`seed` must be whole, got "x".');
    expect(found(undefined)).toBe('`seed` must be whole, got undefined.');
  });

  it('keep class, sentence and facts on the way to another thread', () => {
    const text = say`Use ${option('device', 'cpu')}.`;
    const errors = [
      new ConfigError('option-range', { option: 'seed', value: -1, must: 'at least 0' }),
      new ConfigError('plain', 'Plain.'),
      new DataError('broken', text),
      new ShapeError(text),
      new RuntimeUnavailable('missing', text),
      new TrainingDiverged(text),
      new Cancelled(),
      new InternalError('a fault.'),
    ];
    for (const error of errors) {
      const there = errorFrom(structuredClone(errorData(error)));
      expect(there.constructor).toBe(error.constructor);
      expect(errorData(there)).toEqual(errorData(error));
      expect(there.text).toEqual(error.text);
    }
    expect(errorFrom(errorData(new TypeError('x is not a function'))).message).toBe('internal: x is not a function');
  });
});

describe('names', () => {
  it('that are not known get the nearest one', () => {
    const error = unknownName('model', 'autoencodr', ['autoencoder', 'pca'], 'model');
    expect(error.code).toBe('unknown-model');
    expect(error.message).toBe('There is no model named "autoencodr". Did you mean "autoencoder"?');
    expect(error.facts).toEqual({ option: ['model'], value: 'autoencodr', must: 'one of autoencoder, pca' });
    expect(unknownName('map format', 'x', ['npy', 'picture']).message).toBe(
      'There is no map format named "x". Known: npy, picture.',
    );
  });

  it('are near when two letters are swapped, and not when nothing is left', () => {
    expect(nearestName('overlya', ['overlay', 'picture'])).toBe('overlay');
    expect(nearestName('ab', ['cd'])).toBeUndefined();
  });
});
