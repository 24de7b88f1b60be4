/**
 * Detectors on the machines of the Server Machine Dataset that are here (38 measures of servers; a series of each trains): VUS-PR and others, baselines first.
 * `npm run bench -- smd [--files …] [--json] [--save]`. Needs the folder `smd` below the data root.
 */
import { benchSeries } from './series-models.ts';

await benchSeries('smd');
