/** The inputs of training steps: batches, labels, random draws and rates, each a pure function of the iteration. */
import type { Rng } from '../../core/random.ts';
import { sizeOf } from '../../core/shape.ts';
import { float32, type Tensors } from '../../core/tensor.ts';
import { augment } from '../../data/pure.ts';
import { sample } from '../../nn/scope.ts';
import type { AssembledPhase, Feed } from '../../nn/training.ts';
import type { Session } from '../../runtime/index.ts';
import type { FitOptions } from './contract.ts';
import { classesOf } from './items.ts';
import { positionsOf } from './order.ts';
import type { Plan } from './plan.ts';
import { openPlanter } from './plant.ts';

/** Makes the inputs of iterations of one phase: a pure function of the iteration. */
export class Feeder {
  private readonly feeds: readonly Feed[];
  /** By slot: positions in `train` of the batch of an iteration. */
  private readonly orders = new Map<number, (iteration: number) => Uint32Array>();
  private readonly classes: readonly number[];
  private readonly plant: ReturnType<typeof openPlanter>;

  constructor(
    assembled: AssembledPhase,
    session: Session,
    private readonly data: Pick<FitOptions, 'source' | 'train' | 'labels' | 'rng' | 'augment' | 'readTextures'>,
    private readonly plan: Plan,
  ) {
    this.feeds = assembled.feeds.filter((f) => session.inputs.includes(f.name));
    this.classes = classesOf(data);
    this.plant = openPlanter(plan.defects ?? {}, data.source.shape, data.readTextures);
    for (const feed of this.feeds) {
      if (feed.kind === 'draw' || feed.kind === 'rate') continue;
      const rng = data.rng.split('batches').split(plan.phase.name).split(feed.slot);
      this.orders.set(feed.slot, positionsOf(data, plan, rng));
    }
  }

  /** Bytes that one iteration needs. */
  get bytes(): number {
    return this.feeds.reduce((n, f) => n + 4 * (f.kind === 'rate' ? 1 : sizeOf(shapeOf(f))), 0);
  }

  /** Feeds of `count` iterations, each with a leading axis of that length. */
  async at(first: number, count: number): Promise<Tensors> {
    const { train, labels, rng, source } = this.data;
    const { phase, batchSize, total } = this.plan;
    const feeds: Tensors = {};
    // What several feeds are made of is made once.
    const read = once((slot) => this.imagesOf(slot, first, count));
    const planted = once(async (slot) => this.plantedOn(await read(slot), slot, first, count));
    for (const feed of this.feeds) {
      const shape = shapeOf(feed);
      const size = sizeOf(shape);
      let data = new Float32Array(feed.kind === 'batch' ? 0 : count * size);
      if (feed.kind === 'batch') {
        data = await read(feed.slot);
      } else if (feed.kind === 'planted' || feed.kind === 'masks') {
        const { images, masks } = await planted(feed.slot);
        data = feed.kind === 'planted' ? images : masks;
      } else if (feed.kind === 'labels') {
        const positionsAt = this.orders.get(feed.slot)!;
        for (let k = 0; k < count && labels; k++) {
          for (const [i, position] of positionsAt(first + k).entries()) data[k * batchSize + i] = labels[position];
        }
      } else if (feed.kind === 'classes') {
        const positionsAt = this.orders.get(feed.slot)!;
        for (let k = 0; k < count; k++) {
          for (const [i, position] of positionsAt(first + k).entries()) {
            const one = this.classes.indexOf(source.items[train[position]].class);
            data[k * size + i * this.classes.length + one] = 1;
          }
        }
      } else if (feed.kind === 'draw') {
        const stream = rng.split('draw').split(phase.name).split(feed.name);
        for (let k = 0; k < count; k++) {
          data.set(sample(feed.draw, stream.split(first + k)), k * size);
        }
      } else if (feed.kind === 'rate') {
        for (let k = 0; k < count; k++) data[k] = feed.rate(first + k, total);
      }
      feeds[feed.name] = float32(data, [count, ...shape]);
    }
    return feeds;
  }

  /** The batches of a slot over `count` iterations, `[count · N, ...shape]`. */
  private async imagesOf(slot: number, first: number, count: number): Promise<Float32Array<ArrayBuffer>> {
    const { source, train, rng } = this.data;
    const { phase, batchSize } = this.plan;
    const size = batchSize * sizeOf(source.shape);
    const positionsAt = this.orders.get(slot)!;
    const indices = new Uint32Array(count * batchSize);
    for (let k = 0; k < count; k++) {
      const positions = positionsAt(first + k);
      for (let i = 0; i < batchSize; i++) indices[k * batchSize + i] = train[positions[i]];
    }
    const data = new Float32Array(count * size);
    await source.read(indices, data);
    const stream = rng.split('augment').split(phase.name).split(slot);
    for (let k = 0; k < count; k++) this.vary(data.subarray(k * size, (k + 1) * size), stream.split(first + k));
    return data;
  }

  /** The same with synthetic defects, and the masks. */
  private async plantedOn(batches: Float32Array, slot: number, first: number, count: number) {
    const stream = this.data.rng.split('defects').split(this.plan.phase.name).split(slot);
    const size = batches.length / count;
    const [images, masks] = [
      new Float32Array(batches.length),
      new Float32Array(batches.length / this.data.source.shape[0]),
    ];
    for (let k = 0; k < count; k++) {
      const made = await this.plant(batches.subarray(k * size, (k + 1) * size), stream.split(first + k));
      images.set(made.images, k * size);
      masks.set(made.masks, k * made.masks.length);
    }
    return { images, masks };
  }

  /** Puts a random variant of each image of a batch in its place. */
  private vary(batch: Float32Array, rng: Rng): void {
    const { source, augment: options } = this.data;
    if (!options) return;
    const [channels, height, width] = source.shape;
    const size = channels * height * width;
    for (let i = 0; i < this.plan.batchSize; i++) {
      const image = batch.subarray(i * size, (i + 1) * size);
      image.set(augment({ channels, height, width, image }, options, rng.split(i)).image);
    }
  }
}

/** A function of a slot that works each out once. */
function once<T>(make: (slot: number) => Promise<T>): (slot: number) => Promise<T> {
  const known = new Map<number, Promise<T>>();
  return (slot) => {
    const found = known.get(slot) ?? make(slot);
    known.set(slot, found);
    return found;
  };
}

function shapeOf(feed: Feed): readonly number[] {
  if (feed.kind === 'rate') return [];
  return feed.kind === 'draw' ? feed.draw.shape : feed.shape;
}
