/**
 * The contract of every operator: a legal graph, first and second gradients against central differences in float64, and
 * every ONNX form on cpu and wasm (and a few on webgpu) against the reference in float32, gradients' graphs included.
 * The list of what was proved is printed at the end.
 */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import type { Tensor, Tensors } from '../../dist/core/tensor.js';
import type { Node, Value } from '../../dist/graph/index.js';
import * as g from '../../dist/graph/index.js';
import type { Target } from '../../dist/graph/op.js';
import { openRuntime, type Runtime } from '../../dist/runtime/index.js';
import { type Case, cases, formsOf } from './operator-cases.ts';

// A Vulkan device in software, as Debian's chromium ships it. The loader must be found when the process starts: install
// libvulkan1, or start with LD_LIBRARY_PATH=/usr/lib/chromium.
const swiftshader = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (existsSync(swiftshader)) process.env.VK_ICD_FILENAMES ??= swiftshader;

/** Leaves have no input to differentiate. */
const exempt = ['input', 'constant'];

/** A case as graphs: values y, gradients of Σ y·r, and gradients of Σ gradient·q, with r and q fixed random numbers. */
interface Subject {
  name: string;
  feeds: Tensors;
  values: Value[];
  loss?: Value;
  first: Value[];
  slope?: Value;
  second: Value[];
  /** Names of the inputs that `first` and `second` belong to. */
  firstOf: string[];
  secondOf: string[];
}

const isFloat = (v: { dtype: string }) => v.dtype === 'float32';

let count = 0;
/** Inputs get names of their own, so that the cases of an operator make one program together. */
function subject(operator: string, { label, inputs, build }: Case): Subject {
  const rng = new Rng(1).split(operator).split(label);
  const at = `${count++}`;
  const feeds: Tensors = {};
  const values: Record<string, Value> = {};
  for (const [name, make] of Object.entries(inputs)) {
    const data = make(rng.split(name));
    feeds[`${at}.${name}`] = data;
    const shape = make.symbolic ? [`N${at}`, ...data.shape.slice(1)] : data.shape;
    values[name] = g.input(`${at}.${name}`, shape, data.dtype);
  }
  const built = build(values);
  const outputs = Array.isArray(built) ? [...built] : [built as Value];
  /** Σ v·weights over several values, the weights being inputs. */
  const project = (list: readonly Value[], prefix: string): { sum?: Value; weights: Value[] } => {
    const floats = list.filter(isFloat);
    const sizes = g.evaluate([...floats, ...outputs], feeds).map((t) => t.shape);
    const weights = floats.map((v, i) => {
      const name = `${at}.${prefix}${i}`;
      const shape = sizes[i] as number[];
      const size = shape.reduce((n, d) => n * d, 1);
      feeds[name] = { dtype: 'float32', shape, data: rng.split(prefix + i).normals(size) };
      return g.input(name, v.shape);
    });
    const terms = floats.map((v, i) => g.reduceSum(g.mul(v, weights[i])));
    return { sum: terms.length > 0 ? terms.reduce((a, b) => g.add(a, b)) : undefined, weights };
  };
  const { sum: loss, weights } = project(outputs, 'r');
  const wrt = Object.entries(values).filter(([name, v]) => isFloat(v) && !inputs[name].frozen);
  const firstOf = wrt.map(([name]) => `${at}.${name}`);
  const first =
    loss && wrt.length > 0
      ? g.gradients(
          loss,
          wrt.map(([, v]) => v),
        )
      : [];
  const { sum: slope } = project(first, 'q');
  const secondWrt = [...wrt.map(([, v]) => v), ...weights];
  const secondOf = [...firstOf, ...weights.map((w) => w.node.attributes.name as string)];
  const second = slope ? g.gradients(slope, secondWrt) : [];
  return { name: `${operator}, ${label}`, feeds, values: outputs, loss, first, slope, second, firstOf, secondOf };
}

const subjects = new Map<string, Subject[]>();
for (const [operator, list] of Object.entries(cases)) {
  subjects.set(
    operator,
    list.map((one) => subject(operator, one)),
  );
}

const everything = (s: Subject): Value[] => [...s.values, ...s.first, ...s.second];

const numbers = (t: Tensor): number[] => Array.from(t.data as Float32Array, Number);
const largest = (data: readonly number[]) => data.reduce((m, v) => Math.max(m, Math.abs(v)), 0);

/** The largest difference, relative to the largest value. */
function difference(actual: Tensor, expected: Tensor): number {
  expect(actual.shape).toEqual(expected.shape);
  const gaps = numbers(actual).map((v, i) => v - Number(expected.data[i]));
  if (gaps.some(Number.isNaN)) return Number.POSITIVE_INFINITY;
  return largest(gaps) / Math.max(0.1, largest(numbers(expected)));
}

const widened = (feeds: Tensors): Tensors =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, t]) => [
      name,
      isFloat(t) ? { ...t, dtype: 'float64', data: Float64Array.from(t.data as Float32Array) } : t,
    ]),
  );

const width = 1e-4;

