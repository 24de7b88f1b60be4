/** The interface for people and their programs: what detectors there are, and scores of images, rows and series as they are. */
import { Hono } from 'hono';
import { DataError } from '../../core/errors.ts';
import { isImage, itemSize } from '../../core/item-shape.ts';
import { libraryWords, write } from '../../core/text.ts';
import { seriesOfRows } from '../../data/index.ts';
import type { ArtifactInfo } from '../../engine/scoring/artifact.ts';
import type { BatchScore, ItemScore } from '../../engine/scoring/detector.ts';
import { bandAt } from '../../engine/scoring/expected.ts';
import { scoreSeries } from '../../engine/scoring/series.ts';
import { overlayOf } from '../../report/overlay-image.ts';
import type { Opened } from '../catalogue.ts';
import { Problem } from '../problem.ts';
import type { ServerContext } from '../server-context.ts';
import type { DetectorFacts, DetectorList, ItemsAnswer, SeriesAnswer } from './answers.ts';
import { type Body, imagesOf, itemsOfRows, type Read, rowsOfBody } from './items.ts';

/** The routes below `/detectors`. `onScore` hears the p-value of every score. */
export function detectorRoutes(
  { catalogue, within, bodyOf }: ServerContext,
  {
    mostItems,
    onScore,
  }: { readonly mostItems: number; readonly onScore: (name: string, pValue: number | undefined) => void },
): Hono {
  const app = new Hono();

  async function factsOf(name: string, version: string, isOpen: boolean, fault?: string): Promise<DetectorFacts> {
    const { model, kind, shape, threshold, description, table } = await catalogue.info(name, version);
    const columns = table?.columns.map((column) => column.name);
    const about = {
      model,
      kind,
      shape: [...shape],
      threshold: threshold.value,
      normals: threshold.normals,
      description,
    };
    return {
      ...{ name, version, versions: catalogue.versionsOf(name), ...about, isOpen },
      ...(columns && { columns }),
      ...(fault !== undefined && { fault }),
    };
  }

  app.get('/', async (c) => {
    const detectors = catalogue.entries().map(async ({ name, version, isOpen, fault }) => {
      try {
        return await factsOf(name, version, isOpen, fault);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        return { name, version, versions: catalogue.versionsOf(name), isOpen, fault: error.message };
      }
    });
    return c.json({ detectors: await Promise.all(detectors) } satisfies DetectorList);
  });

  app.get('/:name', async (c) => {
    const { name, version } = catalogue.find(c.req.param('name'), c.req.query('version'));
    const entry = catalogue.entries().find((one) => one.name === name && one.version === version)!;
    return c.json(await factsOf(name, version, entry.isOpen, entry.fault));
  });

  app.post('/:name/score', async (c) => {
    const body = { ...(await partsOf(c.req.header('Content-Type') ?? '', await bodyOf(c))), mostItems };
    const wantsMap = /^(true|1|png)$/.test(c.req.query('map') ?? '');
    return catalogue.use(c.req.param('name'), c.req.query('version'), async (opened) => {
      const { detector } = opened;
      const tell = (pValue?: number) => onScore(opened.name, pValue);
      if (detector.kind === 'series') return c.json(await scoreSteps(opened, body, AbortSignal.timeout(within), tell));
      if (detector.kind === 'clip') {
        throw new Problem(
          501,
          'no-clips',
          `${opened.name} takes clips, which a server cannot score yet. Score their files in Node.`,
        );
      }
      const read = isImage(detector.shape)
        ? { items: await imagesOf(detector, body), warnings: [] }
        : itemsOfRows(await rowsOfBody(detector.kind, body), detector.info);
      return c.json(await scoreItems(opened, read, { wantsMap, within, tell }));
    });
  });
  return app;
}

/** A body with its type; a form is taken apart. */
async function partsOf(type: string, bytes: Uint8Array): Promise<Omit<Body, 'mostItems'>> {
  if (!/^multipart\/form-data/.test(type)) return { type, bytes };
  const whole = new Response(bytes as Uint8Array<ArrayBuffer>, { headers: { 'Content-Type': type } });
  const form = await whole.formData().catch(() => {
    throw new Problem(
      400,
      'bad-form',
      'The body must be multipart/form-data with its boundary, but cannot be read as such.',
    );
  });
  const files = [...form.values()].filter((value) => typeof value !== 'string');
  return { type, bytes: new Uint8Array(0), files };
}

