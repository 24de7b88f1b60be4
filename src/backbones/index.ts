/** All backbones, by name. */
import { unknownName } from '../core/errors.ts';
import type { Backbone } from './define.ts';
import { mobilenet_v1_025, mobilenet_v2 } from './mobilenet.ts';
import { oddity } from './oddity.ts';
import { resnet18, resnet34, resnet50, wide_resnet50_2 } from './resnet.ts';
import { resnet50_v2 } from './resnet-v2.ts';
import { squeezenet1_1 } from './squeezenet.ts';
import { vgg16, vgg19 } from './vgg.ts';

export * from './define.ts';
export { type Convolve, oddity, oddityNetwork, oddityTaps } from './oddity.ts';

/** The one that comes with the package, then small ones first. */
export const backbones: readonly Backbone[] = [
  oddity,
  mobilenet_v1_025,
  squeezenet1_1,
  mobilenet_v2,
  resnet18,
  resnet34,
  resnet50_v2,
  resnet50,
  wide_resnet50_2,
  vgg16,
  vgg19,
];

/** The backbone of a name; throws ConfigError, offering the nearest. */
export function findBackbone(name: string): Backbone {
  const found = backbones.find((b) => b.name === name);
  if (found) return found;
  throw unknownName(
    'backbone',
    name,
    backbones.map((b) => b.name),
  );
}
