/** The engine as the command line uses it, loaded when a command needs it so that `--help` stays quick. */
import type * as Engine from '../runs/index.ts';

export type {
  Comparison,
  ListedRun,
  PredictResult,
  RunReport,
  ThresholdPolicy,
  ThresholdReport,
  TrainOptions,
} from '../runs/index.ts';

/** Loads the engine. */
export function engine(): Promise<typeof Engine> {
  return import('../runs/index.ts');
}
