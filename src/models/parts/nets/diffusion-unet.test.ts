import { describe, expect, it } from 'vitest';
import { Rng } from '../../../core/random.ts';
import { sizeOf } from '../../../core/shape.ts';
import { float32, type Tensors } from '../../../core/tensor.ts';
import * as g from '../../../graph/index.ts';
import * as nn from '../../../nn/index.ts';
import { multiplesFor, predictNoise, unetStep } from './diffusion-unet.ts';

/** The network of images `[N, C, H, W]`, traced: no weight has a value. */
function traced(options: { width: number; attention?: number; heads?: number }, shape: readonly (number | string)[]) {
  const trace = new nn.Trace(true);
  const [x, step] = [g.input('x', shape), g.input('step', [shape[0]])];
  const y = predictNoise({ attention: 32, heads: 2, ...options }, trace.group('unet'), x, step);
  return { trace, y };
}
const parametersOf = (trace: nn.Trace) =>
  [...trace.parameters.values()].reduce((n, { spec }) => n + sizeOf(spec.shape), 0);

describe('the U-Net of AnoDDPM', () => {
  // Counted in the official code.
  it.each([
    [64, 32, 6_076_385],
    [64, 64, 24_246_209],
    [128, 32, 6_269_729],
    [128, 64, 25_015_873],
  ])('has the parameters of the official network at %i pixels, width %i', (side, width, parameters) => {
    const { trace, y } = traced({ width }, ['N', 1, side, side]);
    expect(parametersOf(trace)).toBe(parameters);
    expect(y.shape).toEqual(['N', 1, side, side]);
  });

  it.each([
    [32, 131.65],
    [16, 130.33],
  ])('has the published size at 256 pixels, attention from %i pixels on', (attention, millions) => {
    const { trace } = traced({ width: 128, attention }, [1, 1, 256, 256]);
    expect(Number((parametersOf(trace) / 1e6).toFixed(2))).toBe(millions);
  });

  it('takes images of other shapes, whose sides are multiples of its step', () => {
    expect(multiplesFor(32)).toEqual([1, 2, 3, 4]);
    expect([32, 96, 200, 400].map(unetStep)).toEqual([8, 16, 32, 64]);
    expect(traced({ width: 8 }, [2, 3, 40, 64]).y.shape).toEqual([2, 3, 40, 64]);
  });

  it('says "no noise" before it is trained, and something of its own for each item and step after', () => {
    const { trace, y } = traced({ width: 8, heads: 1 }, [2, 1, 16, 16]);
    const rng = new Rng(1);
    const image = rng.split('x').normals(256);
    const run = (steps: readonly number[], trained: boolean) => {
      const feeds: Tensors = { x: float32(Float32Array.of(...image, ...image), [2, 1, 16, 16]), step: float32(steps) };
      for (const { spec } of trace.parameters.values()) {
        const init = trained ? nn.normalInit(0.1) : spec.init;
        feeds[spec.name] = float32(init(spec.shape, rng.split(spec.name), spec.fan), spec.shape);
      }
      return g.evaluate([y], feeds)[0].data as Float32Array;
    };
    expect(run([3, 3], false).every((v) => v === 0)).toBe(true);
    const [same, other] = [run([3, 3], true), run([3, 700], true)];
    expect([...same.slice(0, 256)]).toEqual([...same.slice(256)]);
    expect([...other.slice(0, 256)]).toEqual([...same.slice(0, 256)]);
    expect(Math.max(...other.slice(256).map((v, i) => Math.abs(v - other[i])))).toBeGreaterThan(1e-5);
  });
});
