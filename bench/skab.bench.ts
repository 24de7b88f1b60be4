/**
 * Detectors on SKAB's files with faults (eight sensors of a water pump; the first 400 steps of each train): VUS-PR and others, baselines first.
 * `npm run bench -- skab [--files …] [--json] [--save]`. Needs the folder `skab` below the data root.
 */
import { benchSeries } from './series-models.ts';

await benchSeries('skab');
