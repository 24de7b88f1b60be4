/** Judges scores and maps on a test part, beside baselines on the same split. */
import type { AlarmRule } from '../../core/alarms.ts';
import { type Listener, silent } from '../../core/events.ts';
import { pictureShape } from '../../core/item-shape.ts';
import { Rng } from '../../core/random.ts';
import type { Source } from '../../data/pure.ts';
import { kindOf } from '../../kinds/index.ts';
import {
  type ByMetric,
  describeOwn,
  type ItemGiven,
  itemIntervals,
  type MapMeasure,
  type Measured,
  type Metric,
  type MetricValues,
  measureItems,
  measureMaps,
  unmeasuredMaps,
  withOwnMetrics,
} from '../../metrics/index.ts';
import { type AnyModel, models } from '../../models/index.ts';
import type { Runtime, Session } from '../../runtime/index.ts';
import { fitData } from '../fitting/items.ts';
import { scoringProgram } from '../scoring/graph.ts';
import { type ScoreOptions, scoreItems } from '../scoring/stream.ts';
import { seenBy } from '../scoring/view.ts';
import { asAskedFor, smoothingOf, takes } from '../task/suitable.ts';
import type { Task } from '../task/task.ts';
import { trainingPart } from '../task/training-part.ts';
import { judgeSteps } from './judge-steps.ts';
import type { RunReport, TypeReport } from './report-types.ts';

/** What a detector does on the test part. */
export interface Evaluation
  extends Pick<RunReport, 'metrics' | 'intervals' | 'perType' | 'reasons' | 'ownMetrics' | 'perMap' | 'curves'> {
  readonly scores: Float32Array;
  readonly scoreMsPerItem: number;
}

/** What judging can be told. */
export interface JudgeOptions {
  /** A user's own metrics, beside those of the registry. */
  readonly metrics?: readonly Metric[];
  readonly onEvent?: Listener;
  readonly signal?: AbortSignal;
}

/** What judging must be told. */
interface Judging extends JudgeOptions {
  /** Scores of the test part that are known already. */
  readonly scores?: Float32Array;
  readonly threshold: number | null;
  readonly mapThreshold: number | null;
  /** As the model asks for: `smoothingOf`. */
  readonly smoothing?: number;
  /** Of series: the rule that makes alarms of steps, for event metrics. */
  readonly alarms?: AlarmRule;
}

/** Rounds of the bootstrap: as many as items allow in about a second, within these bounds. */
const ROUNDS = { least: 50, most: 1000, items: 10_000_000 };

/**
 * Scores the test part with a session, unless its `scores` are known, and computes the metrics; those that need a
 * threshold get that of scores or of maps. Throws ConfigError `repeated-name` for own metrics under a name that is taken.
 */
export async function judge(session: Session, task: Task, options: Judging): Promise<Evaluation> {
  const { source, split } = task;
  const { threshold, mapThreshold, smoothing, onEvent = silent, signal } = options;
  const metrics = withOwnMetrics(options.metrics);
  const ownMetrics = describeOwn(metrics);
  const maps = mapJudge(task, metrics, mapThreshold, onEvent);
  let judging = 0; // milliseconds that scoring alone would not take
  const onMaps: ScoreOptions['onMaps'] =
    maps.onMaps &&
    (async (...batch) => {
      const begin = performance.now();
      await maps.onMaps!(...batch);
      judging += performance.now() - begin;
    });
  const begin = performance.now();
  const scores =
    options.scores ??
    (await scoreItems(session, source, split.test, {
      ...{ onEvent, signal, smoothing, onMaps },
      task: 'score test',
    }));
  const scoreMsPerItem = (performance.now() - begin - judging) / Math.max(1, split.test.length);
  const ofMaps = maps.result();
  for (const message of ofMaps?.remarks ?? []) onEvent({ type: 'warning', code: 'metric', message });
  const given: ItemGiven = { ...itemsOf(task, scores), threshold };
  return {
    scores,
    ...together(measureItems(given, metrics), ofMaps, judgeSteps(task, given, metrics, options.alarms)),
    ...(ofMaps?.perMap && { perMap: ofMaps.perMap }),
    ...(ofMaps?.curves && { curves: ofMaps.curves }),
    intervals: { item: itemIntervals(given, { seed: 1, rounds: roundsFor(scores.length) }, metrics) },
    perType: perType(task, scores, threshold, metrics),
    ...(ownMetrics.length > 0 && { ownMetrics }),
    scoreMsPerItem,
  };
}

