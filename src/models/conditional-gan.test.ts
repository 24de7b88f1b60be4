/** The conditional GAN: its losses by hand, and the best of all contexts against each by itself. */
import { describe, expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import { conditionalGan } from './conditional-gan.ts';

const shape = [1, 10, 9];
const classes = 3;
const x = float32(new Rng(2).uniforms(4 * 90), [4, ...shape]);
const oneHot = float32(Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0), [4, classes]);

const options = (some: object = {}) => conditionalGan.config.parse({ ...conditionalGan.tiny, ...some });

function phasesOf(config: ReturnType<typeof options>): nn.Phase[] {
  if (conditionalGan.learns !== 'gradient') throw new Error('learns by gradient');
  return conditionalGan.phases(config, shape).map(({ phase }) => phase);
}

/** What a trained model would have, as it is at the start. */
function started(config: ReturnType<typeof options>): Tensors {
  const specs = phasesOf(config).flatMap((phase) => nn.assemble(phase, { shape: [4, ...shape], classes }).specs);
  // Scales and offsets away from 1 and 0, so that no context is like another.
  const moved = (name: string) => (name.includes('running_var') ? nn.onesInit : nn.normalInit(0.3));
  return nn.initialize(
    specs.map((spec) => ({ ...spec, init: spec.shape.length > 1 ? nn.fanInUniform : moved(spec.name) })),
    new Rng(3),
  );
}

describe.each(['strided', 'mirza-2014'])('%s', (network) => {
  const config = options({ network });
  const tensors = started(config);

  function scored(context: number): { scores: number[]; map: number[]; reconstruction: number[] } {
    const trace = new nn.Trace(false, tensors);
    const { score, map, reconstruction } = conditionalGan.score(
      { ...config, context },
      (group) => trace.group(group),
      g.input('x', ['N', ...shape]),
    );
    const values = g.evaluate([score, map, reconstruction!], { ...tensors, x });
    const [scores, maps, images] = values.map((t) => Array.from(t.data, Number));
    expect(values.map((t) => t.shape)).toEqual([[4], [4, 1, 10, 9], [4, ...shape]]);
    return { scores, map: maps, reconstruction: images };
  }

  it('scores by the best drawing of all contexts, and shows that one', () => {
    const each = Array.from({ length: classes }, (_, context) => scored(context));
    const all = scored(-1);
    all.scores.forEach((score, i) => {
      const best = each.reduce((a, b) => (b.scores[i] < a.scores[i] ? b : a));
      expect(score).toBeCloseTo(best.scores[i], 6);
      const part = (values: number[]) => values.slice(90 * i, 90 * (i + 1));
      part(all.reconstruction).forEach((v, k) => {
        expect(v).toBeCloseTo(part(best.reconstruction)[k], 5);
        expect(part(all.map)[k]).toBeCloseTo(Math.abs(v - Number(x.data[90 * i + k])), 5);
      });
      // mean (x − x̂)² in [−1, 1]
      expect(score).toBeCloseTo((4 * part(all.map).reduce((n, v) => n + v * v, 0)) / 90, 4);
    });
    expect(new Set(each.map(({ scores }) => scores[0].toFixed(6))).size).toBe(classes);
  });

  it('refuses a context that it was not trained with', () => {
    expect(() => scored(classes)).toThrow(expect.objectContaining({ code: 'unknown-context' }));
  });

  it('has the losses of a GAN on logits', () => {
    const [gan] = phasesOf(config);
    const at = (index: number, name: string) => {
      const trace = new nn.Trace(true);
      const result = gan.steps[index].loss({
        net: (group) => trace.group(group),
        x: g.input('x', x.shape),
        classes: g.input('classes', oneHot.shape),
        labels: g.input('labels', [4]),
        draw: (_, { shape: size }) => g.input('z', size),
      });
      const { loss, metrics, watch } = nn.partsOf(result);
      const seen = { ...metrics, generated: watch.generated && nn.spread(watch.generated) };
      const draws = [...trace.draws.values()].map(({ draw, value }, i): [string, Tensors[string]] => [
        String(value.node.attributes.name),
        float32(new Rng(7 + i).uniforms(draw.shape.reduce((n, d) => n * d, 1)), draw.shape),
      ]);
      const z = float32(new Rng(5).uniforms(4 * config.latent), [4, config.latent]);
      const feeds = { ...tensors, ...Object.fromEntries(draws), x, z, classes: oneHot };
      return g.evaluate([loss, seen[name as keyof typeof seen]!], feeds).map((t) => Number(t.data[0]));
    };
    const [loss, real] = at(0, 'real');
    const [, fake] = at(0, 'fake');
    // −mean log p is at least −log mean p (Jensen), and not far from it.
    expect(loss).toBeGreaterThan(-Math.log(real) - Math.log(1 - fake));
    expect(at(1, 'generated')[0]).toBeGreaterThan(0);
    expect(at(1, 'generated')[1]).toBeGreaterThan(0);
  });
});

it('moves one network per step', () => {
  const moved = phasesOf(options()).map((phase) => phase.steps.map(({ updates }) => updates));
  expect(moved).toEqual([[['discriminator'], ['generator']], [['encoder']]]);
});
