/** Forecasters see nothing of the step that they predict; USAD has its two separate steps. */
import { describe, expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import { stepsBefore } from '../data/pure.ts';
import { gradients } from '../graph/grad.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import { cnnForecaster } from './cnn-forecaster.ts';
import type { AnyModel } from './define.ts';
import { lstmForecaster } from './lstm-forecaster.ts';
import { epochShare, usadLosses, usadPasses } from './parts/fitting/usad.ts';
import { usad } from './usad.ts';

const LENGTH = 21;
const AT = stepsBefore(LENGTH);

/** Outputs of the scoring graph with first weights, for one window of two channels. */
function scored(model: AnyModel, window: Float32Array) {
  const trace = new nn.Trace(false);
  const shape = [1, LENGTH, 2];
  const config = model.config.parse(model.tiny);
  const { score, map, reconstruction } = model.score(config, (group) => trace.group(group), g.input('x', shape));
  const feeds: Tensors = { x: float32(window, shape) };
  for (const { spec } of trace.parameters.values())
    feeds[spec.name] = float32(spec.init(spec.shape, new Rng(2).split(spec.name), spec.fan), spec.shape);
  const [s, m, r] = g.evaluate([score, map, reconstruction!], feeds).map((t) => Array.from(t.data, Number));
  return { score: s[0], map: m, reconstruction: r };
}

describe.each([cnnForecaster, lstmForecaster] as AnyModel[])('$name', (model) => {
  const window = new Rng(1).normals(2 * LENGTH);

  it('predicts a step from the steps before it only', () => {
    const changed = window.map((v, i) => (i >= 2 * AT ? v + 3 : v));
    const [a, b] = [scored(model, window), scored(model, changed)];
    for (const d of [0, 1]) expect(b.reconstruction[2 * AT + d]).toBeCloseTo(a.reconstruction[2 * AT + d], 6);
    const before = window.map((v, i) => (i >= 2 * AT - 2 && i < 2 * AT ? v + 3 : v));
    expect(scored(model, before).reconstruction[2 * AT]).not.toBeCloseTo(a.reconstruction[2 * AT], 6);
  });

  it('scores the squared error of the step, and gives the window with what it expected there', () => {
    const { score, map, reconstruction } = scored(model, window);
    const squares = [0, 1].map((d) => (window[2 * AT + d] - reconstruction[2 * AT + d]) ** 2);
    expect(score).toBeCloseTo((squares[0] + squares[1]) / 2, 5);
    map.forEach((value, i) => {
      expect(value).toBeCloseTo(i >> 1 === AT ? squares[i % 2] : 0, 5);
      if (i >> 1 !== AT) expect(reconstruction[i]).toBe(window[i]);
    });
  });
});

describe('usad', () => {
  /** The gradient of a loss by a weight of the second decoder, with 1/k given. */
  function gradientOf(share: number, lossOf: (passes: ReturnType<typeof usadPasses>) => g.Value): number[] {
    const trace = new nn.Trace(true);
    const items = new Rng(3).uniforms(6 * 24);
    const passes = usadPasses({ code: 12, width: 24 }, (group) => trace.group(group), g.input('x', [6, 24]));
    const loss = lossOf(passes);
    const feeds: Tensors = { x: float32(items, [6, 24]), share: float32(Float32Array.of(share), []) };
    for (const { spec } of trace.parameters.values())
      feeds[spec.name] = float32(spec.init(spec.shape, new Rng(4).split(spec.name), spec.fan), spec.shape);
    const weight = trace.parameters.get('second-decoder.out.weight')!.value;
    return Array.from(g.evaluate(gradients(loss, [weight]), feeds)[0].data, Number);
  }
  const rebuilt = ({ items, second }: ReturnType<typeof usadPasses>) => nn.l2(items, second);
  const adversarial = ({ items, both }: ReturnType<typeof usadPasses>) => nn.l2(items, both);

  it.each([1, 2, 5])('moves the second decoder against the error of W₃ in epoch %i', (k) => {
    const found = gradientOf(1 / k, (passes) => usadLosses(passes, 1 / k).second);
    const [own, other] = [gradientOf(1 / k, rebuilt), gradientOf(1 / k, adversarial)];
    expect(Math.max(...other.map(Math.abs))).toBeGreaterThan(1e-4);
    found.forEach((value, i) => {
      expect(value).toBeCloseTo(own[i] / k - (1 - 1 / k) * other[i], 6);
    });
    const without = own.map((value) => value / k);
    const isAdversarial = found.some((value, i) => Math.abs(value - without[i]) > 1e-5);
    expect(isAdversarial).toBe(k > 1);
  });

  it('has two steps, of which each moves the encoder and a decoder of its own', () => {
    const phases = usad.learns === 'gradient' ? usad.phases(usad.config.parse({}), [12, 2]) : [];
    expect(phases.at(-1)!.phase.steps.map(({ name, updates }) => [name, ...updates])).toEqual([
      ['first', 'encoder', 'first-decoder'],
      ['second', 'encoder', 'second-decoder'],
    ]);
  });

  it('counts epochs by the batches of the first pass, from 1 after the warm-up', () => {
    const trace = new nn.Trace(true);
    const share = epochShare((group) => trace.group(group), 2, true);
    const at = (done: number) =>
      Number(
        g.evaluate([share], {
          'range.batches': float32(Float32Array.of(10), []),
          'epoch.batches': float32(Float32Array.of(done), []),
        })[0].data[0],
      );
    expect([0, 19, 20, 29, 30].map(at)).toEqual([1, 1, 0.5, 0.5, expect.closeTo(1 / 3, 6)]);
  });
});
