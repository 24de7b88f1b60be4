/**
 * Imported networks against ONNX Runtime on the original bytes: every operator that `importOnnx` reads in the forms that
 * files have, then two real files at every layer. What was compared is printed at the end.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { float32, int64, type Tensor, type Tensors } from '../../dist/core/tensor.js';
import { dataRoot, decodeImage, fitImage } from '../../dist/data/index.js';
import * as g from '../../dist/graph/index.js';
import { importedOps } from '../../dist/graph/onnx/import-ops.js';
import { openRuntime, type Runtime } from '../../dist/runtime/index.js';

type Attributes = g.OnnxNode['attributes'];

/** A node `y` of input `x` (and constants), in an operator set. */
interface Case {
  readonly op: string;
  /** The shape of x; the batch is declared as 1. */
  readonly x: readonly number[];
  readonly constants?: Readonly<Record<string, Tensor>>;
  /** By default x and all constants in order. */
  readonly inputs?: readonly string[];
  /** By default y alone. */
  readonly outputs?: readonly string[];
  readonly attributes?: Attributes;
  readonly opset?: number;
}

const rng = new Rng(1);
const random = (...shape: number[]): Tensor => float32(rng.normals(shape.reduce((n, d) => n * d, 1)), shape);
const positive = (n: number): Tensor => float32(Float32Array.from(rng.uniforms(n), (v) => v + 0.1));

const square = (n: number) => ({ ints: [n, n] });
const image = [2, 4, 9, 10];
const kernel = { w: random(6, 4, 3, 3), b: random(6) };
const same = (mode: string): Attributes => ({ auto_pad: { s: mode }, strides: square(2) });
const window = (more: Attributes): Attributes => ({ kernel_shape: square(3), strides: square(2), ...more });
const padded = { pads: { ints: [1, 0, 1, 2] } };
const ceil = { ceil_mode: { i: 1 } };
const resized = (mode: string, centres: string, rounding?: string): Attributes => ({
  mode: { s: mode },
  coordinate_transformation_mode: { s: centres },
  ...(rounding && { nearest_mode: { s: rounding } }),
});
const twice = { roi: float32([]), scales: float32([1, 1, 2, 2]) };

