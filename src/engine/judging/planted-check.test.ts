import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Event } from '../../core/events.ts';
import { Rng } from '../../core/random.ts';
import { valuesSource } from '../../data/pure.ts';
import { input } from '../../graph/leaf.ts';
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import { findModel } from '../../models/index.ts';
import { openRuntime, type Runtime } from '../../runtime/index.ts';
import type { Platform } from '../platform.ts';
import type { Task } from '../task/task.ts';
import { checkPlanted } from './planted-check.ts';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime('reference');
});
afterAll(() => runtime?.close());

async function checked(scoreOf: (x: Value) => Value, label = 0) {
  const rng = new Rng(4);
  const values = Float32Array.from(rng.normals(120 * 3));
  const labels = new Uint8Array(120);
  labels[119] = label;
  const source = await valuesSource({ kind: 'table', shape: [3], values, labels, name: 'made' });
  const numbers = (from: number, to: number) => Uint32Array.from({ length: to - from }, (_, i) => from + i);
  const split = {
    train: numbers(0, 80),
    trainLabels: new Uint8Array(80),
    validation: numbers(0, 0),
    contaminants: numbers(0, 0),
    test: numbers(80, 120),
    testLabels: labels.subarray(80),
  };
  const task = { source, split, rng } as unknown as Task;
  const x = input('row', ['N', 3]);
  const session = await runtime.compile({ name: 'scores', outputs: { score: scoreOf(x), map: x }, carry: {} });
  const events: Event[] = [];
  const open = { runtime, platform: {} as Platform, onEvent: (event: Event) => events.push(event) };
  const found = await checkPlanted(session, task, findModel('knn'), open);
  await session.close();
  return { found, codes: events.flatMap((event) => (event.type === 'warning' ? [event.code] : [])) };
}

const length = (x: Value) => g.reduceSum(g.square(x), { axes: [1] });

describe('a detector that no labelled anomaly tests', () => {
  it('is told where it ranks made-up outliers below normal rows', async () => {
    const { found, codes } = await checked((x) => g.neg(length(x)));
    expect(found!.figure).toBeLessThan(0.5);
    expect(codes).toEqual(['worse-than-chance']);
  });

  it('is told where the mean row does better, and not where it does as well', async () => {
    const noise = (x: Value) => g.sin(g.mul(g.reduceSum(x, { axes: [1] }), 1000));
    const { found, codes } = await checked((x) => g.add(noise(x), g.mul(length(x), 0.04)));
    expect(found!.figure).toBeGreaterThan(0.5);
    expect(codes).toEqual(['worse-than-baseline']);
    expect((await checked(length)).codes).toEqual([]);
  });

  it('is not looked at where anomalies are labelled', async () => {
    expect((await checked(length, 1)).found).toBeUndefined();
  });
});
