import { describe, expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import { assemble, initialize } from '../nn/training.ts';
import { paano } from './paano.ts';
import { embed, unitLength } from './parts/nets/patch-embedding.ts';

const shape = [20, 2];
const windows = new Rng(1).normals(6 * 40);
const options = paano.config.parse({ width: 4, bank: 5, neighbours: 1 });
const phases = paano.learns === 'gradient' ? paano.phases(options, shape) : [];

/** First weights of the encoder. */
function weights(): Tensors {
  const trace = new nn.Trace(false);
  embed(4, trace.group('encoder'), g.input('x', [6, 16, 2]));
  const specs = [...trace.parameters.values(), ...trace.buffers.values()].map(({ spec }) => spec);
  return initialize(specs, new Rng(2));
}

/** Embeddings of the windows without two steps at either end. */
function embeddings(): number[] {
  const trace = new nn.Trace(false);
  const x = g.constant(float32(windows, [6, ...shape]));
  const codes = unitLength(embed(4, trace.group('encoder'), g.slice(x, { 1: [2, 18] })));
  return Array.from(g.evaluate([codes], weights())[0].data, Number);
}

describe('paano', () => {
  it('has a pass behind the training that is as long as the bank needs', () => {
    expect(phases.map(({ phase, mostPerEpoch }) => [phase.name, mostPerEpoch])).toEqual([
      ['fit', 200],
      ['bank', 1],
    ]);
    const [moves, fills] = phases.map(({ phase }) => assemble(phase, { shape: [4, ...shape] }));
    expect([...new Set(moves.trained.map(({ name }) => name.split('.')[0]))].sort()).toEqual(['encoder', 'projection']);
    expect(fills.trained).toEqual([]);
  });

  it('scores 0 where the bank has the window itself, and 1 where it is empty', () => {
    const codes = embeddings();
    const trace = new nn.Trace(false);
    const x = g.constant(float32(windows, [6, ...shape]));
    const { score, map } = paano.score(options, (group) => trace.group(group), x);
    const scoresWith = (bank: number[]) => {
      const feeds = { ...weights(), 'bank.codes': float32(Float32Array.from(bank), [5, 2]) };
      return g.evaluate([score, map], feeds).map((t) => Array.from(t.data, Number));
    };
    const [own, maps] = scoresWith(codes.slice(0, 10));
    for (const s of own.slice(0, 5)) expect(s).toBeCloseTo(0, 5);
    expect(Math.min(...maps)).toBeGreaterThanOrEqual(0);
    for (const s of scoresWith(new Array(10).fill(0))[0]) expect(s).toBeCloseTo(1, 5);
  });
});
