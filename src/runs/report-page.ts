/** Gathers what the page of a run shows – from the run's files, and by scoring a few test items again – and writes it. */
import { basename, resolve } from 'node:path';
import { DataError, InternalError } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { pictureShape } from '../core/item-shape.ts';
import { action, option, say } from '../core/text.ts';
import { type ArtifactInfo, runnableBytes } from '../engine/scoring/artifact.ts';
import type { Task } from '../engine/task/task.ts';
import { trainingItems } from '../engine/task/training-part.ts';
import { findKind } from '../kinds/index.ts';
import { type AnyModel, findModel, type ImageShape } from '../models/index.ts';
import type { ReportData, ReportItem, ReportPatches, ReportPictures } from '../report/data.ts';
import { chooseItems } from '../report/judgement.ts';
import { baselineTitle } from '../report/words.ts';
import { type Device, openRuntime, type Session } from '../runtime/index.ts';
import { readArtifact } from './artifact.ts';
import { closed, opened } from './closing.ts';
import { checkDevice } from './device.ts';
import { findMapScale } from './example-maps.ts';
import { writeAtomic } from './files.ts';
import { readFinishedRun, readRun, runFiles } from './folder.ts';
import { lockFolder } from './lock.ts';
import { readReport } from './report-file.ts';
import { anomalousRows } from './report-rows.ts';
import { seriesOfReport } from './report-series.ts';
import { type ShownItem, ShownItems } from './shown-items.ts';
import { loadRunTask } from './test.ts';
import { readPredictions } from './test-scores.ts';

/** Options of `makeReport`. */
export interface ReportOptions {
  /** The folder of a finished run. */
  run: string;
  device?: Device | 'auto';
  /** Where data sets lie, when they have moved since. */
  dataRoot?: string;
  /** False leaves the pictures out; then neither the data nor a device is needed. Default true. */
  pictures?: boolean;
  onEvent?: Listener;
  signal?: AbortSignal;
}

/**
 * Makes `report.html` of a finished run again and returns its path. Throws as `test` does, and DataError when the run is not
 * finished or another process writes to it.
 */
export async function makeReport(options: ReportOptions): Promise<{ report: string }> {
  const { run, device = 'auto', pictures = true, onEvent = silent, signal } = options;
  checkDevice(device);
  const record = await readFinishedRun(run);
  const lock = await lockFolder(run);
  try {
    if (!pictures) return { report: await writeReportPage(run) };
    const artifact = await readArtifact(run);
    const task = await loadRunTask(run, record, options);
    try {
      const runtime = await opened(openRuntime(device, { threads: record.threads, onEvent }), signal);
      try {
        const session = await runtime.open(runnableBytes(artifact));
        return {
          report: await writeReportPage(run, { session, task, shown: new ShownItems(session, task, signal), signal }),
        };
      } finally {
        await closed(runtime, signal);
      }
    } finally {
      await task.source.close?.();
    }
  } finally {
    await lock.release();
  }
}

/** Writes the page from the run's files, with pictures when a session and the task are open; returns its path. */
export async function writeReportPage(
  run: string,
  open?: { session: Session; task: Task; shown: ShownItems; signal?: AbortSignal },
): Promise<string> {
  const files = runFiles(run);
  const record = await readRun(run);
  const report = await readReport(run);
  if (!report) {
    throw new DataError(
      'not-finished',
      say`${run} must be a finished run, but it has no metrics.json. Resume it: repeat ${action('train')} with its original
        options and ${option('resume', true)}.`,
    );
  }
  const { info } = await readArtifact(run);
  const { ids, classes, labels, scores } = await readPredictions(run);
  const items = ids.map(
    (id, i): ReportItem => ({ id, type: classes[i], label: labels[i] === 1 ? 1 : 0, score: scores[i] }),
  );
  const model = findModel(record.model);
  const isBaseline = model.learning === 'baseline';
  const data: ReportData = {
    ...report,
    run: basename(resolve(run)),
    startedAt: record.startedAt,
    model: {
      name: model.name,
      title: isBaseline ? baselineTitle(model.title, findKind(report.kind).words) : model.title,
      isBaseline,
    },
    data: info.data,
    description: info.description,
    versions: { ...report.versions },
    threshold: info.threshold,
    normalScores: info.normalScores,
    items,
    history: report.history ?? [],
    warnings: report.warnings ?? [],
    pictures: open && pictureShape(info.shape) ? await drawPictures(open, model, items, info) : undefined,
    rows: open && info.table && !open.task.source.series ? await anomalousRows(open, items) : undefined,
    series: open?.task.source.series ? await seriesOfReport(open, items, info) : undefined,
  };
  // The page's charts are loaded when they are drawn: most programs that use the engine draw none.
  const { reportPage } = await import('../report/page.ts');
  await writeAtomic(files.report, reportPage(data));
  return files.report;
}

