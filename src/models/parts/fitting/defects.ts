/** Options of models that are trained on synthetic defects, and what they mean to a training phase. */
import * as z from 'zod';
import type { TrainingPhase } from '../../define.ts';
import { levelsFor } from '../nets/sizes.ts';
import * as common from '../options.ts';
import { epochsFor } from './epochs.ts';

export const defectOptions = {
  defectShare: common.share(0.5, 'Share of the training images that get a defect.'),
  filling: z
    .enum(['texture', 'self', 'both'])
    .default('both')
    .describe('What defects are made of: a foreign texture, another place of the image, or either.'),
  textures: z
    .string()
    .default('')
    .describe('Folder of foreign images to fill defects with; empty for textures made by rule.'),
};

const schema = z.object(defectOptions);

/** The defects of a phase. */
export const defectsOf = ({ defectShare, filling, textures }: z.infer<typeof schema>): TrainingPhase['defects'] => ({
  share: defectShare,
  filling,
  ...(textures && { textureFolder: textures }),
});

/** Training steps by default. */
const STEPS = 600;

/** Defaults for images of a size: how deep a segmentation network is, and how long it trains on `count` images. */
export function defectDefaults(shape: readonly number[], count: number) {
  const side = Math.min(...shape.slice(1));
  const batchSize = side < 64 ? 16 : 8;
  return { levels: levelsFor(side, 5), batchSize, epochs: epochsFor(STEPS, batchSize, count) };
}
