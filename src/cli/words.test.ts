import { expect, it } from 'vitest';
import { ConfigError, DataError, InternalError, RuntimeUnavailable } from '../core/errors.ts';
import { warning } from '../core/events.ts';
import { action, type OptionPath, option, say, write } from '../core/text.ts';
import { commandWords, errorJson, exitCodeOf, inCommandWords, said } from './words.ts';

const words = (path: OptionPath, value?: unknown) => commandWords.option(option(path, value));

it('writes options as flags', () => {
  expect(words('seed')).toBe('--seed');
  expect(words('falseAlarmRate')).toBe('--fpr');
  expect(words('maxPixels', 4000)).toBe('--max-pixels 4000');
  expect(words('size', [64, 96])).toBe('--size 64x96');
  expect(words('tiles.overlap')).toBe('--overlap');
  expect(words('tiles', { height: 64, width: 96 })).toBe('--tile 64x96');
  expect(words('region', { x: 1, y: 2, width: 30, height: 40 })).toBe('--region 1,2,30,40');
  expect(words('augment', { flipHorizontal: true, degrees: 10 })).toBe('--augment flip,rotate=10');
  expect(words('augment.degrees')).toBe('--augment rotate');
  expect(words('heldOut', ['a', 'b c'])).toBe("--held-out 'a,b c'");
  expect(words('folderNames')).toBe('--normal, --abnormal and --mask');
  expect(words('resume', true)).toBe('--resume');
  expect(words('download', false)).toBe('--no-download');
});

it('writes options of models and columns as pairs', () => {
  expect(words('config.learningRate', 0.1)).toBe('--set learning-rate=0.1');
  expect(words('config.learningRate')).toBe('learning-rate');
  expect(words('config.weights', '<file>')).toBe('--set weights=<file>');
  expect(words(['columns', 'my id'], 'ignore')).toBe("--column 'my id=ignore'");
  expect(words(['columns', 'y'], 'label')).toBe('--label y');
});

it('writes actions as commands', () => {
  expect(write(say`Repeat ${action('export')}.`, commandWords)).toBe('Repeat oddity export.');
});

it('reads stored messages back in its own words', () => {
  const event = warning('few', say`Raise ${option('validationFraction')}.`) as { message: string };
  expect(event.message).toBe('Raise `validationFraction`.');
  expect(said(event)).toBe('Raise --validation.');
  const stored = { failed: [{ path: 'a.png', ...event }], warnings: [{ code: 'x', message: 'Plain.' }] };
  expect(JSON.parse(JSON.stringify(stored, inCommandWords))).toEqual({
    failed: [{ path: 'a.png', type: 'warning', code: 'few', message: 'Raise --validation.' }],
    warnings: [{ code: 'x', message: 'Plain.' }],
  });
});

it('has an exit code for every kind of error, and facts under --json', () => {
  const error = new ConfigError('option-range', { option: 'falseAlarmRate', value: 2, must: 'below 1' });
  expect(exitCodeOf(error)).toBe(2);
  expect(exitCodeOf(new DataError('x', 'X.'))).toBe(3);
  expect(exitCodeOf(new RuntimeUnavailable('x', 'X.'))).toBe(4);
  expect(exitCodeOf(new InternalError('x.'))).toBe(70);
  expect(errorJson(error)).toEqual({
    error: {
      code: 'option-range',
      message: '--fpr must be below 1, got 2.',
      option: '--fpr',
      value: 2,
      must: 'below 1',
    },
  });
});