/** Pictures of the items that the page shows, with their maps and, where the data has them, masks. */
async function drawPictures(
  { shown, task }: { shown: ShownItems; task: Task },
  model: AnyModel,
  items: readonly ReportItem[],
  { mapScale, mapThreshold }: ArtifactInfo,
): Promise<ReportPictures> {
  const { source, split } = task;
  const { misses, falseAlarms, hits } = chooseItems(items);
  const chosen = [...misses, ...falseAlarms, ...hits];
  const numbers = chosen.map((i) => split.test[i]);
  const shape = pictureShape(source.shape);
  if (!shape) throw new InternalError(`${source.name} has no images to draw.`);
  const [, height, width] = shape;
  const area = height * width;
  const scored = await shown.at(chosen);
  const patches = await cutPatches(task, model, scored);
  const masks = source.readMasks && new Uint8Array(numbers.length * area);
  if (masks) await source.readMasks?.(numbers, masks);
  return {
    shape,
    scale: mapScale ?? (await findMapScale(shown, chosen, mapThreshold?.value ?? null)),
    pictures: chosen.map((item, k) => ({
      item,
      image: scored[k].image,
      reconstruction: scored[k].reconstruction,
      map: scored[k].map,
      ...(patches && { nearest: patches[k] }),
      ...(masks && source.hasMask?.(numbers[k]) !== false && { mask: masks.subarray(k * area, (k + 1) * area) }),
    })),
  };
}

/**
 * Squares about the oddest place of each image and about the place of a training image that is most like it; undefined for models
 * that know of none.
 */
async function cutPatches(
  { source, split }: Task,
  model: AnyModel,
  scored: readonly ShownItem[],
): Promise<ReportPatches[] | undefined> {
  const shape = source.shape as ImageShape;
  const { train } = trainingItems(model, split);
  const side = Math.min(shape[1], shape[2], Math.max(16, Math.round(Math.min(shape[1], shape[2]) / 5)));
  const patches: ReportPatches[] = [];
  for (const { image, nearest } of scored) {
    if (!nearest) return undefined;
    const [row, column, number, normalRow, normalColumn] = nearest;
    const item = train[number];
    const normal = new Float32Array(image.length);
    await source.read([item], normal);
    patches.push({
      side,
      own: cutSquare(image, shape, row, column, side),
      normal: { id: source.items[item].id, ...cutSquare(normal, shape, normalRow, normalColumn, side) },
    });
  }
  return patches;
}

/** The square about a place, moved inside where it would reach over the border. */
function cutSquare(
  image: Float32Array,
  [channels, height, width]: ImageShape,
  row: number,
  column: number,
  side: number,
): { x: number; y: number; pixels: Float32Array } {
  const inside = (centre: number, size: number) => Math.min(size - side, Math.max(0, Math.round(centre - side / 2)));
  const [y, x] = [inside(row, height), inside(column, width)];
  const pixels = new Float32Array(channels * side * side);
  for (let c = 0; c < channels; c++) {
    for (let r = 0; r < side; r++) {
      const from = (c * height + y + r) * width + x;
      pixels.set(image.subarray(from, from + side), (c * side + r) * side);
    }
  }
  return { x, y, pixels };
}
