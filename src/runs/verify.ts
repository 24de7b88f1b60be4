/** Shows that an artefact does what the model's own code says: its outputs on devices beside those of the plain reference. */
import { Cancelled, OddityError, RuntimeUnavailable } from '../core/errors.ts';
import { silent } from '../core/events.ts';
import { type ItemShape, isImage, itemSize } from '../core/item-shape.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import { findDataset } from '../data/index.ts';
import { trainedTensors } from '../engine/fitting/tensors.ts';
import { type Artifact, runnableBytes } from '../engine/scoring/artifact.ts';
import { scoringProgram } from '../engine/scoring/graph.ts';
import { kindOf } from '../kinds/index.ts';
import type { AnyModel } from '../models/index.ts';
import { type Device, openRuntime, type Session } from '../runtime/index.ts';
import { openReferenceRuntime } from '../runtime/reference.ts';
import type { Checkpoint } from './checkpoint.ts';
import { closed, opened } from './closing.ts';
import type { ExportOptions } from './export.ts';
import type { RunRecord } from './folder.ts';
import { loadRunTask } from './test.ts';
import { readPredictions } from './test-scores.ts';

/** How far one output is from the reference. */
export interface OutputDifference {
  /** Largest absolute difference over all items, devices and sizes of a batch; NaN where a value is not finite. */
  readonly largest: number;
  /** What is allowed, in units of the output. */
  readonly tolerance: number;
}

/** What a verification found. */
export interface Verification {
  /** Every output agrees with the reference on every device. */
  readonly passed: boolean;
  /** What does not agree, as sentences. */
  readonly failures: readonly string[];
  /** By the name of the output; `nearest`, which holds places and not values, is in `failures` only. */
  readonly differences: Readonly<Record<string, OutputDifference>>;
  /** Largest difference of a score or a map value, over all devices. */
  readonly maxDifference: number;
  /** Items that were compared. */
  readonly checked: number;
  /** Largest difference of a score or a map value by device. */
  readonly devices: Readonly<Record<string, number>>;
  /** Largest difference between a batch of one and the same item in the whole batch, over all devices. */
  readonly batchDifference: number;
}

const VERIFY_ITEMS = 8;
/** The reference is slow: once it has taken this long, the items it has done are enough, unless a number was asked for. */
const REFERENCE_MS = 20_000;
/**
 * What a device may differ by: 2 % of the standard deviation of the output, or 1e-4 of its largest value where that is more.
 * Moving a threshold by 2 % of a standard deviation turns a false-positive rate of 1 % into 1.05 % at most, which no data set
 * can tell; float32 alone, with sums in another order, differs by less than 1e-4 of the largest value, a search of hundreds of
 * steps (AnoGAN) by 2e-4 absolute. Another model differs by a standard deviation and more.
 */
const OF_SPREAD = 0.02;
const OF_MAGNITUDE = 1e-4;
/** Places of nearest patches may differ where two are equally near: in one item of four. */
const NEAREST_ITEMS = 4;

/** The model as the run's own code has it. */
interface Own {
  readonly model: AnyModel;
  readonly config: Record<string, unknown>;
}

/** Compares an artefact with the network of a checkpoint, over test items of the run. */
export async function verifyArtifact(
  artifact: Artifact,
  checkpoint: Checkpoint,
  record: RunRecord,
  { model, config }: Own,
  options: ExportOptions,
): Promise<Verification> {
  const { onEvent = silent, signal, device } = options;
  const { shape } = checkpoint;
  const input = kindOf(shape).input.name;
  const unlike = differsInKind(artifact, checkpoint, input);
  if (unlike) return failed(unlike);
  const { values, count } = await itemsOf(record, shape, options);
  const size = itemSize(shape);
  if (values.length !== count * size) return failed(`The items of the data do not have the shape ${shape.join('x')}.`);
  const one = (i: number) => ({ [input]: float32(values.slice(i * size, (i + 1) * size), [1, ...shape]) });

  const program = scoringProgram(model, config, shape, trainedTensors(checkpoint.state.tensors));
  const names = Object.keys(program.outputs);
  const reference = await openReferenceRuntime().compile(program);
  const wanted: Tensors[] = [];
  const begin = performance.now();
  const isEnough = () => options.items === undefined && performance.now() - begin > REFERENCE_MS;
  for (let i = 0; i < count && (i === 0 || !isEnough()); i++) {
    wanted.push(await reference.run(one(i), { fetch: names, signal }));
    onEvent({ type: 'progress', task: 'verify', done: i + 1, total: count, unit: 'item' });
  }
  const comparison = new Comparison(names, wanted, artifact.info.normalScores);
  const devices: readonly (Device | 'auto')[] = device && device !== 'auto' ? [device] : ['cpu', 'wasm'];
  for (const name of devices) {
    let runtime: Awaited<ReturnType<typeof openRuntime>>;
    try {
      runtime = await opened(openRuntime(name, { onEvent }), signal);
    } catch (error) {
      if (device === name || !(error instanceof RuntimeUnavailable)) throw error;
      continue;
    }
    try {
      if (comparison.has(runtime.device)) continue; // `cpu` that fell back to `wasm`
      const session = await runtime.open(runnableBytes(artifact));
      const all = { [input]: float32(values.slice(0, wanted.length * size), [wanted.length, ...shape]) };
      await comparison.add(session, all, one, signal);
    } catch (error) {
      if (!(error instanceof OddityError) || error instanceof Cancelled) throw error;
      comparison.fail(`On ${runtime.device} the artefact cannot be run: ${error.message}`);
    } finally {
      await closed(runtime, signal);
    }
  }
  return comparison.result();
}

