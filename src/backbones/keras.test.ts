/** A file as Keras writes it, made here, becomes the tensors of torchvision. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as hdf5 from 'h5wasm/node';
import { afterAll, describe, expect, it } from 'vitest';
import { float32 } from '../core/tensor.ts';
import { tensorsOf } from './define.ts';
import { findBackbone } from './index.ts';
import { fromKeras } from './keras.ts';
import { loadWeights } from './load.ts';

const folder = mkdtempSync(join(tmpdir(), 'oddity-keras-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('fromKeras', () => {
  it('turns kernels, also of a dense layer behind a grid, and passes over other layers', () => {
    const count = (shape: number[]) =>
      float32(
        Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i),
        shape,
      );
    const layers = new Map([
      ['conv', { name: 'features.0' }],
      ['fc1', { name: 'classifier.0', grid: [3, 1, 2] as const }],
    ]);
    const found = fromKeras(
      {
        'conv/conv/kernel:0': count([1, 2, 2, 3]), // [h, w, in, out]
        'conv/conv/bias:0': count([3]),
        'fc1/fc1_W_1:0': count([6, 2]),
        'model_weights/fc1/fc1_b_1:0': count([2]),
        'optimizer/Adam/kernel:0': count([2]),
      },
      layers,
    );
    expect(Object.keys(found).sort()).toEqual([
      'classifier.0.bias',
      'classifier.0.weight',
      'features.0.bias',
      'features.0.weight',
    ]);
    const weight = found['features.0.weight'];
    expect(weight.shape).toEqual([3, 2, 1, 2]);
    // Output 0: input 0 at both places, then input 1.
    expect(Array.from(weight.data as Float32Array).slice(0, 4)).toEqual([0, 6, 3, 9]);
    // Row (place, channel) of Keras is column (channel, place) here.
    expect(Array.from(found['classifier.0.weight'].data as Float32Array)).toEqual([
      0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11,
    ]);
  });
});

describe('an .h5 file', () => {
  it('gives VGG-16 without its classifier', async () => {
    await hdf5.ready;
    const vgg = findBackbone('vgg16');
    const path = join(folder, 'vgg16.h5');
    const file = new hdf5.File(path, 'w');
    const names = new Map([...vgg.keras!].map(([layer, { name }]) => [name, layer]));
    for (const [name, shape] of tensorsOf(vgg, ['relu5_3'])) {
      const layer = names.get(name.replace(/\.(weight|bias)$/, ''))!;
      const turned = shape.length === 4 ? [shape[2], shape[3], shape[1], shape[0]] : [...shape];
      const size = turned.reduce((a, b) => a * b);
      const group = (file.get(layer) as hdf5.Group | null) ?? file.create_group(layer);
      const data = new Float32Array(size).fill(0.5);
      data[1] = 2; // of the second output
      group.create_dataset({ name: shape.length === 4 ? 'kernel:0' : 'bias:0', data, shape: turned });
    }
    file.close();
    const found = await loadWeights(vgg, { root: folder, path });
    expect(Object.keys(found)).toEqual([...tensorsOf(vgg, ['relu5_3']).keys()]);
    const { data, shape } = found['features.2.weight'];
    expect(shape).toEqual([64, 64, 3, 3]);
    expect([data[0], data[64 * 9]]).toEqual([0.5, 2]);
  }, 60_000);

  it('of another network is refused, with the layers that tell', async () => {
    await hdf5.ready;
    const write = (name: string, layers: string[]) => {
      const path = join(folder, name);
      const file = new hdf5.File(path, 'w');
      for (const layer of layers)
        file.create_group(layer).create_dataset({ name: 'kernel:0', data: new Float32Array(1), shape: [1, 1, 1, 1] });
      file.close();
      return path;
    };
    // All layers of VGG-16 are in the file of VGG-19 too.
    const deeper = write(
      'vgg19.h5',
      [...findBackbone('vgg19').keras!.keys()].filter((name) => /conv/.test(name)),
    );
    await expect(loadWeights(findBackbone('vgg16'), { root: folder, path: deeper })).rejects.toMatchObject({
      code: 'weights-mismatch',
      message: expect.stringMatching(
        /must hold the layers of VGG-16, but has block3_conv4, block4_conv4, block5_conv4, which are not\s+its own/,
      ),
    });
    const residual = write('resnet.h5', ['conv1_conv', 'conv2_block1_1_conv']);
    await expect(loadWeights(findBackbone('vgg19'), { root: folder, path: residual })).rejects.toMatchObject({
      code: 'weights-mismatch',
      message: expect.stringContaining('conv1_conv, conv2_block1_1_conv'),
    });
  });

  it('is refused where it is none, and for networks that Keras names in another way', async () => {
    const path = join(folder, 'none.h5');
    writeFileSync(path, 'no HDF5 at all');
    await expect(loadWeights(findBackbone('vgg19'), { root: folder, path })).rejects.toMatchObject({
      code: 'bad-magic',
    });
    await expect(loadWeights(findBackbone('resnet18'), { root: folder, path })).rejects.toMatchObject({
      code: 'weights-kind',
    });
  });
});
