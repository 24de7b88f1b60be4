import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTensor, splitBody, writeAnswer } from './tensors.ts';

const none = new Uint8Array(0);
const bytes = (text: string) => new TextEncoder().encode(text);

describe('tensors of the Open Inference Protocol', () => {
  it('reads numbers as a flat list and as lists in lists', () => {
    const tensor = { name: 'row', shape: [2, 2], datatype: 'FP32' };
    for (const data of [
      [1, 2, 3, 4],
      [
        [1, 2],
        [3, 4],
      ],
    ]) {
      expect(readTensor({ ...tensor, data }, [2], none)).toEqual({
        values: Float32Array.of(1, 2, 3, 4),
        count: 2,
        used: 0,
      });
    }
  });

  it('reads raw numbers of both widths, also where they do not begin at a multiple of four', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        (numbers, wide) => {
          const raw = new Uint8Array((wide ? Float64Array : Float32Array).from(numbers).buffer);
          const shifted = new Uint8Array(raw.length + 1);
          shifted.set(raw, 1);
          const tensor = {
            name: 'row',
            shape: [numbers.length, 1],
            datatype: wide ? 'FP64' : 'FP32',
            parameters: { binary_data_size: raw.length },
          };
          const { values, used } = readTensor(tensor, [1], shifted.subarray(1));
          expect([...values]).toEqual(numbers.map(Math.fround));
          expect(used).toBe(raw.length);
        },
      ),
    );
  });

  it('takes raw numbers where they lie, if numbers may lie there', () => {
    const body = new Uint8Array(16);
    const tensor = { name: 'row', shape: [1, 2], datatype: 'FP32', parameters: { binary_data_size: 8 } };
    expect(readTensor(tensor, [2], body.subarray(4, 12)).values.buffer).toBe(body.buffer);
    expect(readTensor(tensor, [2], body.subarray(5, 13)).values.buffer).not.toBe(body.buffer);
  });

  it.each([
    [{ datatype: 'INT8' }, 'datatype FP32 or FP64, got INT8'],
    [{ shape: [1, 3] }, 'shape [n, 2], got [1, 3]'],
    [{ shape: [0, 2] }, 'shape [n, 2], got [0, 2]'],
    [{ data: [1] }, 'must have 2 numbers for its shape, got 1'],
    [{ data: [1, 'x'] }, 'must hold numbers, found "x"'],
    [{ data: undefined }, 'must have data: a list of 2 numbers'],
    [{ parameters: { binary_data_size: 4 } }, 'must be 8 for its shape, got 4'],
    [{ parameters: { binary_data_size: 8 } }, 'must have 8 bytes behind the JSON, found 0'],
  ])('refuses %j in a sentence', (change, sentence) => {
    const tensor = { name: 'row', shape: [1, 2], datatype: 'FP32', data: [1, 2], ...change };
    expect(() => readTensor(tensor, [2], none)).toThrow(sentence);
  });

  it('parts a body where its header says', () => {
    const body = bytes('{"a":1}xyz');
    expect(splitBody(body, '7')).toEqual({ json: { a: 1 }, rest: bytes('xyz') });
    expect(splitBody(bytes('{"a":1}'), undefined)).toEqual({ json: { a: 1 }, rest: none });
    expect(() => splitBody(body, '70')).toThrow('at most 10 here, got 70');
    expect(() => splitBody(body, '6')).toThrow('must be JSON');
  });

  it('writes JSON, and raw tensors in their order behind it', () => {
    const outputs = [
      { name: 'score', shape: [2], datatype: 'FP32', data: Float32Array.of(1.5, 2) },
      { name: 'is_anomalous', shape: [2], datatype: 'BOOL', data: [true, false] },
      { name: 'decision', shape: [2], datatype: 'BYTES', data: ['normal', 'ö'] },
    ] as const;
    const plain = writeAnswer({ model_name: 'm' }, outputs, () => false);
    expect(JSON.parse(new TextDecoder().decode(plain.body)).outputs.map(({ data }: { data: unknown }) => data)).toEqual(
      [
        [1.5, 2],
        [true, false],
        ['normal', 'ö'],
      ],
    );
    const { body, jsonLength } = writeAnswer({}, outputs, () => true);
    const json = JSON.parse(new TextDecoder().decode(body.subarray(0, jsonLength)));
    const sizes = json.outputs.map(
      ({ parameters }: { parameters: { binary_data_size: number } }) => parameters.binary_data_size,
    );
    expect(sizes).toEqual([8, 2, 4 + 6 + 4 + 2]);
    expect([...body.subarray(jsonLength! + 8, jsonLength! + 10)]).toEqual([1, 0]);
    expect([...body.subarray(jsonLength! + 10, jsonLength! + 15)]).toEqual([6, 0, 0, 0, 'n'.charCodeAt(0)]);
  });
});