const roundsFor = (items: number) =>
  Math.min(ROUNDS.most, Math.max(ROUNDS.least, Math.round(ROUNDS.items / Math.max(1, items))));

/**
 * The scores, and what is known of the items: the share of anomalies, the classes that training was kept from, and of frames
 * their clips.
 */
function itemsOf({ source, split }: Task, scores: Float32Array): ItemGiven {
  const { test, testLabels: labels, share, heldOut } = split;
  return {
    scores,
    labels,
    ...(share !== undefined && { share }),
    ...(source.kind === 'clip' && { clips: spanOfEach(source, test) }),
    ...(heldOut && { heldOut: Uint8Array.from(test, (item) => (heldOut.includes(source.items[item].class) ? 1 : 0)) }),
  };
}

/** The number of the series or clip that each item is a step of. */
function spanOfEach({ series, items }: Source, chosen: Uint32Array): Uint32Array {
  const spans = new Uint32Array(items.length);
  for (const [c, { first, steps }] of series!.spans.entries()) spans.fill(c, first, first + steps);
  return chosen.map((item) => spans[item]);
}

/** Values and reasons by level; levels are left out where they do not apply. */
function together(
  items: Measured,
  maps: Measured | undefined,
  series: Measured | undefined,
): { metrics: MetricValues; reasons: ByMetric<string> } {
  const levels = Object.entries({ item: items, map: maps, series }).flatMap(([level, found]) =>
    found ? [[level, found] as const] : [],
  );
  const told = levels.filter(([, { reasons }]) => Object.keys(reasons).length > 0);
  return {
    metrics: Object.fromEntries(levels.map(([level, { values }]) => [level, values])) as unknown as MetricValues,
    reasons: Object.fromEntries(told.map(([level, { reasons }]) => [level, reasons])),
  };
}

/** Each class of anomalous test items against all normal ones. */
function perType(
  { source, split }: Task,
  scores: Float32Array,
  threshold: number | null,
  metrics: readonly Metric[],
): TypeReport[] {
  const { test, testLabels } = split;
  const headlines = metrics.filter(({ isHeadline }) => isHeadline);
  const classOf = (i: number) => source.items[test[i]].class;
  const positions = Array.from(testLabels.keys());
  const anomalous = positions.filter((i) => testLabels[i] === 1);
  return [...new Set(anomalous.map(classOf))]
    .sort((a, b) => a - b)
    .map((number) => {
      const own = positions.filter((i) => testLabels[i] === 0 || classOf(i) === number);
      const given = { scores: own.map((i) => scores[i]), labels: own.map((i) => testLabels[i]) };
      const members = anomalous.filter((i) => classOf(i) === number).map((i) => scores[i]);
      return {
        type: source.classes[number],
        count: members.length,
        metrics: measureItems(given, headlines).values,
        recall: threshold === null ? null : members.filter((s) => s >= threshold).length / members.length,
        meanScore: members.reduce((sum, s) => sum + s, 0) / members.length,
      };
    });
}

/** Metrics of the maps of a test part. */
interface JudgedMaps extends Measured {
  /** See `RunReport.perMap`. */
  readonly perMap?: RunReport['perMap'];
  readonly curves?: RunReport['curves'];
  readonly remarks?: readonly string[];
}

/**
 * Takes maps of the test part as they are made and compares them with the masks. An item that is normal under the
 * protocol has an empty mask, whatever the source says of it; an anomalous one without a mask is left out. Without a
 * result where maps have no ground truth by their kind.
 */
