/** How long to train by default: what a network needs is steps, and how many passes those are follows from the data. */
import * as nn from '../../nn/index.ts';
import type { TrainingPhase } from '../define.ts';

/** Passes over `count` items that make about `steps` batches, at least 1. */
export function passesFor(steps: number, batchSize: number, count: number): number {
  return Math.max(1, Math.round((steps * batchSize) / count));
}

/** One pass that moves buffers only. */
export const buffersPass = (name: string, batchSize: number, loss: nn.Step['loss']): TrainingPhase => ({
  epochs: 1,
  batchSize,
  phase: { name, steps: [{ name, updates: [], optimizer: nn.sgd({ learningRate: 0 }), loss }] },
});
