/**
 * What a step learns from: an image as bytes and, behind it, what its heads are to say. Each is made when it is first asked
 * for and kept in a file with the upper halves of their floats, so that a later pass, or a later sitting, does not ask the teachers again.
 */
import { open } from 'node:fs/promises';
import { float32 } from '../../src/core/tensor.ts';
import type { Source } from '../../src/data/index.ts';
import type { Session } from '../../src/runtime/index.ts';
import type { Supply } from './images.ts';
import { heads } from './targets.ts';

export interface ItemOptions {
  readonly supply: Supply;
  readonly targets: Session;
  /** Images of a batch of `targets`, and in all. */
  readonly batch: number;
  readonly images: number;
  readonly side: number;
  /** Planes of the size of the image that hold the targets. */
  readonly planes: number;
  /** Where items are kept, and what they depend on. */
  readonly file: string;
  readonly hash: string;
}

/** Images with their targets, `[3 + planes, side, side]`. The file must be of the same supply and the same targets. */
export async function openItems(options: ItemOptions): Promise<{ source: Source; close(): Promise<void> }> {
  const { supply, targets, batch, images, side, planes, file: path, hash } = options;
  const area = side * side;
  const size = (3 + planes) * area;
  /** The image, the targets, and a byte that is 1 once both were written. */
  const record = 3 * area + 2 * planes * area + 1;
  const file = await open(path, 'r+').catch(() => open(path, 'w+'));
  const buffer = new ArrayBuffer(4 * planes * area);
  const [values, bits] = [new Float32Array(buffer), new Uint32Array(buffer)];

  /** Makes what is not there yet, a batch at a time. */
  async function make(numbers: readonly number[]): Promise<void> {
    const data = new Float32Array(batch * 3 * area);
    numbers.forEach((number, i) => {
      const image = supply(number);
      for (let p = 0; p < image.length; p++) data[i * image.length + p] = Math.round(255 * image[p]) / 255;
    });
    const found = await targets.run({ image: float32(data, [batch, 3, side, side]) });
    for (const [i, number] of numbers.entries()) {
      let at = 0;
      for (const head of heads) {
        const all = found[head].data as Float32Array;
        const per = all.length / batch;
        values.set(all.subarray(i * per, (i + 1) * per), at);
        at += per;
      }
      const bytes = Buffer.alloc(record);
      for (let p = 0; p < 3 * area; p++) bytes[p] = Math.round(255 * data[i * 3 * area + p]);
      for (let p = 0; p < bits.length; p++) bytes.writeUInt16LE((bits[p] + 0x8000) >>> 16, 3 * area + 2 * p);
      bytes[record - 1] = 1;
      await file.write(bytes, 0, record, number * record);
    }
  }

  const source: Source = {
    name: 'distillation',
    kind: 'image',
    title: 'Images with features as targets',
    licence: 'see weights/README.md',
    shape: [3 + planes, side, side],
    classes: ['any'],
    items: Array.from({ length: images }, (_, i) => ({ id: `made/${i}`, class: 0, part: 'train' as const })),
    hash,
    async read(indices, into) {
      const bytes = Buffer.alloc(record);
      const isThere = async (number: number) => {
        bytes[record - 1] = 0;
        await file.read(bytes, 0, record, number * record);
        return bytes[record - 1] === 1;
      };
      const missing: number[] = [];
      for (const number of new Set(Array.from(indices))) if (!(await isThere(number))) missing.push(number);
      for (let at = 0; at < missing.length; at += batch) await make(missing.slice(at, at + batch));
      for (let i = 0; i < indices.length; i++) {
        await isThere(indices[i]);
        for (let p = 0; p < 3 * area; p++) into[i * size + p] = bytes[p] / 255;
        for (let p = 0; p < bits.length; p++) bits[p] = bytes.readUInt16LE(3 * area + 2 * p) << 16;
        into.set(values, i * size + 3 * area);
      }
    },
  };
  return { source, close: () => file.close() };
}
