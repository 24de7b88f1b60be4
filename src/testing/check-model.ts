/** What every model promises, as checks for any test runner: it is fitted with its `tiny` options on made-up items. */
import { Rng } from '../core/random.ts';
import { propertiesOf } from '../core/schema.ts';
import { openDetector } from '../engine/scoring/detector.ts';
import type { AnyModel } from '../models/index.ts';
import { fit } from '../runs/fit.ts';
import { nodePlatform } from '../runs/platform.ts';
import { openRuntime } from '../runtime/index.ts';
import { type Check, must } from './promises.ts';

/** Items about a plane, three of every four normal; anomalies leave the plane. Images in [0, 1]. */
const shapes: Readonly<Record<string, readonly number[]>> = {
  image: [1, 16, 16],
  table: [6],
  series: [12, 2],
  clip: [3, 1, 16, 16],
};

interface Made {
  readonly data: Float32Array;
  readonly shape: readonly number[];
  readonly labels: Uint8Array;
}

function madeUp(kind: string, count: number, anomalous: (i: number) => boolean): Made {
  const item = shapes[kind];
  const size = item.reduce((n, d) => n * d, 1);
  const rng = new Rng(11).split(kind);
  const axes = [0, 1].map((k) => rng.split(k).normals(size));
  const data = new Float32Array(count * size);
  for (let i = 0; i < count; i++) {
    const [a, b] = rng.split('item').split(i).normals(2);
    const noise = rng
      .split('noise')
      .split(i)
      .normals(size, 0, anomalous(i) ? 1.5 : 0.1);
    for (let p = 0; p < size; p++) {
      data[i * size + p] = Math.min(1, Math.max(0, 0.5 + 0.08 * (a * axes[0][p] + b * axes[1][p] + noise[p])));
    }
  }
  return { data, shape: [count, ...item], labels: Uint8Array.from({ length: count }, (_, i) => Number(anomalous(i))) };
}

/** The checks of a model, for each kind of item among its inputs that data can be made up for. */
export function checkModel(model: AnyModel): Check[] {
  const kinds = model.inputs.filter((kind) => kind in shapes);
  return [
    { name: 'describes every option, with defaults', run: () => checkOptions(model) },
    ...kinds.flatMap((kind) => checksOn(model, kind)),
  ];
}

function checkOptions(model: AnyModel): void {
  for (const [key, { description, default: usual }] of Object.entries(propertiesOf(model.config))) {
    must(/\S.*\.$/.test(description ?? ''), `The option ${key} must have a description that ends with a full stop.`);
    must(usual !== undefined, `The option ${key} must have a default.`);
  }
  for (const some of [model.tiny, ...Object.values(model.presets)]) {
    must(
      model.config.safeParse(some).success,
      `Options of tiny and of presets must fit the schema, got ${JSON.stringify(some)}.`,
    );
  }
}

function checksOn(model: AnyModel, kind: string): Check[] {
  const isSupervised = model.learning === 'supervised';
  const training = madeUp(kind, 64, (i) => isSupervised && i % 4 === 3);
  const test = madeUp(kind, 40, (i) => i % 2 === 1);
  const fitted = () =>
    fit(model, training, {
      config: { ...model.tiny },
      device: 'cpu',
      threads: 1,
      ...(isSupervised && { labels: training.labels }),
    });
  const size = training.data.length / 64;
  return [
    {
      name: `on ${kind} items: gives finite scores and maps, alike alone and among others`,
      async run() {
        await using detector = await fitted();
        const all = await detector.score(test.data, 40);
        must([...all.scores, ...all.maps].every(Number.isFinite), 'Scores and maps must be finite.');
        must(new Set(all.scores).size > 1, 'Scores must tell items apart, and all are equal.');
        const alone = await detector.score(test.data.slice(5 * size, 6 * size), 1);
        const difference = Math.abs(alone.scores[0] - all.scores[5]);
        must(
          difference <= 1e-4 * Math.max(1, Math.abs(all.scores[5])),
          `An item must score alone as among others; the difference is ${difference}.`,
        );
      },
    },
    {
      name: `on ${kind} items: gives the same bytes for the same seed`,
      async run() {
        await using first = await fitted();
        await using again = await fitted();
        must(
          first.artifact.info.sha256 === again.artifact.info.sha256,
          'Two fits with one seed must give the same ONNX bytes.',
        );
      },
    },
    {
      name: `on ${kind} items: the file scores on WebAssembly as natively`,
      async run() {
        await using native = await fitted();
        await using portable = await openDetector(native.artifact, await openRuntime('wasm'), nodePlatform());
        const [a, b] = await Promise.all([native, portable].map((one) => one.score(test.data, 40)));
        const worst = a.scores.reduce(
          (most, v, i) => Math.max(most, Math.abs(v - b.scores[i]) / Math.max(1, Math.abs(v))),
          0,
        );
        must(worst < 1e-4, `Scores must agree to 1e-4, the largest difference is ${worst}.`);
      },
    },
  ];
}
