/** Exports a run's detector, and shows that the exported bytes do what the model's own code says. */
import { extname, resolve } from 'node:path';
import { ConfigError, DataError, RuntimeUnavailable } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import type { ImageShape } from '../core/item-shape.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import { option, say } from '../core/text.ts';
import { trainedTensors } from '../engine/fitting/tensors.ts';
import { calibrate, calibrateMaps } from '../engine/judging/calibrate.ts';
import { type Artifact, buildArtifact, runnableBytes, scoringModel } from '../engine/scoring/artifact.ts';
import { scoringProgram } from '../engine/scoring/graph.ts';
import { seenBy } from '../engine/scoring/view.ts';
import { resolveConfig } from '../engine/task/config.ts';
import { kindOf } from '../kinds/index.ts';
import { findModel } from '../models/index.ts';
import { type Device, openRuntime } from '../runtime/index.ts';
import { openReferenceRuntime } from '../runtime/reference.ts';
import { artifactFiles, readArtifact, writeArtifact } from './artifact.ts';
import { type Checkpoint, readCheckpoint } from './checkpoint.ts';
import { checkDevice } from './device.ts';
import { makeFolder } from './files.ts';
import { type RunRecord, readRun, runFiles } from './folder.ts';
import { lockFolder } from './lock.ts';
import { readRegion } from './region.ts';
import { loadRunTask } from './test.ts';
import { oddityVersion } from './versions.ts';

/** Options of `exportModel`. */
export interface ExportOptions {
  /** The run's folder. */
  run: string;
  /** A folder, or a path that ends with `.onnx`; default: the run's folder. */
  out?: string;
  /** Compare the exported bytes with the plain reference on real test items. */
  verify?: boolean;
  /** Verify on this device only; default: `cpu` and `wasm`, where they are present. */
  device?: Device | 'auto';
  dataRoot?: string;
  onEvent?: Listener;
  signal?: AbortSignal;
}

/** What `exportModel` wrote, and with `verify` how far it is from the plain reference. */
export interface ExportResult {
  /** Path of the ONNX file. */
  readonly model: string;
  readonly sizeBytes: number;
  readonly opset: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Largest absolute difference of a score or a map value from the reference, over all devices. */
  readonly maxDifference?: number;
  /** Items that were compared. */
  readonly checked?: number;
  /** Largest difference by device. */
  readonly devices?: Readonly<Record<string, number>>;
  /** Largest difference between a batch of one and the same item in the whole batch, over all devices. */
  readonly batchDifference?: number;
}

const VERIFY_ITEMS = 8;
/** The reference is slow: once it has taken this long, the items it has done are enough. */
const REFERENCE_MS = 20_000;

/**
 * Writes the artefact of a run. An unfinished run is exported from its checkpoint, with a warning and without a
 * threshold. Throws DataError `not-a-run`, `missing-artefact`, `artefact-corrupt`, `checkpoint-corrupt`.
 */
export async function exportModel(options: ExportOptions): Promise<ExportResult> {
  const { run, out = run, verify = false, device, onEvent = silent } = options;
  if (device) checkDevice(device);
  if (extname(out) && extname(out) !== '.onnx')
    throw new ConfigError('export-out', say`${option('out')} must be a folder or a path ending in .onnx, got ${out}.`);
  const checkpoint = await readCheckpoint(runFiles(run).checkpoint);
  const artifact = await artifactOf(run, checkpoint, onEvent);
  const { info } = artifact;
  const result: ExportResult = {
    model: await write(artifact, run, out),
    sizeBytes: artifact.onnx.byteLength + (artifact.weights?.byteLength ?? 0),
    opset: info.opset,
    inputs: [info.input.name],
    outputs: info.outputs,
  };
  if (!verify) return result;
  if (!checkpoint) {
    throw new DataError(
      'missing-checkpoint',
      `There is no ${runFiles(run).checkpoint}, which an export is verified against. Train again.`,
    );
  }
  // What lies on the disk is what is verified.
  return { ...result, ...(await compare(await readArtifact(out), checkpoint, options)) };
}

/** A run's own folder is written to by one process at a time. */
async function write(artifact: Artifact, run: string, out: string): Promise<string> {
  const { onnx, folder } = artifactFiles(out);
  if (resolve(onnx) !== resolve(artifactFiles(run).onnx)) {
    await makeFolder(folder);
    return writeArtifact(out, artifact);
  }
  const lock = await lockFolder(run);
  try {
    return await writeArtifact(out, artifact);
  } finally {
    await lock.release();
  }
}