function mapJudge(
  { source, split, region }: Task,
  metrics: readonly Metric[],
  threshold: number | null | undefined,
  onEvent: Listener,
): Pick<ScoreOptions, 'onMaps'> & { result(): JudgedMaps | undefined } {
  const { test, testLabels } = split;
  const anomalous = Array.from(testLabels.keys()).filter((i) => testLabels[i] === 1);
  const masked = new Set(anomalous.filter((i) => source.hasMask?.(test[i]) ?? true));
  const picture = pictureShape(source.shape);
  if (!picture) return { result: () => undefined };
  if (!source.readMasks || (anomalous.length > 0 && masked.size === 0)) {
    const reason = `${source.name} has no masks of anomalous pixels.`;
    return { result: () => unmeasuredMaps({ threshold }, metrics, reason) };
  }
  if (masked.size < anomalous.length) {
    onEvent({
      type: 'warning',
      code: 'missing-masks',
      message: `${anomalous.length - masked.size} of ${anomalous.length} anomalous test items have no mask; pixel metrics leave them out.`,
    });
  }
  const [, height, width] = picture;
  const area = height * width;
  const measure: MapMeasure = measureMaps({ threshold }, metrics);
  const added: number[] = [];
  const ofItems = (values: Float64Array) => {
    const all = new Array<number | null>(test.length).fill(null);
    for (const [k, at] of added.entries()) if (!Number.isNaN(values[k])) all[at] = values[k];
    return all;
  };
  return {
    async onMaps(maps, at, count) {
      const masks = new Uint8Array(count * area);
      await source.readMasks!(test.subarray(at, at + count), masks);
      for (let k = 0; k < count; k++) {
        const mask = masks.subarray(k * area, (k + 1) * area);
        if (testLabels[at + k] === 0) mask.fill(0);
        else if (!masked.has(at + k)) continue;
        const map = maps.subarray(k * area, (k + 1) * area);
        measure.add({ map, mask, height, width, counted: region });
        added.push(at + k);
      }
    },
    result() {
      const { perMap, curves, ...measured } = measure.result();
      const each = Object.entries(perMap).map(([name, values]) => [name, ofItems(values)] as const);
      return {
        ...measured,
        ...(each.length > 0 && { perMap: Object.fromEntries(each) }),
        ...(Object.keys(curves).length > 0 && { curves }),
      };
    },
  };
}

/** The baselines that take items of this kind, on the same split, fitted and scored here; a `seed` of theirs is the run's. */
export async function judgeBaselines(
  runtime: Runtime,
  task: Task,
  seed: number,
  { metrics: own, onEvent, signal }: JudgeOptions = {},
): Promise<RunReport['baselines']> {
  const { split, rng } = task;
  const metrics = withOwnMetrics(own);
  const judgeOne = async (model: AnyModel, config: object): Promise<MetricValues> => {
    const source = await asAskedFor(model, config, task.source);
    const data = fitData({ ...(await trainingPart(model, { source, split })), rng, runtime, signal });
    const tensors = model.learns === 'statistics' ? await model.fit(config, data) : {};
    const seen = seenBy(model, {}, source.shape);
    const session = await runtime.compile(scoringProgram(seen, config, source.shape, tensors));
    try {
      const maps = mapJudge(task, metrics, undefined, silent);
      const scored = await scoreItems(session, source, split.test, {
        ...{ onEvent, signal, task: 'score baseline' },
        smoothing: smoothingOf(model, config, source),
        onMaps: maps.onMaps,
      });
      const scores = model.isChance ? Float32Array.from(new Rng(seed).split('chance').uniforms(scored.length)) : scored;
      const given = itemsOf(task, scores);
      return together(measureItems(given, metrics), maps.result(), judgeSteps(task, given, metrics)).metrics;
    } finally {
      session.close().catch(() => {}); // who cancels does not wait
    }
  };
  const kind = kindOf(task.source.shape).name;
  const baselines: Record<string, MetricValues> = {};
  for (const model of models) {
    if (model.learning !== 'baseline' || model.learns === 'gradient' || !takes(model, kind)) continue;
    const config: object = model.config.parse({});
    baselines[model.name] = await judgeOne(model, 'seed' in config ? { ...config, seed } : config);
  }
  return baselines;
}