/** Slope of `f` along `direction` by central differences. */
function slopeAlong(f: Value, feeds: Tensors, name: string, direction: ArrayLike<number>): number {
  const at = (sign: number): number => {
    const data = Float64Array.from(feeds[name].data as Float64Array, (v, i) => v + sign * width * direction[i]);
    return Number(g.evaluate([f], { ...feeds, [name]: { ...feeds[name], data } }, 'float64')[0].data[0]);
  };
  return (at(1) - at(-1)) / (2 * width);
}

const dot = (a: readonly number[], b: ArrayLike<number>): number => a.reduce((sum, v, i) => sum + v * b[i], 0);

/** Constants are float32 (6e-8); the differences are good to about 1e-8. */
const exact = 1e-6;

/**
 * Compares a gradient of `f` with central differences: element by element, or along three random directions, in each of
 * which a wrong entry shows.
 */
function expectSlope(
  f: Value,
  feeds: Tensors,
  name: string,
  gradient: Tensor,
  how: 'each' | 'along',
  what: string,
): void {
  const values = numbers(gradient);
  const directions =
    how === 'each'
      ? values.map((_, i) => values.map((_, j) => Number(i === j)))
      : [0, 1, 2].map((d) => Array.from(new Rng(2).split(name).split(d).normals(values.length)));
  const tolerance = how === 'each' ? exact : 4 * exact;
  for (const direction of directions) {
    const actual = dot(values, direction);
    const expected = slopeAlong(f, feeds, name, direction);
    const scale = Math.max(1, Math.abs(expected), largest(values));
    expect(Math.abs(actual - expected) / scale, `${what} for ${name}`).toBeLessThan(tolerance);
  }
}

/** Inputs with more elements than this are checked along directions only. */
const many = 200;

interface Row {
  cases: number;
  /** True: proved; null: there is none; absent: not run, or failed. */
  value?: true;
  first?: true | null;
  second?: true | null;
  forms: Map<string, string[]>;
}
const report = new Map<string, Row>();
const row = (operator: string): Row => {
  const known = report.get(operator);
  if (known) return known;
  const fresh: Row = { cases: subjects.get(operator)?.length ?? 0, forms: new Map() };
  report.set(operator, fresh);
  return fresh;
};

it('has cases for every operator', () => {
  const missing = [...g.operators().keys()].filter((name) => !exempt.includes(name) && !subjects.has(name));
  expect(missing).toEqual([]);
  expect([...subjects.keys()].filter((name) => !g.operators().has(name))).toEqual([]);
  for (const [operator, list] of subjects) {
    for (const s of list) {
      const used = g.topological(s.values).map((node) => node.op.name);
      expect(used, s.name).toContain(operator);
    }
  }
});

describe('gradients', () => {
  for (const [operator, list] of subjects) {
    const op = g.operators().get(operator);
    it(`${operator}: legal graphs, first and second gradient`, () => {
      for (const s of list) {
        const outputs = Object.fromEntries(everything(s).map((v, i) => [`${i}`, v]));
        expect(g.check({ name: 'case', outputs, carry: {} }), s.name).toEqual([]);
      }
      const differentiable = op?.gradient !== null;
      for (const s of list) {
        if (!s.loss) continue;
        const feeds = widened(s.feeds);
        const slopes = g.evaluate([...s.first, ...s.values], feeds, 'float64');
        s.firstOf.forEach((name, i) => {
          if (!differentiable) expect(largest(numbers(slopes[i])), `${s.name}: no gradient for ${name}`).toBe(0);
          else expectSlope(s.loss!, feeds, name, slopes[i], slopes[i].data.length > many ? 'along' : 'each', s.name);
        });
      }
      row(operator).first = differentiable || null;
      if (!differentiable) {
        row(operator).second = null;
        return;
      }
      for (const s of list) {
        if (!s.slope) continue;
        const feeds = widened(s.feeds);
        const curves = g.evaluate([...s.second, ...s.values], feeds, 'float64');
        s.secondOf.forEach((name, i) => {
          expectSlope(s.slope!, feeds, name, curves[i], 'along', `${s.name}: second gradient`);
        });
      }
      row(operator).second = true;
    });
  }
});

/** Where a runtime's graphs run, told while a small one is compiled. */
async function targetOf(runtime: Runtime): Promise<Target> {
  let found: Target | undefined;
  const outputs = { y: g.neg(g.input('x', [1])) };
  const lowering = (_: Node, target: Target) => {
    found = target;
    return undefined;
  };
  await (await runtime.compile({ name: 'target', outputs, carry: {} }, { lowering })).close();
  return found!;
}