async function artifactOf(run: string, checkpoint: Checkpoint | undefined, onEvent: Listener): Promise<Artifact> {
  const record = await readRun(run);
  if (record.status === 'done' || !checkpoint) return readArtifact(run);
  onEvent({
    type: 'warning',
    code: 'unfinished-run',
    message: `${run} is not finished; its last checkpoint is exported, without a threshold.`,
  });
  const { model, config } = await modelOf(checkpoint, record);
  const graph = scoringModel(model, config, checkpoint.shape, trainedTensors(checkpoint.state.tensors));
  return buildArtifact(graph, model, config, checkpoint.shape, oddityVersion(), {
    data: { name: record.data, hash: record.dataHash, licence: 'see the data set' },
    protocol: record.protocol,
    class: record.class,
    description: `${record.protocol}: ${record.class} of ${record.data}.`,
    seed: record.seed,
    threshold: calibrate([], record.falseAlarmRate),
    mapThreshold: calibrateMaps([], record.falseAlarmRate),
    normalScores: [],
    ...(record.table && { table: record.table }),
    ...(record.tiles && { tiles: record.tiles }),
    ...(record.region && { region: record.region }),
  });
}

/** The model of a checkpoint, looking at images as the run does. */
async function modelOf({ model: name, config, shape }: Checkpoint, { tiles, region }: RunRecord) {
  const model = findModel(name);
  const seen = { tiles, ...(region && { region: await readRegion(region, shape as ImageShape) }) };
  return { model: seenBy(model, seen, shape), config: resolveConfig(model, { config }) };
}

/** Runs the artefact on devices and the model's graph on the plain reference, over the same test items. */
async function compare(artifact: Artifact, checkpoint: Checkpoint, options: ExportOptions) {
  const { run, device, onEvent = silent, signal } = options;
  const record = await readRun(run);
  const task = await loadRunTask(run, record, options);
  const { source, split } = task;
  const count = Math.min(VERIFY_ITEMS, split.test.length);
  const values = source.shape.reduce((n, d) => n * d, 1);
  const images = new Float32Array(count * values);
  // Spread over the test part, so that more than one class is seen.
  const chosen = Array.from({ length: count }, (_, i) => split.test[Math.floor((i * split.test.length) / count)]);
  await source.read(chosen, images);
  await source.close?.();

  const { model, config } = await modelOf(checkpoint, record);
  const program = scoringProgram(model, config, checkpoint.shape, trainedTensors(checkpoint.state.tensors));
  const reference = await openReferenceRuntime().compile(program);
  const input = kindOf(source.shape).input.name;
  const one = (i: number) => ({
    [input]: float32(images.slice(i * values, (i + 1) * values), [1, ...source.shape]),
  });
  const fetch = ['score', 'map'];
  const wanted: Tensors[] = [];
  const begin = performance.now();
  for (let i = 0; i < count && (i === 0 || performance.now() - begin < REFERENCE_MS); i++) {
    wanted.push(await reference.run(one(i), { fetch, signal }));
    onEvent({ type: 'progress', task: 'verify', done: i + 1, total: count, unit: 'item' });
  }

  const devices: Record<string, number> = {};
  let batchDifference = 0;
  const names: readonly (Device | 'auto')[] = device && device !== 'auto' ? [device] : ['cpu', 'wasm'];
  for (const name of names) {
    let runtime: Awaited<ReturnType<typeof openRuntime>>;
    try {
      runtime = await openRuntime(name, { onEvent });
    } catch (error) {
      if (device === name || !(error instanceof RuntimeUnavailable)) throw error;
      continue;
    }
    try {
      if (runtime.device in devices) continue; // `cpu` that fell back to `wasm`
      const session = await runtime.open(runnableBytes(artifact));
      const all = await session.run({ [input]: float32(images.slice(), [count, ...source.shape]) }, { fetch });
      let worst = 0;
      for (const [i, expected] of wanted.entries()) {
        const alone = await session.run(one(i), { fetch, signal });
        for (const output of fetch) {
          const size = expected[output].data.length;
          const batched = (all[output].data as Float32Array).subarray(i * size, (i + 1) * size);
          worst = Math.max(worst, largest(batched, expected[output].data as Float32Array));
          batchDifference = Math.max(batchDifference, largest(batched, alone[output].data as Float32Array));
        }
      }
      devices[runtime.device] = worst;
    } finally {
      await runtime.close();
    }
  }
  return { maxDifference: Math.max(...Object.values(devices)), checked: wanted.length, devices, batchDifference };
}

function largest(a: Float32Array, b: Float32Array): number {
  let worst = 0;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i] - b[i]));
  return worst;
}
