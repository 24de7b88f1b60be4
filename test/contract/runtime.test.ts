/** One contract for every device: the same tiny models, carried state, cancelling, closing, errors, memory. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeModel } from '../../dist/graph/onnx/write.js';
import {
  chooseDevice,
  type Device,
  listDevices,
  type OrtOptions,
  openRuntime,
  type Runtime,
} from '../../dist/runtime/index.js';
import { summarizeProfile } from '../../dist/runtime/profile.js';
import type { Event } from '../../src/core/events.ts';
import { float32, int64, tensor } from '../../src/core/tensor.ts';
import type { OnnxGraph, OnnxNode, OnnxValue } from '../../src/graph/onnx/messages.ts';

// A Vulkan device in software. The loader itself (libvulkan.so.1) must be found when the process starts: install
// libvulkan1, or start with LD_LIBRARY_PATH=/usr/lib/chromium.
const swiftshader = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (existsSync(swiftshader)) process.env.VK_ICD_FILENAMES ??= swiftshader;

// A folder of this file's own: nothing must stay in it, neither profiles nor the library's telemetry.
process.env.TMPDIR = mkdtempSync(join(tmpdir(), 'oddity-test-'));

const value = (name: string, shape: OnnxValue['shape'], dtype: OnnxValue['dtype'] = 'float32') => ({
  name,
  shape,
  dtype,
});
const node = (op: string, inputs: string[], outputs: string[], attributes: OnnxNode['attributes'] = {}): OnnxNode => ({
  op,
  inputs,
  outputs,
  attributes,
});
const modelOf = (graph: Partial<OnnxGraph>): Uint8Array =>
  encodeModel({
    irVersion: 8,
    opsets: [{ domain: '', version: 17 }],
    producer: 'test',
    producerVersion: '',
    metadata: {},
    graph: { name: 'main', nodes: [], inputs: [], outputs: [], initializers: [], ...graph },
  }).model;

/** next = state / 2 + x; mean = mean of next. */
const averager = modelOf({
  nodes: [
    node('Mul', ['state', 'half'], ['halved']),
    node('Add', ['halved', 'x'], ['next']),
    node('ReduceMean', ['next'], ['mean'], { keepdims: { i: 0 } }),
  ],
  inputs: [value('state', [4]), value('x', [1])],
  outputs: [value('next', [4]), value('mean', [])],
  initializers: [{ name: 'half', tensor: float32(0.5) }],
});
const carry = { next: 'state' };

/** A weight of 16 MiB times x. */
const heavy = modelOf({
  nodes: [node('Mul', ['weight', 'x'], ['y'])],
  inputs: [value('x', [1])],
  outputs: [value('y', [2 ** 22])],
  initializers: [{ name: 'weight', tensor: float32(new Float32Array(2 ** 22)) }],
});

/** Multiplies a 512 × 512 matrix by itself `steps` times, in a Loop. */
const long = modelOf({
  nodes: [
    node('Loop', ['steps', '', 'x'], ['y'], {
      body: {
        g: {
          name: 'body',
          nodes: [node('Identity', ['c'], ['more']), node('MatMul', ['v', 'x'], ['w'])],
          inputs: [value('i', [], 'int64'), value('c', [], 'bool'), value('v', [512, 512])],
          outputs: [value('more', [], 'bool'), value('w', [512, 512])],
          initializers: [],
        },
      },
    }),
  ],
  inputs: [value('steps', [], 'int64'), value('x', [512, 512])],
  outputs: [value('y', [512, 512])],
});
const longFeeds = (steps: number) => ({
  steps: int64(steps),
  x: tensor('float32', [512, 512], new Float32Array(512 * 512)),
});

/** Every element type in and out. */
const types = ['float32', 'int32', 'int64', 'uint8', 'bool'] as const;
const copies = modelOf({
  nodes: types.map((dtype) => node('Identity', [`${dtype}-in`], [`${dtype}-out`])),
  inputs: types.map((dtype) => value(`${dtype}-in`, ['N'], dtype)),
  outputs: types.map((dtype) => value(`${dtype}-out`, ['N'], dtype)),
});

