import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csv, csvField, csvValue } from './csv.ts';
import { visible, visibleJson, visibleMessage, visibleText } from './visible.ts';

describe('names that steer', () => {
  it.each([
    ['\x1b[31mred\x1b[0m', '\\x1b[31mred\\x1b[0m'],
    ['a\nb', 'a\\nb'],
    ['a\tb', 'a\\tb'],
    ['a\rb', 'a\\x0db'],
    ['\x9b2J', '\\x9b2J'],
    ['gpj.\u202egpj', 'gpj.\\u202egpj'],
    ['bell\x07', 'bell\\x07'],
    ['plain ü 图.png', 'plain ü 图.png'],
  ])('%j is shown as %s', (name, shown) => {
    expect(visible(name)).toBe(shown);
  });

  it('keeps the lines of a text, and of a message those that are indented', () => {
    expect(visibleText('a\nb\x1b')).toBe('a\nb\\x1b');
    expect(visibleMessage('x\nerror: fake\n  oddity train\n')).toBe('x\\nerror: fake\n  oddity train\\n');
  });

  it('keeps the values of JSON', () => {
    const value = { name: '\x9b\u2028\x7f"\n' };
    const json = visibleJson(JSON.stringify(value));
    expect(JSON.parse(json)).toEqual(value);
    expect(json).not.toMatch(/[\x7f-\x9f\u2028]/);
  });
});

describe('CSV', () => {
  it.each([
    ['=1+1', "'=1+1"],
    ['+cmd|x', "'+cmd|x"],
    ['-2+3', "'-2+3"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\\u0009=1"],
    ["'quoted", "''quoted"],
    ['a\x1b[2J\\', "'a\\u001b[2J\\\\"],
    ['two\nlines', "'two\\u000alines"],
    ['-1.5', '-1.5'],
    ['1e-7', '1e-7'],
    ['a, "b"', '"a, ""b"""'],
    ['parts\\x.png', 'parts\\x.png'],
  ])('%j becomes %s', (text, field) => {
    expect(csvField(text)).toBe(field);
  });

  it('every text comes back, and none begins as a formula does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const [[found]] = parse(`${csvField(text)},x\n`) as string[][];
        expect(csvValue(found)).toBe(text);
        expect(/^[=+@\t\r]/.test(found)).toBe(false);
      }),
    );
  });

  it('writes a table', () => {
    expect(csv(['path', 'score'], [['=a.png', '-2']])).toBe("path,score\n'=a.png,-2\n");
  });
});
