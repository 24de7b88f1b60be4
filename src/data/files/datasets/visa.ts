/**
 * VisA: 12 objects, 9621 normal and 1200 anomalous images with pixel masks (Zou, Jeong, Pemula, Zhang, Dabeer, ECCV
 * 2022). Parts are those of its own `split_csv/1cls.csv`. Found on this machine, never downloaded.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { DataError } from '../../../core/errors.ts';
import { folderSource } from '../folder.ts';
import type { Layout, LayoutItem } from '../layout.ts';
import { readInput } from '../read-input.ts';
import { type Dataset, requireLicence } from './dataset.ts';

const categories = [
  ...['candle', 'capsules', 'cashew', 'chewinggum', 'fryum', 'macaroni1', 'macaroni2'],
  ...['pcb1', 'pcb2', 'pcb3', 'pcb4', 'pipe_fryum'],
];

/** VisA, from `<root>/visa` or `<root>/VisA_20220922`. */
export const visa: Dataset = {
  name: 'visa',
  title: 'VisA',
  licence: 'CC BY 4.0: name the authors',
  origin: 'Amazon, https://github.com/amazon-science/spot-diff',
  isOfFiles: true,
  categories,
  async load(options) {
    const { root, category = categories[0] } = options;
    const folders = ['visa', 'VisA', 'VisA_20220922'].map((name) => join(root, name));
    const folder = folders.find((path) => existsSync(join(path, 'split_csv', '1cls.csv')));
    if (!folder) {
      throw new DataError(
        'missing-data',
        `visa needs split_csv/1cls.csv, found in none of: ${folders.join(', ')}. Fetch the archive named at ` +
          `${visa.origin.split(', ')[1]} and unpack it into ${folders[0]}.`,
      );
    }
    requireLicence(visa, options);
    const layout = await readVisaLayout(folder, category);
    const { title, licence } = visa;
    return folderSource({ ...options, layout, name: `visa:${category}`, title, licence });
  },
};

/** The rows of one category: object, split, label, image, mask; paths from the folder. */
async function readVisaLayout(root: string, category: string): Promise<Layout> {
  const file = join(root, 'split_csv', '1cls.csv');
  const text = new TextDecoder().decode(await readInput(file, 'missing-data'));
  const rows = parse(text, { columns: true, bom: true, trim: true }) as Record<string, string>[];
  const items = rows.flatMap((row, i): LayoutItem[] => {
    if (row.object !== category) return [];
    const { split, label, image, mask } = row;
    if ((split !== 'train' && split !== 'test') || !['normal', 'anomaly'].includes(label) || !image) {
      throw new DataError(
        'csv-row',
        `${file}:${i + 2} must give object, split (train or test), label (normal or anomaly) and image. Fetch it again.`,
      );
    }
    const isNormal = label === 'normal';
    return [
      {
        path: join(root, image),
        id: image,
        part: split,
        label: isNormal ? 'normal' : 'abnormal',
        type: isNormal ? 'good' : 'anomaly',
        ...(mask && { mask: join(root, mask) }),
      },
    ];
  });
  if (items.length === 0) throw new DataError('no-images', `${file} lists no images of ${category}. Fetch it again.`);
  return { root, kind: 'csv', explanation: `VisA, ${category}: ${items.length} images.`, items, warnings: [] };
}
