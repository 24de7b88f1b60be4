import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { bodyBytes } from './request-body.ts';

/** A request whose body comes in parts. */
const requestOf = (parts: readonly string[], headers = {}) =>
  ({ env: { incoming: Object.assign(Readable.from(parts.map((part) => Buffer.from(part))), { headers }) } }) as never;

describe('the bytes of a request', () => {
  it('are joined so that numbers from a place on lie where numbers may, whatever a header says of that place', async () => {
    for (const aligned of [0, 1, 3, 4, 5, 8, -3, 2.5, 1e300, Number.NaN, Number.POSITIVE_INFINITY]) {
      const body = await bodyBytes(requestOf(['{"a":', '1}', 'numbers']), 100, aligned);
      expect(new TextDecoder().decode(body)).toBe('{"a":1}numbers');
      if (Number.isInteger(aligned) && aligned >= 0 && aligned <= body.length)
        expect(body.subarray(aligned).byteOffset % 8).toBe(0);
    }
  });

  it('are refused beyond a size, by what the head says or by what comes', async () => {
    const problem = { status: 413, code: 'too-large' };
    await expect(bodyBytes(requestOf(['abc', 'def']), 5)).rejects.toMatchObject(problem);
    expect(() => bodyBytes(requestOf([], { 'content-length': '6' }), 5)).toThrow(expect.objectContaining(problem));
    expect([...(await bodyBytes(requestOf(['abc']), 5))]).toEqual([97, 98, 99]);
  });
});
