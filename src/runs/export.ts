/** Exports a run's detector, and shows that the exported bytes do what the model's own code says. */
import { resolve } from 'node:path';
import { ConfigError, DataError } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import type { ImageShape } from '../core/item-shape.ts';
import { option, say } from '../core/text.ts';
import { trainedTensors } from '../engine/fitting/tensors.ts';
import { calibrate, calibrateMaps } from '../engine/judging/calibrate.ts';
import { type Artifact, buildArtifact, type PrecisionReport, scoringModel } from '../engine/scoring/artifact.ts';
import { seenBy } from '../engine/scoring/view.ts';
import { checkHasDetector } from '../engine/scoring/whole.ts';
import { resolveConfig } from '../engine/task/config.ts';
import type { Precision } from '../graph/onnx/store-weights.ts';
import { findModel } from '../models/index.ts';
import type { Device } from '../runtime/index.ts';
import { artifactFiles, readArtifact, writeArtifact } from './artifact.ts';
import { type Checkpoint, readCheckpoint } from './checkpoint.ts';
import { checkDevice } from './device.ts';
import { makeFolder } from './files.ts';
import { type RunRecord, readRun, runFiles } from './folder.ts';
import { lockFolder } from './lock.ts';
import { checkPrecision, withPrecision } from './precision.ts';
import { readRegion } from './region.ts';
import { type Verification, verifyArtifact } from './verify.ts';
import { oddityVersion } from './versions.ts';

/** Options of `exportModel`. */
export interface ExportOptions {
  /** The run's folder. */
  run: string;
  /** A folder, or a path that ends with `.onnx`; default: the run's folder. */
  out?: string;
  /**
   * Store weights in fewer bytes: `fp16` halves the file, `int8` makes it a quarter. The loss is measured on the data of the run and kept
   * in `model.json`. Needs an `out` of its own.
   */
  precision?: Precision;
  /** Write it also where it costs more than 0.005 of AUROC or AP, or a fifth of the standard deviation of normal scores. */
  acceptLoss?: boolean;
  /** Compare the exported bytes with the plain reference on real test items; `passed` of the result says whether they agree. */
  verify?: boolean;
  /** Verify on so many test items, and read no others; default 8, or fewer where the reference takes long. */
  items?: number;
  /** Verify on this device only; default: `cpu` and `wasm`, where they are present. */
  device?: Device | 'auto';
  dataRoot?: string;
  onEvent?: Listener;
  signal?: AbortSignal;
}

/** What `exportModel` wrote, and with `verify` how far it is from the plain reference. */
export interface ExportResult extends Partial<Verification> {
  /** Path of the ONNX file. */
  readonly model: string;
  readonly sizeBytes: number;
  readonly opset: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** What the precision of the weights costs; absent where they are float32. */
  readonly precision?: PrecisionReport;
}

/**
 * Writes the artefact of a run. An unfinished run is exported from its checkpoint, with a warning and without a
 * threshold. Throws DataError `not-a-run`, `missing-artefact`, `artefact-corrupt`, `checkpoint-corrupt`, and ConfigError
 * `strange-files` rather than replace a model that is none of oddity's.
 */
export async function exportModel(options: ExportOptions): Promise<ExportResult> {
  const { run, out = run, verify = false, items, device, onEvent = silent } = options;
  if (device) checkDevice(device);
  if (items !== undefined && !(Number.isInteger(items) && items >= 1))
    throw new ConfigError('option-range', { option: 'items', value: items, must: 'an integer of at least 1' });
  if (options.precision !== undefined) checkPrecision(options.precision);
  if (options.precision === undefined && options.acceptLoss)
    throw new ConfigError('precision', say`${option('acceptLoss')} needs ${option('precision')}.`);
  if (options.precision !== undefined && resolve(artifactFiles(out).folder) === resolve(artifactFiles(run).folder)) {
    throw new ConfigError(
      'precision-out',
      say`A model in ${options.precision} must not take the place of the one that ${run} was judged by. Choose a folder with ${option('out')}.`,
    );
  }
  checkHasDetector(await readRun(run));
  const checkpoint = await readCheckpoint(runFiles(run).checkpoint);
  const own = await artifactOf(run, checkpoint, onEvent);
  const { precision } = options;
  const artifact = precision === undefined ? own : await withPrecision(own, { ...options, precision });
  const { info } = artifact;
  const result: ExportResult = {
    model: await write(artifact, run, out),
    sizeBytes: artifact.onnx.byteLength + (artifact.weights?.byteLength ?? 0),
    opset: info.opset,
    inputs: [info.input.name],
    outputs: info.outputs,
    ...(info.precision && { precision: info.precision }),
  };
  if (!verify) return result;
  if (!checkpoint) {
    throw new DataError(
      'missing-checkpoint',
      `There is no ${runFiles(run).checkpoint}, which an export is verified against. Train again.`,
    );
  }
  // What lies on the disk is what is verified.
  const record = await readRun(run);
  const exported = await readArtifact(out);
  return {
    ...result,
    ...(await verifyArtifact(exported, checkpoint, record, await modelOf(checkpoint, record), options)),
  };
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
    ...(record.measuredRange && { valueRange: record.measuredRange }),
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
