import { describe, expect, it, test } from 'vitest';
import { preparations } from '../../backbones/index.ts';
import { stagesOf, tapsOf } from './features.ts';

const options = { backbone: 'vgg19', weights: '', taps: '', preparation: 'own' };

describe('preparation', () => {
  const fedTo = (some: object) => tapsOf({ ...options, ...some }).backbone.input;

  it('follows from a file of Keras where it is left to the network', () => {
    expect(fedTo({})).toBe(preparations.imagenet);
    expect(fedTo({ weights: 'vgg19.pth' })).toBe(preparations.imagenet);
    for (const weights of ['vgg19.h5', 'folder/VGG.HDF5']) expect(fedTo({ weights })).toBe(preparations.caffe);
    expect(preparations.caffe).toEqual({
      order: 'bgr',
      scale: 255,
      mean: [103.939, 116.779, 123.68],
      std: [1, 1, 1],
    });
  });

  it('is what the option says otherwise', () => {
    expect(fedTo({ weights: 'vgg19.h5', preparation: 'imagenet' })).toBe(preparations.imagenet);
  });
});

test.each([
  ['resnet18', 'layer1,layer2,layer3'],
  ['wide_resnet50_2', 'layer1,layer2,layer3'],
  ['resnet50_v2', 'stage1,stage2,stage3'],
  ['squeezenet1_1', 'features.4,features.7,features.12'],
  ['vgg19', 'relu3_4,relu4_4,relu5_4'],
  ['oddity', 'finest,fine,coarse'],
  ['oddity_v0', ''], // two grids
])('a pyramid of %s is of strides 4, 8 and 16', (backbone, taps) => {
  expect(stagesOf({ ...options, backbone }).taps).toBe(taps);
  expect(stagesOf({ ...options, backbone, taps: 'one' }).taps).toBe('one');
});