const failed = (failure: string): Verification => ({
  passed: false,
  failures: [failure],
  differences: {},
  maxDifference: Number.NaN,
  checked: 0,
  devices: {},
  batchDifference: Number.NaN,
});

/** Why two networks cannot even be compared; undefined where they can. */
function differsInKind({ info }: Artifact, { model, shape }: Checkpoint, input: string): string | undefined {
  const differs = (what: string, found: string, wanted: string) =>
    `The artefact ${what} ${found}, but the run ${what} ${wanted}: it is of another run.`;
  if (info.model !== model) return differs('is of the model', info.model, model);
  if (info.shape.join('x') !== shape.join('x')) {
    return differs('takes items of', info.shape.join('x'), shape.join('x'));
  }
  return info.input.name === input ? undefined : differs('has the input', info.input.name, input);
}

/** Test items of a run, spread over the test part so that more than one class is seen. */
async function itemsOf(
  record: RunRecord,
  shape: ItemShape,
  options: ExportOptions,
): Promise<{ values: Float32Array; count: number }> {
  const { run, items: most = VERIFY_ITEMS, onEvent = silent, signal } = options;
  const spread = <T>(list: ArrayLike<T>): T[] => {
    const count = Math.min(most, list.length);
    return Array.from({ length: count }, (_, i) => list[Math.floor((i * list.length) / count)]);
  };
  const { data, size, channels, maxPixels, folderNames, acceptLicence } = record;
  if (size && isImage(shape) && record.status === 'done') {
    // Image files: only those that are compared are read.
    const only = spread((await readPredictions(run)).ids);
    const root = options.dataRoot ?? record.dataRoot;
    const files = { size, channels, maxPixels, folderNames, acceptLicence, only };
    const source = await findDataset(data).load({ root, download: false, ...files, onEvent, signal });
    try {
      const values = new Float32Array(only.length * itemSize(source.shape));
      await source.read(Array.from(only.keys()), values);
      return { values, count: only.length };
    } finally {
      await source.close?.();
    }
  }
  const { source, split } = await loadRunTask(run, record, options);
  try {
    const chosen = spread(split.test);
    const values = new Float32Array(chosen.length * itemSize(source.shape));
    await source.read(chosen, values);
    return { values, count: chosen.length };
  } finally {
    await source.close?.();
  }
}

/** Collects the differences of devices from the reference. */
class Comparison {
  private readonly failures: string[] = [];
  private readonly devices: Record<string, number> = {};
  private readonly largest = new Map<string, number>();
  private readonly tolerances: ReadonlyMap<string, number>;
  private batchDifference = 0;

  /** `wanted` is what the reference gives of each item; `normalScores` those of the artefact under test. */
  constructor(
    private readonly names: readonly string[],
    private readonly wanted: readonly Tensors[],
    normalScores: readonly number[],
  ) {
    const valued = names.filter((name) => name !== 'nearest');
    this.tolerances = new Map(
      valued.map((name) => {
        const values = this.wanted.flatMap((out) => [out[name].data as Float32Array]);
        return [name, toleranceOf(values, name === 'score' ? normalScores : [])];
      }),
    );
  }

  has(device: string): boolean {
    return device in this.devices;
  }

  fail(what: string): void {
    this.failures.push(what);
  }