const cases: readonly Case[] = [
  { op: 'Conv', x: image, constants: kernel, attributes: { strides: { ints: [2, 1] }, pads: { ints: [1, 0, 2, 1] } } },
  { op: 'Conv', x: image, constants: { w: random(6, 2, 3, 3) }, attributes: { group: { i: 2 }, dilations: square(2) } },
  {
    op: 'Conv',
    x: image,
    constants: { w: random(8, 1, 3, 3) },
    attributes: { group: { i: 4 }, pads: { ints: [1, 1, 1, 1] } },
  },
  { op: 'Conv', x: image, constants: kernel, attributes: same('SAME_UPPER') },
  { op: 'Conv', x: image, constants: kernel, attributes: same('SAME_LOWER') },
  {
    op: 'Conv',
    x: image,
    constants: { w: random(6, 4, 4, 2) },
    attributes: { ...same('SAME_UPPER'), strides: square(1) },
  },
  { op: 'Conv', x: image, constants: kernel, attributes: same('VALID') },
  {
    op: 'Conv',
    x: [2, 4, 20],
    constants: { w: random(3, 4, 5), b: random(3) },
    attributes: { strides: { ints: [3] } },
  },
  { op: 'Relu', x: image },
  { op: 'LeakyRelu', x: image },
  { op: 'LeakyRelu', x: image, attributes: { alpha: { f: 0.3 } } },
  { op: 'Sigmoid', x: image },
  { op: 'Tanh', x: image },
  { op: 'Clip', x: image, opset: 7, attributes: { min: { f: 0 }, max: { f: 0.5 } } },
  { op: 'Clip', x: image, constants: { low: float32(-0.5), high: float32(0.5) } },
  { op: 'Clip', x: image, constants: { high: float32(0.5) }, inputs: ['x', '', 'high'] },
  { op: 'MaxPool', x: image, attributes: window({}) },
  { op: 'MaxPool', x: image, attributes: window(padded) },
  { op: 'MaxPool', x: image, attributes: window(ceil) },
  { op: 'MaxPool', x: image, attributes: window({ ...padded, ...ceil }) },
  { op: 'MaxPool', x: image, attributes: window({ auto_pad: { s: 'SAME_UPPER' } }) },
  { op: 'MaxPool', x: [2, 4, 21], attributes: { kernel_shape: { ints: [4] }, strides: { ints: [3] } } },
  { op: 'AveragePool', x: image, attributes: window({}) },
  { op: 'AveragePool', x: image, attributes: window(padded) },
  { op: 'AveragePool', x: image, attributes: window({ ...padded, count_include_pad: { i: 1 } }) },
  { op: 'AveragePool', x: image, attributes: window(ceil) },
  { op: 'AveragePool', x: image, attributes: window({ ...padded, ...ceil }) },
  { op: 'AveragePool', x: image, attributes: window({ auto_pad: { s: 'SAME_LOWER' } }) },
  { op: 'AveragePool', x: image, opset: 19, attributes: window({ ...padded, ...ceil, count_include_pad: { i: 1 } }) },
  { op: 'GlobalAveragePool', x: image },
  {
    op: 'BatchNormalization',
    x: image,
    constants: { scale: random(4), shift: random(4), mean: random(4), variance: positive(4) },
    attributes: { epsilon: { f: 1e-3 } },
  },
  ...['Add', 'Sub', 'Mul', 'Div'].map((op) => ({ op, x: image, constants: { other: random(4, 1, 1) } })),
  { op: 'Sub', x: image, constants: { other: random(1, 10) }, inputs: ['other', 'x'] },
  { op: 'Add', x: image, inputs: ['x', 'x'] },
  { op: 'Sum', x: image, constants: { a: random(4, 1, 1), b: random(10) } },
  { op: 'Concat', x: image, inputs: ['x', 'x'], attributes: { axis: { i: -1 } } },
  { op: 'Concat', x: image, inputs: ['x', 'x', 'x'], attributes: { axis: { i: 1 } } },
  ...['Cos', 'Erf', 'Exp', 'Neg', 'Sin'].map((op) => ({ op, x: image })),
  { op: 'Pow', x: image, constants: { power: float32(2) } },
  { op: 'Sqrt', x: image },
  { op: 'Gelu', x: image, opset: 20 },
  { op: 'LayerNormalization', x: [2, 5, 8], constants: { scale: random(8), bias: random(8) } },
  {
    op: 'LayerNormalization',
    x: [2, 5, 8],
    constants: { scale: random(5, 8) },
    attributes: { axis: { i: 1 }, epsilon: { f: 1e-3 } },
  },
  { op: 'ReduceMean', x: image, attributes: { axes: { ints: [-1] } } },
  { op: 'ReduceMean', x: image, opset: 18, constants: { axes: int64([2, 3]) }, attributes: { keepdims: { i: 0 } } },
  { op: 'Slice', x: image, constants: { starts: int64([1, -4]), ends: int64([2 ** 31, -1]), axes: int64([2, -1]) } },
  { op: 'Slice', x: image, opset: 9, attributes: { starts: { ints: [1] }, ends: { ints: [3] }, axes: { ints: [1] } } },
  { op: 'Gather', x: image, constants: { at: int64([2, 0, -1]) }, attributes: { axis: { i: 1 } } },
  {
    op: 'Gather',
    x: image,
    constants: { at: { dtype: 'int64', shape: [], data: BigInt64Array.of(2n) } },
    attributes: { axis: { i: 3 } },
  },
  { op: 'Squeeze', x: [2, 1, 5, 1], constants: { axes: int64([-1]) } },
  { op: 'Unsqueeze', x: [2, 5], constants: { axes: int64([0, -1]) } },
  { op: 'Unsqueeze', x: [2, 5], opset: 11, attributes: { axes: { ints: [2] } } },
  { op: 'Expand', x: [2, 1, 5], constants: { shape: int64([3, 5]) } },
  { op: 'Split', x: image, constants: { sizes: int64([1, 3]) }, attributes: { axis: { i: 1 } }, outputs: ['y', 'z'] },
  { op: 'Split', x: image, opset: 18, attributes: { axis: { i: 2 }, num_outputs: { i: 2 } }, outputs: ['z', 'y'] },
  { op: 'Flatten', x: image },
  { op: 'Flatten', x: image, attributes: { axis: { i: -2 } } },
  { op: 'Reshape', x: image, constants: { shape: int64([0, 2, -1]) } },
  { op: 'Reshape', x: image, constants: { shape: int64([-1, 360]) } },
  { op: 'Gemm', x: [2, 5], constants: { w: random(5, 3), c: random(3) } },
  {
    op: 'Gemm',
    x: [2, 5],
    constants: { w: random(3, 5), c: random(1, 3) },
    attributes: { transB: { i: 1 }, alpha: { f: 0.5 }, beta: { f: 2 } },
  },
  { op: 'Gemm', x: [2, 5], constants: { w: random(2, 3) }, attributes: { transA: { i: 1 } } },
  { op: 'MatMul', x: [2, 3, 5], constants: { w: random(5, 4) } },
  { op: 'Softmax', x: image, opset: 11 },
  { op: 'Softmax', x: image, opset: 11, attributes: { axis: { i: 2 } } },
  { op: 'Softmax', x: image, attributes: { axis: { i: 1 } } },
  { op: 'Softmax', x: image },
  { op: 'Dropout', x: image, opset: 7, attributes: { ratio: { f: 0.5 } } },
  { op: 'Dropout', x: image, constants: { ratio: float32(0.5) } },
  { op: 'Identity', x: image },
  { op: 'Pad', x: image, constants: { pads: int64([0, 1, 2, 0, 0, 0, 1, 3]), value: float32(0.5) } },
  { op: 'Pad', x: image, opset: 7, attributes: { pads: { ints: [0, 0, 1, 1, 0, 0, 1, 1] }, value: { f: -1 } } },
  { op: 'Transpose', x: image },
  { op: 'Transpose', x: image, attributes: { perm: { ints: [0, 2, 3, 1] } } },
  { op: 'Upsample', x: image, opset: 7, attributes: { mode: { s: 'nearest' }, scales: { floats: [1, 1, 2, 3] } } },
  { op: 'Upsample', x: image, opset: 9, constants: { scales: float32([1, 1, 2, 3]) } },
  { op: 'Resize', x: image, opset: 10, constants: { scales: float32([1, 1, 3, 2]) } },
  { op: 'Resize', x: image, constants: twice },
  { op: 'Resize', x: image, constants: twice, attributes: resized('nearest', 'asymmetric', 'floor') },
  { op: 'Resize', x: image, constants: twice, attributes: resized('linear', 'half_pixel') },
  { op: 'Resize', x: image, constants: twice, attributes: resized('linear', 'pytorch_half_pixel') },
  {
    op: 'Resize',
    x: image,
    constants: { sizes: int64([2, 4, 7, 13]) },
    inputs: ['x', '', '', 'sizes'],
    attributes: resized('linear', 'half_pixel'),
  },
];

