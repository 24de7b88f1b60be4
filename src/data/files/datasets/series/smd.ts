/**
 * Server Machine Dataset: machines of a company with 38 measures, a step a minute; a normal series and one to judge each (Su et
 * al., KDD 2019). Found on this machine, never downloaded. Node only.
 */
import { join } from 'node:path';
import { DataError } from '../../../../core/errors.ts';
import { readNpy } from '../../../formats/npy.ts';
import { readInput } from '../../read-input.ts';
import { absentData, findFiles } from '../dataset.ts';
import { fileNames, readNumbers, requireCategory, type SeriesDataset } from './series-dataset.ts';

const files = ['train.npy', 'test.npy', 'test_label.txt'];

/** SMD, from `<root>/smd/<machine>/`: `smd/machine-1-2` are two series, `train` and `test`. */
export const smd: SeriesDataset = {
  name: 'smd',
  title: 'Server Machine Dataset',
  licence: 'MIT',
  origin: 'Su et al. 2019, https://github.com/NetManAIOps/OmniAnomaly',
  example: 'machine-1-2',
  categoriesAt: (root) => fileNames(join(root, 'smd')).filter((name) => name.startsWith('machine-')),
  async read(category, root) {
    requireCategory(smd, category, root);
    const folder = join(root, 'smd', category);
    const paths = findFiles([folder], files);
    if (!paths) throw absentData(`smd/${category}`, files.join(', '), [folder], smd.origin);
    const [train, test] = [await readMatrix(paths[0]), await readMatrix(paths[1])];
    const labels = Uint8Array.from(await readNumbers(paths[2]), (value) => Number(value !== 0));
    if (labels.length !== test.steps || train.width !== test.width) {
      throw new DataError(
        'count-mismatch',
        `smd/${category} must have a label for each step, and as many columns for training as for testing, but has ${labels.length} labels, ` +
          `${test.steps} steps, and ${train.width} and ${test.width} columns. Fetch it again.`,
      );
    }
    // Numbered as in its file of interpretations.
    const channels = Array.from({ length: test.width }, (_, d) => `metric ${d + 1}`);
    return {
      series: trainAndTest(category, channels, train, { ...test, labels }),
      title: `${smd.title}: ${category}`,
      licence: smd.licence,
    };
  },
};

interface Matrix {
  readonly values: Float64Array;
  readonly steps: number;
  readonly width: number;
}

/** Steps of some columns. Throws DataError `npy-shape` for another array, and as `readNpy`. */
export async function readMatrix(path: string): Promise<Matrix> {
  const { shape, data } = await readNpy(await readInput(path, 'missing-data'), path);
  if (shape.length !== 2 || shape[0] === 0 || shape[1] === 0) {
    throw new DataError(
      'npy-shape',
      `${path} must be an array of steps and columns, found [${shape.join(',')}]. Fetch it again.`,
    );
  }
  return { values: Float64Array.from(data as Float32Array), steps: shape[0], width: shape[1] };
}

/** A series that is normal throughout, for training, and one to judge. */
export function trainAndTest(
  name: string,
  channels: readonly string[],
  train: Matrix,
  test: Matrix & { readonly labels: Uint8Array },
) {
  const rows = (steps: number) => Uint32Array.from({ length: steps }, (_, t) => t + 1);
  return [
    {
      ...{ id: `${name}/train`, channels, values: train.values, rows: rows(train.steps) },
      ...{ labels: new Uint8Array(train.steps), train: train.steps },
    },
    { id: `${name}/test`, channels, values: test.values, rows: rows(test.steps), labels: test.labels, train: 0 },
  ];
}
