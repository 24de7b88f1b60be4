/** Weights of Keras as those of PyTorch: other names, and the axes of kernels in another order. */
import { float32, type Tensor, type Tensors } from '../core/tensor.ts';

/** Where the tensors of a Keras layer belong in a network. */
export interface KerasLayer {
  /** Prefix of `weight` and `bias`. */
  readonly name: string;
  /** Of a dense layer behind a grid `[C, h, w]`, which Keras lays out as `[h, w, C]`. */
  readonly grid?: readonly [channels: number, height: number, width: number];
}

/** Names of layers of convolutions in an HDF5 file that are not of these; what an optimiser keeps is passed over. */
export function otherLayers(found: Tensors, layers: ReadonlyMap<string, KerasLayer>): string[] {
  const names = Object.entries(found)
    .filter(([path, { shape }]) => shape.length === 4 && !/^optimizer/.test(path))
    .map(([path]) => path.split('/').at(-2) ?? '');
  return [...new Set(names)].filter((name) => name !== '' && !layers.has(name));
}

/** Tensors of an HDF5 file, paths like `block1_conv1/block1_conv1/kernel:0`, as far as they are of known layers. */
export function fromKeras(found: Tensors, layers: ReadonlyMap<string, KerasLayer>): Record<string, Tensor> {
  const named: Record<string, Tensor> = {};
  for (const [path, tensor] of Object.entries(found)) {
    const parts = path.split('/');
    const layer = layers.get(parts.at(-2) ?? '');
    if (!layer) continue;
    const isBias = /(^|_)(bias|b_\d+)(:0)?$/.test(parts.at(-1)!);
    named[`${layer.name}.${isBias ? 'bias' : 'weight'}`] = isBias ? tensor : turned(tensor, layer.grid);
  }
  return named;
}

/** `[h, w, in, out]` → `[out, in, h, w]`, `[in, out]` → `[out, in]`. */
function turned(kernel: Tensor, grid?: KerasLayer['grid']): Tensor {
  const { shape } = kernel;
  const data = kernel.data as Float32Array;
  const out = new Float32Array(data.length);
  if (shape.length === 4) {
    const [h, w, inputs, outputs] = shape;
    for (let p = 0; p < h * w; p++)
      for (let i = 0; i < inputs; i++)
        for (let o = 0; o < outputs; o++) out[(o * inputs + i) * h * w + p] = data[(p * inputs + i) * outputs + o];
    return float32(out, [outputs, inputs, h, w]);
  }
  const [inputs, outputs] = shape;
  const [channels, area] = grid ? [grid[0], grid[1] * grid[2]] : [1, inputs];
  for (let i = 0; i < inputs; i++) {
    const to = grid ? (i % channels) * area + Math.floor(i / channels) : i;
    for (let o = 0; o < outputs; o++) out[o * inputs + to] = data[i * outputs + o];
  }
  return float32(out, [outputs, inputs]);
}