const milliseconds = async (work: Promise<unknown>): Promise<number> => {
  const begin = performance.now();
  await work.catch(() => {});
  return performance.now() - begin;
};
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const withCode = (code: string) => expect.objectContaining({ code });

const absent = new Map((await listDevices()).map(({ device, reason }) => [device, reason]));

for (const device of ['cpu', 'wasm', 'webgpu'] as Device[]) {
  const reason = absent.get(device);
  describe.skipIf(reason !== undefined)(`runtime ${device}${reason ? ` (skipped: ${reason})` : ''}`, () => {
    let runtime: Runtime;
    beforeAll(async () => {
      runtime = await openRuntime(device);
    });
    afterAll(() => runtime?.close());

    it('runs a model and names its inputs and outputs', async () => {
      const session = await runtime.open(averager);
      expect([session.device, session.inputs, session.outputs]).toEqual([device, ['state', 'x'], ['next', 'mean']]);
      const out = await session.run({ state: float32([2, 4, 6, 8]), x: float32([1]) });
      expect(out).toEqual({ next: float32([2, 3, 4, 5]), mean: float32(3.5) });
      expect(await session.run({ state: float32([0, 0, 0, 0]), x: float32([1]) }, { fetch: ['mean'] })).toEqual({
        mean: float32(1),
      });
      await session.close();
    });

    it('carries state from run to run, and gives and takes it', async () => {
      const session = await runtime.open(averager, { carry });
      await expect(session.run({ x: float32([1]) })).rejects.toThrow(withCode('missing-input'));
      await session.setState({ state: float32([0, 0, 0, 8]) });
      expect(await session.run({ x: float32([1]) })).toEqual({ mean: float32(2) });
      expect(await session.state()).toEqual({ state: float32([1, 1, 1, 5]) });
      expect(await session.run({ x: float32([0]) }, { fetch: ['next'] })).toEqual({
        next: float32([0.5, 0.5, 0.5, 2.5]),
      });
      // What was fetched was a copy: the session still has its own.
      expect(await session.run({ x: float32([0]) })).toEqual({ mean: float32(0.5) });
      await session.setState({ state: float32([4, 4, 4, 4]) });
      expect(await session.run({ x: float32([0]) })).toEqual({ mean: float32(2) });
      await session.close();
      await expect(session.run({ x: float32([0]) })).rejects.toThrow(withCode('session-closed'));
    });

    it('queues runs in order, taking the values of the moment of the call', async () => {
      const session = await runtime.open(averager, { carry });
      await session.setState({ state: float32([0, 0, 0, 0]) });
      const x = float32([0]);
      const runs = Array.from({ length: 20 }, (_, i) => {
        x.data[0] = i;
        return session.run({ x });
      });
      let expected = 0;
      for (const [i, { mean }] of (await Promise.all(runs)).entries()) {
        expected = expected / 2 + i;
        expect(mean.data[0]).toBeCloseTo(expected, 3);
      }
      await session.close();
    });

    it('copies what it is fed, or takes it over when told to, but never a part of a larger buffer', async () => {
      const session = await runtime.open(averager);
      const all = Float32Array.of(9, 2, 4, 6, 8, 9);
      const view = tensor('float32', [4], all.subarray(1, 5));
      const x = float32([1]);
      expect((await session.run({ state: view, x })).mean.data[0]).toBe(3.5);
      expect(x.data.length).toBe(1);
      expect((await session.run({ state: view, x }, { transfer: true })).mean.data[0]).toBe(3.5);
      expect([all.length, x.data.length]).toEqual([6, 0]);
      await session.close();
    });

    it.skipIf(device === 'webgpu')('passes every element type unharmed', async () => {
      const session = await runtime.open(copies);
      const feeds = {
        'float32-in': float32([1.5, -2]),
        'int32-in': tensor('int32', [2], Int32Array.of(1, -2)),
        'int64-in': tensor('int64', [2], BigInt64Array.of(2n ** 60n, -2n)),
        'uint8-in': tensor('uint8', [2], Uint8Array.of(1, 255)),
        'bool-in': tensor('bool', [2], Uint8Array.of(1, 0)),
      };
      const out = await session.run(feeds);
      for (const dtype of types) expect(out[`${dtype}-out`]).toEqual(feeds[`${dtype}-in`]);
      await session.close();
    });

    it('says what is wrong with feeds, fetches and bytes', async () => {
      const session = await runtime.open(averager, {});
      const state = float32([1, 2, 3, 4]);
      const x = float32([1]);
      await expect(session.run({ state })).rejects.toThrow(/"x" has none/);
      await expect(session.run({ stat: state, x })).rejects.toThrow(/Did you mean "state"/);
      await expect(session.run({ state, x }, { fetch: ['men'] })).rejects.toThrow(/Did you mean "mean"/);
      await expect(session.run({ state: float32([1, 2]), x })).rejects.toThrow(withCode('shape'));
      await expect(session.run({ state: int64([1, 2, 3, 4]), x })).rejects.toThrow(withCode('shape'));
      await session.close();
      await expect(runtime.open(averager, { carry: { nxt: 'state' } })).rejects.toThrow(/Did you mean "next"/);
      for (const bytes of [new Uint8Array(0), new TextEncoder().encode('no model'), averager.subarray(0, 100)]) {
        await expect(runtime.open(bytes)).rejects.toThrow(withCode('onnx-corrupt'));
      }
    });

    // A Loop of large products takes a software GPU minutes.
    it.skipIf(device === 'webgpu')('cancels within a second, closes within a second, also in mid-run', async () => {
      const other = await openRuntime(device);
      const session = await other.open(long);
      const controller = new AbortController();
      const running = session.run(longFeeds(100), { signal: controller.signal });
      const waiting = session.run(longFeeds(1e6), { signal: controller.signal });
      const last = session.run(longFeeds(1e6), { signal: controller.signal });
      await pause(50);
      controller.abort();
      for (const run of [running, waiting, last]) {
        expect(await milliseconds(run)).toBeLessThan(1000);
        await expect(run).rejects.toThrow(withCode('cancelled'));
      }
      await expect(session.run(longFeeds(1), { signal: controller.signal })).rejects.toThrow(withCode('cancelled'));
      const cut = session.run(longFeeds(500));
      cut.catch(() => {});
      await pause(50);
      expect(await milliseconds(other.close())).toBeLessThan(1000);
      await expect(cut).rejects.toThrow(withCode('runtime-closed'));
      await expect(session.state()).rejects.toThrow(withCode('runtime-closed'));
    });

    it('keeps its memory over 10,000 runs', async () => {
      const session = await runtime.open(averager, { carry });
      await session.setState({ state: float32([0, 0, 0, 0]) });
      const steps = async (n: number) => {
        for (let i = 0; i < n; i++) await session.run({ x: float32([1]) });
      };
      const total = device === 'webgpu' ? 2000 : 10_000;
      await steps(total / 5);
      const before = process.memoryUsage().rss;
      await steps(total);
      expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(96);
      await session.close();
    });

    it('opens and closes sessions without keeping them', async () => {
      const openAndClose = async (n: number) => {
        for (let i = 0; i < n; i++) {
          const session = await runtime.open(heavy);
          await session.close();
          await expect(session.run({ x: float32([1]) })).rejects.toThrow(withCode('session-closed'));
        }
      };
      await openAndClose(4);
      const before = process.memoryUsage().rss;
      await openAndClose(16);
      // onnxruntime 1.30 keeps the weights of a session on WebGPU until the device's last session is released.
      if (device === 'webgpu') return;
      // Sessions that are kept hold 256 MiB of weights.
      expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(128);
    });

    it('times operators, those in loops too, or says that it cannot', async () => {
      const session = await runtime.open(long, { profile: true });
      await session.run(longFeeds(3));
      if (device === 'wasm') {
        await expect(session.profile()).rejects.toThrow(withCode('no-profile'));
        return;
      }
      const rows = await session.profile();
      expect(rows.find((row) => row.op === 'MatMul')?.calls).toBe(3);
      expect(rows.every((row) => row.milliseconds >= 0)).toBe(true);
      expect(readdirSync(tmpdir())).toEqual([]);
      await expect(session.run(longFeeds(1))).rejects.toThrow(withCode('session-closed'));
      await session.close();
    });
  });
}

