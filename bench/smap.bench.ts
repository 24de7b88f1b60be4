/**
 * Detectors on the channels of SMAP and MSL that are here (telemetry and commands; a series of each trains): VUS-PR and others, baselines first.
 * `npm run bench -- smap [--files …] [--json] [--save]`. Needs the folder `smap_msl` below the data root.
 */
import { benchSeries } from './series-models.ts';

await benchSeries('smap');
