import { expect, test } from 'vitest';
import { float32 } from '../core/tensor.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import { random } from './random.ts';

test('equal items get scores of their own, spread over [0, 1)', () => {
  const [count, width] = [1000, 3];
  const x = g.input('x', ['N', width]);
  const { score } = random.score(random.config.parse({}), (group) => new nn.Trace(false).group(group), x);
  const [found] = g.evaluate([score], { x: float32(new Float32Array(count * width).fill(0.5), [count, width]) });
  const values = Array.from(found.data, Number);
  expect(new Set(values).size).toBeGreaterThan(990);
  for (const v of values) expect(v >= 0 && v < 1).toBe(true);
  const mean = values.reduce((a, b) => a + b, 0) / count;
  expect(Math.abs(mean - 0.5)).toBeLessThan(4 / Math.sqrt(12 * count));
});