describe('openRuntime', () => {
  it('offers the nearest name for a device that does not exist', async () => {
    await expect(openRuntime('webgp' as Device)).rejects.toThrow(/Did you mean "webgpu"/);
    await expect(openRuntime('quantum' as Device)).rejects.toThrow(withCode('unknown-device'));
  });

  it('falls back from cpu to wasm without the native package, with one warning', async () => {
    const events: Event[] = [];
    const options: OrtOptions = { nativePackage: 'no-such-package', onEvent: (event) => events.push(event) };
    const runtime = await openRuntime('auto', options);
    expect(runtime.device).toBe('wasm');
    await runtime.close();
    expect(events).toEqual([expect.objectContaining({ type: 'warning', code: 'native-missing' })]);
    const { optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
    const exact = `onnxruntime-node@${optionalDependencies['onnxruntime-node']}`; // the version that lowerings were measured on
    expect(JSON.stringify(events)).toContain(`ONNXRUNTIME_NODE_INSTALL=skip npm install ${exact}`);
    await expect(openRuntime('cuda', options)).rejects.toThrow(withCode('native-missing'));
  });

  it('says what a missing device needs', async () => {
    const missing = (['cuda', 'coreml', 'dml'] as Device[]).filter((device) => absent.get(device));
    for (const device of missing) {
      await expect(openRuntime(device)).rejects.toThrow(withCode('device-missing'));
      expect(absent.get(device)).toContain("`device: 'cpu'`");
    }
  });

  it('reports a worker that dies', async () => {
    const worker = (code: string) => new URL(`data:text/javascript,${encodeURIComponent(code)}`);
    await expect(openRuntime('cpu', { worker: worker('process.exit(3)') })).rejects.toThrow(/it left with code 3/);
    const ready =
      "import { parentPort as p } from 'node:worker_threads'; p.postMessage({ id: 0 }); p.on('message', () => {";
    const runtime = await openRuntime('cpu', { worker: worker(`${ready} throw new Error('out of luck'); })`) });
    const pending = [runtime.open(averager), runtime.open(averager), runtime.open(averager)];
    for (const open of pending) await expect(open).rejects.toThrow(/died: out of luck/);
    await expect(runtime.open(averager)).rejects.toThrow(withCode('worker-died'));
    await runtime.close();
  });
});

describe('chooseDevice', () => {
  it('takes the fastest and says why others are out', async () => {
    const options = { nativePackage: 'onnxruntime-node' };
    const trial = async (runtime: Runtime) => pause(runtime.device === 'wasm' ? 5 : 60);
    const { device, timings } = await chooseDevice(['cpu', 'wasm', 'dml'], trial, options);
    expect(device).toBe('wasm');
    expect(timings.cpu?.milliseconds).toBeGreaterThan(50);
    expect(timings.dml?.reason).toContain('Windows');
  });

  it('throws when none is left', async () => {
    const trial = async () => {
      throw new Error('This model does not fit.');
    };
    await expect(chooseDevice(['wasm'], trial)).rejects.toThrow(/No device can do this.*wasm: This model does not fit/);
  });
});

afterAll(() => rmSync(tmpdir(), { recursive: true, force: true }));

describe('summarizeProfile', () => {
  it('charges a loop only for its own time', () => {
    const event = (op: string, ts: number, dur: number) => ({
      cat: 'Node',
      name: `${op}_kernel_time`,
      ts,
      dur,
      args: { op_name: op },
    });
    const trace = [
      { cat: 'Session', name: 'model_run', ts: 0, dur: 9999 },
      event('Add', 1100, 1000),
      event('Loop', 1000, 4000),
      event('MatMul', 2200, 2000),
      event('Add', 5000, 500),
    ];
    // As ONNX Runtime writes it: a line for each event.
    const lines = ['[', ...trace.map((e, i) => `${JSON.stringify(e)}${i < trace.length - 1 ? ',' : ''}`), ']'];
    expect(summarizeProfile(lines)).toEqual([
      { op: 'MatMul', calls: 1, milliseconds: 2 },
      { op: 'Add', calls: 2, milliseconds: 1.5 },
      { op: 'Loop', calls: 1, milliseconds: 1 },
    ]);
  });
});