  /** Compares the items of a session one by one and in a batch. */
  async add(session: Session, all: Tensors, one: (i: number) => Tensors, signal?: AbortSignal): Promise<void> {
    this.devices[session.device] = Number.NaN;
    const lacking = this.names.filter((name) => !session.outputs.includes(name));
    if (lacking.length > 0) return this.fail(`On ${session.device} the artefact has no output ${lacking.join(', ')}.`);
    const fetch = [...this.names];
    const batch = await session.run(all, { fetch, signal });
    const worst = new Map<string, number>(this.names.map((name) => [name, 0]));
    let strayed = 0;
    for (const [i, expected] of this.wanted.entries()) {
      const alone = await session.run(one(i), { fetch, signal });
      for (const name of this.names) {
        const right = expected[name].data as Float32Array;
        const single = alone[name].data as Float32Array;
        const batched = (batch[name].data as Float32Array).subarray(i * right.length, (i + 1) * right.length);
        if (single.length !== right.length || batched.length !== right.length) {
          return this.fail(`On ${session.device} the output ${name} has another size than the model's.`);
        }
        if (name === 'nearest') {
          if (!samePlaces(single, right)) strayed++;
          continue;
        }
        worst.set(name, greater(worst.get(name)!, greater(largest(single, right), largest(batched, right))));
        if (name !== 'reconstruction') this.batchDifference = greater(this.batchDifference, largest(batched, single));
      }
    }
    this.judge(session.device, worst, strayed);
  }

  private judge(device: string, worst: ReadonlyMap<string, number>, strayed: number): void {
    for (const [name, tolerance] of this.tolerances) {
      const found = worst.get(name)!;
      this.largest.set(name, greater(this.largest.get(name) ?? 0, found));
      if (Number.isNaN(found)) this.fail(`On ${device} the output ${name} has values that are not finite numbers.`);
      else if (found > tolerance) {
        const [is, may] = [found, tolerance].map((value) => value.toPrecision(3));
        this.fail(
          `On ${device} the output ${name} differs from the model's own code by ${is}; at most ${may} is allowed.`,
        );
      }
    }
    if (strayed > Math.floor(this.wanted.length / NEAREST_ITEMS)) {
      this.fail(`On ${device} the output nearest names other places in ${strayed} of ${this.wanted.length} items.`);
    }
    this.devices[device] = greater(worst.get('score')!, worst.get('map')!);
  }

  result(): Verification {
    const found = Object.values(this.devices);
    if (found.length === 0) this.fail('No device that runs ONNX files is on this machine.');
    return {
      passed: this.failures.length === 0,
      failures: this.failures,
      differences: Object.fromEntries(
        [...this.tolerances].map(([name, tolerance]) => [
          name,
          { largest: this.largest.get(name) ?? Number.NaN, tolerance },
        ]),
      ),
      maxDifference: found.length === 0 ? Number.NaN : found.reduce(greater),
      checked: this.wanted.length,
      devices: this.devices,
      batchDifference: this.batchDifference,
    };
  }
}

/** What an output may differ by. Of scores the held-out normals count too, where they lie closer together than the items. */
function toleranceOf(values: readonly Float32Array[], others: readonly number[]): number {
  const magnitude = values.reduce((most, list) => list.reduce((m, v) => Math.max(m, Math.abs(v)), most), 0);
  const spreads = [deviation(values), deviation([others])].filter((spread) => spread > 0);
  return Math.max(OF_SPREAD * (spreads.length > 0 ? Math.min(...spreads) : 0), OF_MAGNITUDE * magnitude);
}

/** The standard deviation of some lists as one; 0 where there is none. */
function deviation(lists: readonly ArrayLike<number>[]): number {
  let [n, sum, squares] = [0, 0, 0];
  for (const list of lists) for (let i = 0; i < list.length; i++) sum += list[i];
  for (const list of lists) n += list.length;
  const mean = n === 0 ? 0 : sum / n;
  for (const list of lists) for (let i = 0; i < list.length; i++) squares += (list[i] - mean) ** 2;
  return n === 0 ? 0 : Math.sqrt(squares / n);
}

/** The largest absolute difference; NaN where a value is not finite. */
function largest(a: Float32Array, b: Float32Array): number {
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    if (!Number.isFinite(a[i]) || !Number.isFinite(b[i])) return Number.NaN;
    worst = Math.max(worst, Math.abs(a[i] - b[i]));
  }
  return worst;
}

/** The greater of two differences; NaN is greater than all. */
const greater = (a: number, b: number): number => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Math.max(a, b));

/** Places in pixels, and the number of a training item: equal to the nearest whole number. */
const samePlaces = (a: Float32Array, b: Float32Array) => a.every((value, i) => Math.abs(value - b[i]) < 0.5);