/** Runs cases as one program with a form of the operator forced wherever it exists; returns how many nodes took it. */
async function compare(
  runtime: Runtime,
  target: Target,
  operator: string,
  form: string,
  list: readonly Subject[],
): Promise<number> {
  const applies = (node: Node) =>
    node.op.name === operator && (formsOf[operator]?.(node, target).includes(form) ?? true);
  const suited = list.filter((s) => g.topological(everything(s)).some(applies));
  if (suited.length === 0) return 0;
  const outputs: Record<string, Value> = {};
  suited.forEach((s, i) => {
    everything(s).forEach((v, k) => {
      outputs[`${i}/${k}`] = v;
    });
  });
  let forced = 0;
  const lowering = (node: Node) => {
    if (!applies(node)) return undefined;
    forced++;
    return form;
  };
  const session = await runtime.compile({ name: `${operator}-${form}`, outputs, carry: {} }, { lowering });
  try {
    const feeds = Object.assign({}, ...suited.map((s) => s.feeds)) as Tensors;
    const used = Object.fromEntries(session.inputs.map((name) => [name, feeds[name]]));
    const results = await session.run(used);
    suited.forEach((s, i) => {
      g.evaluate(everything(s), s.feeds).forEach((expected, k) => {
        const what = `${s.name}, ${form} on ${runtime.device}, ${k < s.values.length ? 'value' : 'gradient'} ${k}`;
        expect(results[`${i}/${k}`].dtype, what).toBe(expected.dtype);
        expect(difference(results[`${i}/${k}`], expected), what).toBeLessThan(1e-4);
      });
    });
  } finally {
    await session.close();
  }
  return forced;
}

for (const device of ['cpu', 'wasm'] as const) {
  describe(`forms on ${device}`, () => {
    let runtime: Runtime;
    let target: Target;
    beforeAll(async () => {
      runtime = await openRuntime(device, { threads: 1 });
      target = await targetOf(runtime);
    });
    afterAll(() => runtime?.close());
    for (const [operator, list] of subjects) {
      it(`${operator}: every form agrees with the reference`, async () => {
        const done: string[] = [];
        for (const form of Object.keys(g.operators().get(operator)?.lowerings ?? {})) {
          const nodes = await compare(runtime, target, operator, form, list);
          // Blocked kernels are a matter of the processor and the build; every other form must have been used.
          if (form !== 'blocked' || target.blockSize > 0) {
            expect(nodes, `${operator}, ${form}: nodes`).toBeGreaterThan(0);
          }
          if (nodes > 0) done.push(form);
        }
        row(operator).forms.set(device, done);
        row(operator).value = true;
      });
    }
  });
}

/** WebGPU in software is slow: one small case each of what training needs most. */
const onGpu: Record<string, string> = {
  add: 'row',
  mul: 'column and row',
  matMul: 'plain',
  conv: '2-D, as the critics',
  convInputGradient: '2-D, as the critics',
  convWeightGradient: '2-D, as the critics',
  reduceMean: 'middle axis',
  softmax: 'last axis',
  where: 'same shape',
  gather: 'rows, one twice',
  batchNormalize: 'images',
};

async function gpu(): Promise<{ runtime?: Runtime; reason?: string }> {
  if (!existsSync(swiftshader)) return { reason: `${swiftshader} is absent: install chromium-common` };
  try {
    return { runtime: await openRuntime('webgpu') };
  } catch (error) {
    return { reason: (error as Error).message };
  }
}

const { runtime: webgpu, reason } = await gpu();
it.runIf(process.env.CI === 'true')('has a software GPU in CI', () => {
  expect(existsSync(swiftshader), `${swiftshader} is absent`).toBe(true);
});

describe.skipIf(!webgpu)(`forms on webgpu${reason ? ` (skipped: ${reason})` : ''}`, () => {
  afterAll(() => webgpu?.close());
  for (const [operator, label] of Object.entries(onGpu)) {
    it(`${operator}, ${label}: the chosen form agrees with the reference`, async () => {
      const list = subjects.get(operator)!.filter((s) => s.name === `${operator}, ${label}`);
      expect(list.length).toBe(1);
      const op = g.operators().get(operator)!;
      const node = g.topological(list[0].values).find((n) => n.op === op)!;
      const target = await targetOf(webgpu!);
      const form = op.choose?.(node, target) ?? Object.keys(op.lowerings)[0];
      await compare(webgpu!, target, operator, form, list);
      row(operator).forms.set('webgpu', [form]);
    });
  }
});

afterAll(() => {
  const mark = (ok: true | null | undefined) => (ok === null ? '–' : ok ? '✓' : '✗');
  const lines = [...report].map(([operator, r]) => {
    const names = Object.keys(g.operators().get(operator)?.lowerings ?? {});
    const devices = [...r.forms].map(([device, forms]) =>
      names.length === 1 || forms.length === names.length ? device : `${device} (${forms.join(', ')})`,
    );
    const forms = names.length > 1 ? `  forms: ${names.join(', ')}` : '';
    return `${operator.padEnd(20)}${String(r.cases).padStart(5)}   ${mark(r.value)}      ${mark(r.first)}      ${mark(r.second)}     ${devices.join(' ')}${forms}`;
  });
  const total = [...report.values()].reduce((n, r) => n + r.cases, 0);
  console.log(
    [
      `${'operator'.padEnd(20)}cases  value  first  second  devices`,
      ...lines,
      `${report.size} operators, ${total} cases. first, second: gradients against differences in float64; – has none.`,
      ...(reason ? [`webgpu skipped: ${reason}`] : []),
    ].join('\n'),
  );
});
