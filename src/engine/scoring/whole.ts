/** Series that are scored by themselves (protocol `whole`): by the model's own function where it keeps items, and the threshold of that. */
import { ConfigError } from '../../core/errors.ts';
import type { Listener } from '../../core/events.ts';
import { option, say } from '../../core/text.ts';
import { type AnyModel, models } from '../../models/index.ts';
import type { Session } from '../../runtime/index.ts';
import { calibrateMaps, describeThreshold, type ThresholdReport } from '../judging/calibrate.ts';
import { checkScores } from '../judging/check-scores.ts';
import type { Task } from '../task/task.ts';
import { scoreItems } from './stream.ts';

type Judged = Pick<Task, 'source' | 'split'>;

/** Refuses a model that would find each item itself. Throws ConfigError `unsuitable`. */
export function checkWhole(model: AnyModel, { split }: Judged): void {
  if (!split.isWhole || !model.keepsItems || model.wholeSeries) return;
  throw new ConfigError(
    'unsuitable',
    say`${model.name} keeps the windows that it was fitted to, so under the protocol whole each would find itself. Use matrix-profile,
      which leaves the neighbours of a window out, a model that keeps none, such as sub-pca, or ${option('protocol', 'prefix')}.`,
  );
}

/** True where scores come from the series itself and not from a graph: no exported file can repeat them. */
const isScoredByItself = (model: AnyModel, protocol: string): boolean =>
  protocol === 'whole' && model.wholeSeries !== undefined;

/** Scores of the test steps by the model's own function, in their order; undefined where its graph scores them. */
export function wholeScores(model: AnyModel, config: unknown, { source, split }: Judged): Float32Array | undefined {
  if (!split.isWhole || !model.wholeSeries) return undefined;
  const { spans, window, windowFrom } = source.series!;
  const { names, values } = source.channels!;
  const width = names.length;
  const all = new Float32Array(source.items.length);
  for (const { first, steps, buffer } of spans) {
    const own = values.subarray(first * width, (first + steps) * width);
    const length = windowFrom === 'autocorrelation' ? (buffer ?? window) : window;
    all.set(Float32Array.from(model.wholeSeries(config, own, { channels: width, window: length })), first);
  }
  return Float32Array.from(split.test, (step) => all[step]);
}

/** Scores of a series that trained and is judged: by the model's own function, else by the graph. Throws as `checkScores`. */
export async function scoresOfWhole(
  session: Session,
  { model, config, task }: { readonly model: AnyModel; readonly config: unknown; readonly task: Judged },
  { onEvent, signal }: { readonly onEvent: Listener; readonly signal?: AbortSignal },
): Promise<Float32Array> {
  const own = wholeScores(model, config, task);
  if (own) return own;
  const { source, split } = task;
  const scores = await scoreItems(session, source, split.test, { onEvent, signal, task: 'score test' });
  await checkScores(scores, { model, session, source, items: split.test, own: scores }, onEvent);
  return scores;
}

/**
 * The threshold that a share `rate` of the scores themselves reach, without labels and without held-out steps: no rate is promised.
 * With what else is told of held-out normals, of which there are none.
 */
export function calibratedByShare(scores: Float32Array, rate: number) {
  const sorted = Float32Array.from(scores).sort();
  const value = sorted[Math.max(0, Math.min(sorted.length - 1, Math.ceil((1 - rate) * sorted.length)))];
  const found = describeThreshold([], value, { rule: `a share of ${rate} of its own scores`, sawTest: false });
  const reason =
    'Nothing is held out under the protocol whole: the threshold is the one that this share of the scores reach, normal or not, and promises no rate of false alarms.';
  const threshold: ThresholdReport = { ...found, wantedFalseAlarmRate: null, reason };
  return { threshold, mapThreshold: calibrateMaps([], rate), held: [] as number[], normalScores: [] as number[] };
}

/** Refuses what needs a graph that gives the scores of the run. Throws ConfigError `no-detector`. */
export function checkHasDetector({
  model: name,
  protocol,
}: {
  readonly model: string;
  readonly protocol: string;
}): void {
  const model = models.find((known) => known.name === name);
  if (!model || !isScoredByItself(model, protocol)) return;
  throw new ConfigError(
    'no-detector',
    say`${model.name} scored its series by itself (protocol whole), window against window, and no detector of other data follows from
      that. Train with ${option('protocol', 'prefix')} for one.`,
  );
}
