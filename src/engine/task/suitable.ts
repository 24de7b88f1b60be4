/** Whether a model, its options and the data go together, with a sentence where they do not. */
import { ConfigError } from '../../core/errors.ts';
import type { Listener } from '../../core/events.ts';
import { option, say } from '../../core/text.ts';
import { type AugmentOptions, checkAugment, type Scaling, type Source } from '../../data/pure.ts';
import { findKind } from '../../kinds/index.ts';
import type { AnyModel } from '../../models/index.ts';
import { readsClasses } from '../fitting/items.ts';
import type { Task } from './task.ts';

/** Whether a model of rows is given windows of series: their values side by side are its row. */
export const takesWindowsForRows = ({ inputs }: AnyModel, kind: string): boolean =>
  kind === 'series' && inputs.includes('table') && !inputs.includes('series');

/** Whether a model of images is given frames of clips: it looks at the frame that a window stands for. */
export const takesFramesForImages = ({ inputs }: AnyModel, kind: string): boolean =>
  kind === 'clip' && inputs.includes('image') && !inputs.includes('clip');

/** Steps of the windows that a model asks for: of images in clips one frame; undefined where it asks for none. */
export function windowOf(model: AnyModel, config: unknown, kind: string): number | undefined {
  return takesFramesForImages(model, kind) ? 1 : model.window?.(config, kind);
}

/**
 * What is done to the numbers of a table where a user says nothing. Detectors that learn in one pass compare distances: with columns
 * of one deviation no single extreme value sets the scale of its column. Networks get inputs in [0, 1], which their outputs suit.
 */
export const scalingOf = ({ learns }: AnyModel): Scaling => (learns === 'statistics' ? 'standard' : 'min-max');

/** The smoothing of scores that a model asks for, in steps; undefined for none and for items without an order. */
export function smoothingOf(model: AnyModel, config: unknown, { kind, series }: Source): number | undefined {
  return (series && model.smoothing?.(config, kind)) || undefined;
}

/** A source as a model asks to see it, for whoever judges several models on the same items. */
export async function asAskedFor(model: AnyModel, config: unknown, source: Source): Promise<Source> {
  const window = windowOf(model, config, source.kind);
  if (window === undefined || source.series === undefined || window === source.series.window) return source;
  return (await source.seenThrough?.(window, 'model')) ?? source;
}

/** Whether a model is one of rows: it takes windows of series only where they are asked for. */
export const takesRows = ({ inputs }: AnyModel): boolean => inputs.includes('table') && !inputs.includes('series');

/** Whether a model takes items of a kind. */
export const takes = (model: AnyModel, kind: string): boolean =>
  model.inputs.includes(kind) || takesWindowsForRows(model, kind) || takesFramesForImages(model, kind);

/** Refuses data of a kind that the model does not take, and names those of `others` that do. */
export function checkKind(model: AnyModel, { name, kind }: Source, others: readonly AnyModel[] = []): void {
  if (takes(model, kind)) return;
  const takers = others.filter((m) => takes(m, kind)).map((m) => m.name);
  throw new ConfigError(
    'unsuitable',
    `${model.name} takes ${model.inputs.map((k) => findKind(k).words.items).join(' and ')}, but ${name} has ${findKind(kind).words.items}. ` +
      (takers.length > 0 ? `Models that take them: ${takers.join(', ')}.` : 'Choose another model.'),
  );
}

/** Anomalies in the training part that are fewer than this share are worth a warning. */
const RARE = 0.1;

/** Refuses a supervised model without labelled anomalies, and says when they are few. */
export function checkLabels(model: AnyModel, { split }: Task, onEvent: Listener): void {
  const anomalies = split.trainLabels.reduce((n, y) => n + y, 0);
  if (anomalies === 0) {
    throw new ConfigError(
      'no-labels',
      say`${model.name} needs labelled anomalies to train on, but the protocol ${split.protocol} gives normal items only.
        Use ${option('protocol', 'labelled')} or ${option('protocol', 'imbalance')}, or a model that needs no labels.`,
    );
  }
  const total = split.train.length;
  if (anomalies < RARE * total) {
    onEvent({
      type: 'warning',
      code: 'imbalance',
      message:
        `Only ${anomalies} of ${total} training items are anomalous (${((100 * anomalies) / total).toPrecision(2)} %): ` +
        `they are repeated often. Kinds of anomalies that are not among them may be missed.`,
    });
  }
}

/** Refuses contamination for a model that would be told what the anomalies are; supervised ones are refused before. */
export function checkUnlabelled(model: AnyModel, config: unknown, { source }: Task): void {
  if (model.learns !== 'gradient' || !readsClasses(model.phases(config, source.shape), source.shape)) return;
  throw new ConfigError(
    'contamination',
    say`Contamination hides anomalies among the normal items, but ${model.name} learns from the classes of items, which
      reveal them. Leave ${option('contamination')} out, or choose another model.`,
  );
}

/** Throws ConfigError for values that cannot be, and for models that see each item once. */
export function checkAugmented(model: AnyModel, augment: AugmentOptions): void {
  checkAugment(augment);
  if (model.learns === 'gradient') return;
  throw new ConfigError(
    'augment',
    say`Augmentation needs a model trained in epochs, but ${model.name} sees each image once. Leave
      ${option('augment')} out.`,
  );
}