function modelOf({ op, x, constants = {}, inputs, outputs = ['y'], attributes = {}, opset = 17 }: Case): g.OnnxModel {
  const names = inputs ?? ['x', ...Object.keys(constants)];
  return {
    irVersion: 8,
    opsets: [{ domain: '', version: opset }],
    producer: 'test',
    producerVersion: '',
    metadata: {},
    graph: {
      name: 'main',
      nodes: [{ op, inputs: [...names], outputs: [...outputs], attributes }],
      inputs: [{ name: 'x', dtype: 'float32', shape: x }],
      outputs: [{ name: 'y', dtype: 'float32' }],
      initializers: Object.entries(constants).map(([name, tensor]) => ({ name, tensor })),
    },
  };
}

/** The taps of a model as a program of ours, for any batch. */
function imported(model: g.OnnxModel, shape: readonly (number | string)[], taps: readonly string[]): g.Program {
  const tensors = g.tensorsNeeded(model, taps);
  const x = g.input('x', shape);
  const values = g.importOnnx(model, x, taps, (name) => g.constant(tensors[name]));
  return { name: 'imported', outputs: Object.fromEntries(values.map((v, i) => [`y${i}`, v])), carry: {} };
}

/** Largest difference of two tensors, as a part of the largest value. */
function relativeDifference(ours: ArrayLike<number>, theirs: ArrayLike<number>): number {
  let [difference, scale] = [0, 0];
  for (let i = 0; i < theirs.length; i++) {
    difference = Math.max(difference, Math.abs(ours[i] - theirs[i]));
    scale = Math.max(scale, Math.abs(theirs[i]));
  }
  return difference / scale;
}

const lines: string[] = [];
let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime('cpu', { threads: 1 });
});
afterAll(async () => {
  await runtime.close();
  process.stdout.write(`Imported ONNX against ONNX Runtime, relative difference:\n${lines.join('\n')}\n`);
});

async function runOnce(
  open: Promise<{ run(feeds: Tensors): Promise<Tensors>; close(): Promise<void> }>,
  feeds: Tensors,
) {
  const session = await open;
  try {
    return await session.run(feeds);
  } finally {
    await session.close();
  }
}

