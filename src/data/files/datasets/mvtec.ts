/**
 * MVTec AD: 15 kinds of objects and textures, 3629 good images to train on and 1725 to test with, with pixel masks
 * (Bergmann, Fauser, Sattlegger, Steger, CVPR 2019). Found on this machine, never downloaded: its makers ask who takes it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../../../core/errors.ts';
import { folderSource } from '../folder.ts';
import { readLayout } from '../layout.ts';
import { type Dataset, requireLicence } from './dataset.ts';

const categories = [
  ...['bottle', 'cable', 'capsule', 'carpet', 'grid', 'hazelnut', 'leather', 'metal_nut'],
  ...['pill', 'screw', 'tile', 'toothbrush', 'transistor', 'wood', 'zipper'],
];

/** MVTec AD, from `<root>/mvtec/<category>` or the name of its archive, `<root>/mvtec_anomaly_detection/<category>`. */
export const mvtec: Dataset = {
  name: 'mvtec',
  title: 'MVTec AD',
  licence: 'CC BY-NC-SA 4.0: name the authors, no commercial use, share alike',
  origin: 'MVTec Software GmbH, https://www.mvtec.com/company/research/datasets/mvtec-ad',
  isOfFiles: true,
  categories,
  async load(options) {
    const { root, category = categories[0] } = options;
    const folders = ['mvtec', 'mvtec_ad', 'mvtec_anomaly_detection'].map((name) => join(root, name, category));
    const folder = folders.find((path) => existsSync(join(path, 'train', 'good')));
    if (!folder) {
      throw new DataError(
        'missing-data',
        `mvtec:${category} needs the folder train/good, found in none of: ${folders.join(', ')}. ` +
          `Fetch the archive from ${mvtec.origin.split(', ')[1]} and unpack it into ${join(root, 'mvtec')}.`,
      );
    }
    requireLicence(mvtec, options);
    const { title, licence } = mvtec;
    return folderSource({ ...options, layout: await readLayout(folder), name: `mvtec:${category}`, title, licence });
  },
};