interface Scoring {
  readonly wantsMap: boolean;
  /** Milliseconds. */
  readonly within: number;
  readonly tell: (pValue?: number) => void;
}

async function scoreItems(
  opened: Opened,
  {
    items: read,
    warnings,
  }: { readonly items: readonly Read[]; readonly warnings: readonly ItemsAnswer['warnings'][number][] },
  { wantsMap, within, tell }: Scoring,
): Promise<ItemsAnswer> {
  const { name, version, detector, batcher } = opened;
  const { info } = detector;
  const size = itemSize(info.shape);
  const good = read.flatMap(({ id, item }) => (item ? [{ id, item }] : []));
  const failed = read.flatMap(({ id, fault }) => (fault ? [{ id, ...fault }] : []));
  if (good.length === 0)
    throw new Problem(
      400,
      failed[0].code,
      failed
        .map(({ message }) => message)
        .slice(0, 5)
        .join(' '),
    );
  const values = new Float32Array(good.length * size);
  for (const [i, { item }] of good.entries()) values.set(item.values, i * size);
  const batch: BatchScore = await batcher.score(values, good.length, { within });
  const items: ItemsAnswer['items'] = [];
  for (const [i, { id, item }] of good.entries()) {
    try {
      const found = detector.describe(item, batch, i);
      tell(found.pValue);
      items.push({ id, ...said(found), ...(wantsMap && isImage(info.shape) && { map: pictureOf(found, info) }) });
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      failed.push({ id, code: error.code, message: error.message });
    }
  }
  const about = { detector: name, version, kind: detector.kind, threshold: detector.threshold };
  return { ...about, items, failed, warnings: [...warnings] };
}

/** An item's score without its arrays and its threshold, which stands beside all items. */
function said({ score, isAnomalous, decision, pValue, size, regions, columns, nearest }: ItemScore) {
  return {
    ...{ score, isAnomalous, decision },
    ...(pValue !== undefined && { pValue }),
    ...(size && { imageSize: size }),
    ...(regions && { regions: [...regions] }),
    ...(columns && { columns: columns.map((column) => ({ ...column })) }),
    ...(nearest && { nearest: { ...nearest } }),
  };
}

/** The image with its map over it, at the size of the detector. */
const pictureOf = ({ values, map }: ItemScore, info: ArtifactInfo): string =>
  `data:image/png;base64,${Buffer.from(overlayOf(info, values, map)).toString('base64')}`;

async function scoreSteps(
  { name, version, detector, batcher }: Opened,
  body: Body,
  signal: AbortSignal,
  tell: Scoring['tell'],
): Promise<SeriesAnswer> {
  const { info } = detector;
  const { series, remarks } = seriesOfRows(await rowsOfBody('series', body), info.table);
  const channels = info.table?.columns.map((column) => column.name) ?? [];
  const found = await scoreSeries({ ...detector, score: batcher.score }, series, { signal });
  const timeOf = (t: number) => series.times && new Date(series.times[t]).toISOString();
  const steps = Array.from(found.scores, (score, t) => {
    if (Number.isNaN(score)) return { ...timed(timeOf(t)), score: null, isAnomalous: null };
    tell(detector.pValue(score));
    const isAnomalous = detector.threshold === null ? null : score >= detector.threshold;
    return { ...timed(timeOf(t)), score, isAnomalous, ...bandAt(found, channels, t) };
  });
  const alarms = found.alarms.map((alarm) => {
    const [startTime, endTime] = [timeOf(alarm.start), timeOf(alarm.end - 1)];
    return { ...alarm, ...(startTime !== undefined && { startTime, endTime }) };
  });
  const about = { detector: name, version, kind: detector.kind, threshold: detector.threshold };
  const warnings = remarks.map(({ code, message }) => ({ code, message: write(message, libraryWords) }));
  return { ...about, steps, alarms, warnings };
}

const timed = (time: string | undefined) => (time === undefined ? {} : { time });
