import { expect, it } from 'vitest';
import * as z from 'zod';
import { DataError } from './errors.ts';
import { parsing, reasonIn } from './foreign.ts';
import { bareName, parseStored } from './stored.ts';

const schema = z.looseObject({
  seed: z.int(),
  name: z.string(),
  inner: z.looseObject({ list: z.array(z.number()) }).optional(),
  status: z.enum(['done', 'failed']).optional(),
  file: bareName.optional(),
});
const read = (value: unknown) =>
  parseStored(schema, value, (what) => new DataError('damaged', `x.json is damaged: ${what}.`));
const nested = (levels: number) => {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = [value];
  return value;
};

it.each<[unknown, string]>([
  [null, 'it must be an object, found null'],
  [[], 'it must be an object, found a list'],
  [{ name: 'x' }, 'its "seed" must be a number, found nothing'],
  [{ seed: '1', name: 'x' }, 'its "seed" must be a number, found "1"'],
  [{ seed: 1.5, name: 'x' }, 'its "seed" must be a whole number, found 1.5'],
  [{ seed: 1, name: {} }, 'its "name" must be a text, found an object'],
  [{ seed: 1, name: 'x', inner: { list: [1, 'a'] } }, 'its "inner.list[1]" must be a number, found "a"'],
  [{ seed: 1, name: 'x', status: 'gone' }, 'its "status" must be one of done, failed, found "gone"'],
])('%j is refused in words', (value, what) => {
  expect(() => read(value)).toThrow(`x.json is damaged: ${what}`);
});

it('what is nested deeply is refused', () => {
  expect(() => read({ seed: 1, name: 'x', more: nested(5000) })).toThrow('it must have at most 64 levels');
  expect(read({ seed: 1, name: 'x', more: nested(50) }).seed).toBe(1);
});

it('values stay as they are, with fields of later versions', () => {
  const value = { seed: 1, name: 'x', later: { a: [1] } };
  expect(read(value)).toBe(value);
});

it.each(['../../x', '/tmp/x', 'a/b', 'a\\b', '..', '.', '', 'C:x', 'a\0b', 'a\nb', 'x'.repeat(300)])(
  '%j is no bare name',
  (file) => {
    expect(() => read({ seed: 1, name: 'x', file })).toThrow('must be the bare name of a file in the same folder');
  },
);

it.each(['weights.bin', 'ü 图.bin', '.hidden', 'a..b'])('%j is a bare name', (file) => {
  expect(read({ seed: 1, name: 'x', file }).file).toBe(file);
});

it.each<[unknown, string]>([
  [new TypeError('x is not a function'), ''],
  [new RangeError('Invalid array length'), ''],
  [new Error("Cannot read properties of undefined (reading 'x')"), ''],
  [new Error('page header is undefined'), ''],
  ['a text', ''],
  [new Error('unsupported codec LZO.\nmore'), ' (unsupported codec LZO)'],
])('what %j says of a file', (error, reason) => {
  expect(reasonIn(error)).toBe(reason);
});

it('errors of parsers become errors of the file, ours stay', async () => {
  const refuse = (reason: string) => new DataError('damaged', `It is damaged${reason}.`);
  const run = (error: unknown) =>
    parsing(() => {
      throw error;
    }, refuse);
  await expect(run(new RangeError('Invalid array length'))).rejects.toThrow('It is damaged.');
  await expect(run(new Error('bad page'))).rejects.toThrow('It is damaged (bad page).');
  await expect(run(new DataError('x', 'Ours.'))).rejects.toMatchObject({ code: 'x', message: 'Ours.' });
});