describe('operators', () => {
  it('have a case each', () => {
    // Constant is in the unit tests: without an input there is nothing to feed.
    const proved = new Set([...cases.map((c) => c.op), 'Constant']);
    expect([...importedOps.keys()].filter((op) => !proved.has(op))).toEqual([]);
  });

  it.each(cases.map((c, i) => [`${c.op} ${i} (operator set ${c.opset ?? 17})`, c] as const))('%s', async (label, c) => {
    const drawn = random(...c.x);
    const x = c.op === 'Sqrt' ? float32((drawn.data as Float32Array).map(Math.abs), c.x) : drawn;
    const model = modelOf(c);
    const { y } = await runOnce(runtime.open(g.encodeModel(model).model), { x });
    const { y0 } = await runOnce(runtime.compile(imported(model, c.x, ['y'])), { x });
    expect(y0.shape).toEqual(y.shape);
    const difference = relativeDifference(y0.data as Float32Array, y.data as Float32Array);
    lines.push(`  ${label}: ${difference.toExponential(1)}`);
    expect(difference).toBeLessThan(1e-6);
  });
});

const weights = join(dataRoot(), 'weights', 'onnx');
const photos = join(dataRoot(), 'photos');
const native = await import('onnxruntime-node').then(
  (m) => m.default,
  () => undefined,
);
const missing = existsSync(weights) && existsSync(photos) ? '' : `weights/onnx and photos in ${dataRoot()}`;
const lacking = missing || (native ? '' : 'onnxruntime-node');

/** Every tap of a file in the order of its nodes. */
const tapsOf = (model: g.OnnxModel) => model.graph.nodes.map((node) => node.outputs[0]);

/** The file with its numbers widened to float32, as `decodeModel` gives it, and every tap an output. */
function widened(model: g.OnnxModel, taps: readonly string[]): Uint8Array {
  const inputs = model.graph.inputs.map((v) => (v.dtype === 'float16' ? { ...v, dtype: 'float32' as const } : v));
  const outputs = taps.map((name) => ({ name, dtype: 'float32' as const }));
  const initializers = model.graph.initializers.map(({ name, tensor }) => ({ name, tensor }));
  return g.encodeModel({ ...model, graph: { ...model.graph, inputs, outputs, initializers } }).model;
}

/** The largest relative difference over all taps, and where. */
function largest(ours: Tensors, theirs: Tensors, taps: readonly string[]): { difference: number; tap: string } {
  let worst = { difference: 0, tap: taps[0] };
  taps.forEach((tap, i) => {
    const difference = relativeDifference(ours[`y${i}`].data as Float32Array, theirs[tap].data as Float32Array);
    if (!(difference <= worst.difference)) worst = { difference, tap };
  });
  return worst;
}

/** Bits of the nearest half-precision number. */
function toHalf(v: number): number {
  const sign = v < 0 ? 0x8000 : 0;
  const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(v) || 1e-9)));
  const units = Math.round(Math.abs(v) / 2 ** (exponent - 10)); // 1024 and more: a normal number
  return sign | (units < 1024 ? units : ((exponent + 14) << 10) + units);
}
const fromHalf = (h: number) => {
  const [exponent, fraction] = [(h >> 10) & 31, h & 1023];
  const size = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  return h & 0x8000 ? -size : size;
};
/** Half-precision numbers as onnxruntime takes them: newer JavaScript has an array type of its own. */
const halves = (bits: Uint16Array) => {
  const Own = (globalThis as { Float16Array?: new (b: ArrayBufferLike) => Uint16Array }).Float16Array;
  return Own ? new Own(bits.buffer) : bits;
};

/** A photo as the networks were trained: shorter side 256, the middle 224 x 224, RGB planes of 0..255. */
async function photo(file: string): Promise<Float32Array> {
  const image = await decodeImage(new Uint8Array(readFileSync(join(photos, file))), file);
  const scale = 256 / Math.min(image.height, image.width);
  const [height, width] = [Math.round(image.height * scale), Math.round(image.width * scale)];
  const planes = fitImage(image, [3, height, width]);
  const [top, left] = [(height - 224) >> 1, (width - 224) >> 1];
  return Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => {
    const [c, y, x] = [Math.floor(i / 224 ** 2), Math.floor(i / 224) % 224, i % 224];
    return planes[(c * height + top + y) * width + left + x];
  });
}

