/** Schemas of options that many models have, and what they mean to a training. Words and bounds are the model's. */
import * as z from 'zod';
import * as nn from '../../nn/index.ts';

/** An integer from `least` to `most`. */
const int = (value: number, what: string, least: number, most: number) =>
  z.int().min(least).max(most).default(value).describe(what);

/** A number from 0 to `most`. */
const upTo = (most: number, value: number, what: string) => z.number().min(0).max(most).default(value).describe(what);

/** Passes over the training items. */
export const epochs = (value: number, what = 'Passes over the training images.', { most = 100000 } = {}) =>
  int(value, what, 1, most);

/** Items per training step; at least 2 where something is compared within a batch. */
export const batchSize = (value: number, what = 'Images per training step.', { least = 1, most = 4096 } = {}) =>
  int(value, what, least, most);

/** Step size of an optimiser. */
export const learningRate = (value: number, what = "Adam's learning rate.", { most = 1 } = {}) =>
  z.number().positive().max(most).default(value).describe(what);

/** Penalty on the size of weights. */
export const weightDecay = (value: number, what = 'L2 penalty added to the gradient.') => upTo(1, value, what);

/** Largest norm of a gradient. */
export const clipNorm = (value: number, what: string, { most = 1e6 } = {}) =>
  z.number().positive().max(most).default(value).describe(what);

/** Decay of a moving average of weights. */
export const average = (value: number, what: string, { most = 1 } = {}) => upTo(most, value, what);

/** Whether the learning rate falls along half a cosine. */
export const schedule = (value: 'constant' | 'cosine', what = 'Learning rate over the training.') =>
  z.enum(['constant', 'cosine']).default(value).describe(what);

/** What `schedule` says. */
export const scheduleOf = ({ schedule }: { readonly schedule: 'constant' | 'cosine' }): nn.Schedule =>
  schedule === 'cosine' ? nn.cosineDecay() : nn.constant;

/** Filters or channels of a layer. */
export const width = (value: number, what: string) => int(value, what, 1, 512);

/** Numbers of a code or of a latent vector. */
export const latent = (value: number, what: string) => int(value, what, 1, 4096);

/** Weight of a term of a loss or of a score. */
export const weight = (value: number, what: string, { most = 1e4 } = {}) => upTo(most, value, what);

/** Weight of a term without which the score rests on something that never learns, or that nothing bounds: above 0. */
export const neededWeight = (value: number, what: string, { most = 1e4 } = {}) =>
  z.number().positive().max(most).default(value).describe(what);

/** A share from 0 to 1, or to `most`. */
export const share = (value: number, what: string, { most = 1 } = {}) => upTo(most, value, what);

/** Standard deviation of a Gaussian, in pixels of images of the size that published figures are for. */
export const smoothing = (value: number) =>
  upTo(
    64,
    value,
    'Standard deviation of the blur of the map, in pixels of an image whose shorter side is 256; it grows with the image.',
  );
