/**
 * Whether a detector of rows notices made-up outliers, where no labelled anomaly tests it: what is worse than chance there, or than
 * the distance to the mean row, is said. Left out: images and series, whose planted defects are too easy or too odd to judge by.
 */
import { type Listener, silent } from '../../core/events.ts';
import { auroc } from '../../metrics/index.ts';
import { type AnyModel, type ItemKind, models } from '../../models/index.ts';
import type { Runtime, Session } from '../../runtime/index.ts';
import type { Platform } from '../platform.ts';
import { scoreItems } from '../scoring/stream.ts';
import type { Task } from '../task/task.ts';
import { juryOf, quickScores } from './trial.ts';

/** The one that every detector should beat: it learns in one pass what is usual, and no more. */
const baselineOf = (kind: ItemKind) =>
  models.find((m) => m.learning === 'baseline' && m.learns === 'statistics' && m.inputs.includes(kind));

/** By how much it must be better for it to be said: planted outliers are drawn. */
const CLEAR = 0.05;
/** Rows that outliers are made of, at least: of fewer chance decides. */
const LEAST = 20;

/** AUROC on made-up outliers. */
export interface PlantedCheck {
  readonly figure: number;
  readonly baseline: number;
  /** How many were made. */
  readonly count: number;
}

/**
 * Scores made-up outliers of the normal test rows with the session of a trained model, and with the mean row. Undefined for items of
 * other kinds, where anomalies are labelled, for baselines and for fewer than 20 test rows. Warns `worse-than-chance` or
 * `worse-than-baseline`. Throws as scoring does, Cancelled.
 */
export async function checkPlanted(
  session: Session,
  task: Task,
  model: AnyModel,
  open: { runtime: Runtime; platform: Platform; onEvent?: Listener; signal?: AbortSignal },
): Promise<PlantedCheck | undefined> {
  const { source, split } = task;
  const { test, testLabels } = split;
  if (source.kind !== 'table' || testLabels.includes(1) || test.length < LEAST || model.learning === 'baseline')
    return undefined;
  const simple = baselineOf(source.kind);
  if (!simple) return undefined;
  const { onEvent = silent, signal } = open;
  const jury = await juryOf(task);
  const scores = await scoreItems(session, jury.source, jury.items, { signal, task: 'score planted' });
  const baseline = await quickScores(simple, { task }, jury, { ...open, onEvent: silent });
  const found = {
    figure: auroc(scores, jury.labels)!, // both labels are there
    baseline: auroc(baseline.scores, jury.labels)!,
    count: jury.items.length / 2,
  };
  const value = found.figure.toFixed(3);
  const made = `${found.count} made-up outliers (no row of the test part is labelled anomalous)`;
  if (found.figure < 0.5)
    onEvent({
      type: 'warning',
      code: 'worse-than-chance',
      message: `${model.name} ranks ${made} below normal rows, with an AUROC of ${value}: its scores mean little. Use another model, or other options.`,
    });
  else if (found.figure < found.baseline - CLEAR)
    onEvent({
      type: 'warning',
      code: 'worse-than-baseline',
      message: `${model.name} finds ${made} less well than the distance to the mean row does, with an AUROC of ${value} against ${found.baseline.toFixed(3)}. Use another model, or other options.`,
    });
  return found;
}