describe.skipIf(lacking !== '')(`real files${lacking && ` (skipped: without ${lacking})`}`, () => {
  const read = (file: string) => readFileSync(join(weights, file));

  it('mnist_cntk: all layers, a batch of three where the file fixes one', async () => {
    const bytes = read('mnist_cntk.onnx');
    const model = g.decodeModel(bytes);
    const taps = tapsOf(model).filter((tap) => tap !== 'Parameter193_reshape1');
    const x = random(3, 1, 28, 28);
    const ours = await runOnce(runtime.compile(imported(model, ['N', 1, 28, 28], taps)), { x });
    const theirs = await runtime.open(widened(model, taps));
    const original = await native!.InferenceSession.create(bytes);
    let [layers, end] = [0, 0];
    for (let n = 0; n < 3; n++) {
      const part = (t: Tensor): Tensor => {
        const size = t.data.length / 3;
        return { ...t, shape: [1, ...t.shape.slice(1)], data: t.data.slice(n * size, (n + 1) * size) };
      };
      const mine = Object.fromEntries(Object.entries(ours).map(([name, t]) => [name, part(t)]));
      layers = Math.max(layers, largest(mine, await theirs.run({ Input3: part(x) }), taps).difference);
      const { Plus214_Output_0: logits } = await original.run({
        Input3: new native!.Tensor('float32', part(x).data as Float32Array, [1, 1, 28, 28]),
      });
      const last = mine[`y${taps.length - 1}`].data as Float32Array;
      end = Math.max(end, relativeDifference(last, logits.data as Float32Array));
    }
    await Promise.all([theirs.close(), original.release()]);
    lines.push(
      `  mnist_cntk.onnx: ${layers.toExponential(1)} over ${taps.length} taps, ${end.toExponential(1)} at the end`,
    );
    expect(layers).toBeLessThan(1e-5);
    expect(end).toBeLessThan(1e-5);
  });

  it('SqueezeNet 1.1 in half precision: all layers, and what is on the photos', async () => {
    const bytes = read('SqueezeNet1_1_caffe2_fp16.onnx');
    const model = g.decodeModel(bytes);
    const taps = tapsOf(model);
    expect(Object.values(g.tensorsNeeded(model, taps)).reduce((n, t) => n + t.data.length, 0)).toBe(1_235_496);
    // File, and the class of weights/EVIDENCE.md.
    const known: [string, number][] = [
      ['cat.bmp', 285],
      ['parrot.jpg', 88],
      ['winml_dog.jpg', 207],
      ['winml_hummingbird.jpg', 94],
      ['hot_dog.jpg', 934],
      ['sunflower.bmp', 309],
    ];
    const labels = readFileSync(join(weights, '..', 'imagenet_labels_1001.txt'), 'utf8').split('\n');
    const ours = await runtime.compile(imported(model, ['N', 3, 224, 224], taps));
    const theirs = await runtime.open(widened(model, taps));
    const original = await native!.InferenceSession.create(bytes);
    let [worst, end] = [{ difference: 0, tap: '' }, 0];
    for (const [file, label] of known) {
      const planes = await photo(file);
      const mean = [103.939, 116.779, 123.68];
      // BGR, rounded as the file's own input is.
      const bits = Uint16Array.from(planes, (_, i) => {
        const c = Math.floor(i / 224 ** 2);
        return toHalf(planes[i + (2 - 2 * c) * 224 ** 2] - mean[c]);
      });
      const x = float32(Float32Array.from(bits, fromHalf), [1, 3, 224, 224]);
      const mine = await ours.run({ x });
      const here = largest(mine, await theirs.run({ data_0: x }), taps);
      if (here.difference > worst.difference) worst = here;
      const { softmaxout_1 } = await original.run({
        data_0: new native!.Tensor('float16', halves(bits) as Uint16Array, [1, 3, 224, 224]),
      });
      const raw = softmaxout_1.data as Uint16Array;
      const probabilities = Float32Array.from(new Uint16Array(raw.buffer, raw.byteOffset, raw.length), fromHalf);
      const last = mine[`y${taps.length - 1}`].data as Float32Array;
      end = Math.max(end, relativeDifference(last, probabilities));
      const top = last.indexOf(Math.max(...last));
      lines.push(
        `  ${file}: ${labels[top + 1]} ${last[top].toFixed(3)}, in half precision ${probabilities[top].toFixed(3)}`,
      );
      expect(top, file).toBe(label);
    }
    await Promise.all([ours.close(), theirs.close(), original.release()]);
    lines.push(
      `  SqueezeNet1_1_caffe2_fp16.onnx: ${worst.difference.toExponential(1)} over ${taps.length} taps (at ${worst.tap}) ` +
        `with its numbers widened, ${end.toExponential(1)} at the end against the file itself`,
    );
    expect(worst.difference).toBeLessThan(1e-5);
    // A half has 11 bits: 5e-4 for the last rounding, more where the runtime computes in halves.
    expect(end).toBeLessThan(1e-2);
  });
});
