/**
 * Anomalies planted into measured series that are taken to be normal: pieces of channels of SKAB's file without anomalies and
 * of the training parts of SMD. Node only.
 */
import { Rng } from '../../core/random.ts';
import { skab } from '../../data/files/datasets/series/skab.ts';
import { smd } from '../../data/files/datasets/series/smd.ts';
import { type Series, stepsOf } from '../../data/series/series.ts';
import { windowLength } from '../../data/series/window-length.ts';
import { anomalyKinds, type LabelledSeries, plant } from './anomalies.ts';

/** Pieces of each source, and how long they are. */
const PIECES = { count: 64, least: 1500, most: 4000 };
/** Different values that a piece must have, for in others nothing can be planted in units of their own. */
const LEAST_VALUES = 20;

/**
 * 128 series from below a data folder: SKAB's normal file and SMD's training parts, 64 each; the first share of each, `behind`, is
 * as it was. DataError where they are absent.
 */
export async function plantedSeries(root: string, seed: number, behind?: number): Promise<LabelledSeries[]> {
  const normal = (await skab.read('anomaly-free', root)).series;
  const machines: Series[] = [];
  for (const machine of smd.categoriesAt(root)) {
    const { series } = await smd.read(machine, root);
    machines.push(...series.filter(({ id }) => id.endsWith('/train')));
  }
  return [...pieces('skab', normal, seed, behind), ...pieces('smd', machines, seed, behind)];
}

function pieces(family: string, sources: readonly Series[], seed: number, behind?: number): LabelledSeries[] {
  const rng = new Rng(seed).split('planted-series').split(family);
  const found: LabelledSeries[] = [];
  while (found.length < PIECES.count) {
    const source = sources[rng.int(sources.length)];
    const [channels, channel] = [source.channels.length, rng.int(source.channels.length)];
    const steps = PIECES.least + rng.int(PIECES.most - PIECES.least);
    const from = rng.int(stepsOf(source) - steps);
    const values = new Float64Array(steps).map((_, t) => source.values[(from + t) * channels + channel]);
    if (new Set(values).size < LEAST_VALUES) continue;
    const anomaly = anomalyKinds[found.length % anomalyKinds.length];
    const id = `${source.id} ${source.channels[channel]} ${from}`;
    const series = { id: `${id}-${anomaly}`, family, values, period: windowLength(values) };
    found.push(plant(series, anomaly, rng.split(id), behind));
  }
  return found;
}
