/**
 * The pixels of many maps in bounded memory, read back as counts at each distinct score. Up to `capacity` pixels are
 * kept one by one. Beyond that they are folded into bins: scores that agree in their leading float32 bits share one,
 * and as many bits count as `bins` bins can tell apart. Maps with few distinct scores thus stay exact for ever.
 */
import { sortKeys, toKeys } from './pixel-order.ts';
import { connectedRegions, mustCover } from './regions.ts';

/** How much is kept. */
export interface PixelStoreOptions {
  /** Pixels kept one by one: 4 bytes each, 8 for an anomalous one, twice that while they are sorted. */
  readonly capacity: number;
  /** Most bins after folding, at least 2: 28 bytes each, twice that while folding. */
  readonly bins: number;
}

/** Takes the counts at one distinct score: normal pixels, anomalous ones, and Σ 1 / |region| over the anomalous ones. */
export type Visit = (normals: number, anomalous: number, weight: number, key: number) => void;

type Keys = Int32Array<ArrayBuffer>;

/** Counts by key, keys rising. */
interface Bins {
  readonly keys: Keys;
  readonly normals: Float64Array;
  readonly anomalous: Float64Array;
  readonly weights: Float64Array;
}

const emptyBins = (length: number): Bins => ({
  keys: new Int32Array(length),
  normals: new Float64Array(length),
  anomalous: new Float64Array(length),
  weights: new Float64Array(length),
});

/** A list of integers that doubles its memory when it is full. */
class Growing<T extends Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>> {
  length = 0;
  private items: T;
  private readonly make: (length: number) => T;

  constructor(make: (length: number) => T) {
    this.make = make;
    this.items = make(0);
  }

  append(values: T): void {
    const length = this.length + values.length;
    if (length > this.items.length) {
      const larger = this.make(Math.max(length, 2 * this.items.length));
      larger.set(this.view());
      this.items = larger;
    }
    this.items.set(values, this.length);
    this.length = length;
  }

  /** The values, in the memory of this list. */
  view(): T {
    return this.items.subarray(0, this.length) as T;
  }

  replace(values: T): void {
    this.items = values;
    this.length = values.length;
  }
}

export class PixelStore {
  /** Pixels so far, by kind. */
  normals = 0;
  anomalous = 0;
  /** Connected regions so far. */
  regions = 0;
  /** Pixels that are not a number; they are counted above but their place in the order means nothing. */
  notNumbers = 0;
  /** Trailing bits of a score that folding ignores; 0 while the counts are exact. */
  droppedBits = 0;

  private readonly options: PixelStoreOptions;
  private readonly normalKeys = new Growing((length) => new Int32Array(length));
  private readonly anomalousKeys = new Growing((length) => new Int32Array(length));
  /** The size of the region of each anomalous pixel. */
  private readonly regionSizes = new Growing((length) => new Uint32Array(length));
  private isSorted = true;
  private bins = emptyBins(0);

  constructor(options: PixelStoreOptions) {
    this.options = options;
  }

  /**
   * Adds one picture; a mask pixel is anomalous unless 0, and normal pixels whose `counted` is 0 are left out. Throws
   * ShapeError for lengths that differ from height · width.
   */
  add(map: Float32Array, mask: Uint8Array, height: number, width: number, counted?: Uint8Array): void {
    mustCover('A map', map, height, width);
    mustCover('A mask', mask, height, width);
    if (counted) mustCover('What is counted', counted, height, width);
    if (this.normalKeys.length + this.anomalousKeys.length + map.length > this.options.capacity) this.fold();
    const { keys, notNumbers } = toKeys(new Float32Array(map));
    let anomalousCount = 0;
    for (let i = 0; i < mask.length; i++) if (mask[i] !== 0) anomalousCount++;
    this.notNumbers += notNumbers;
    this.anomalous += anomalousCount;
    this.isSorted = false;
    if (anomalousCount === 0 && !counted) {
      this.normals += keys.length;
      this.normalKeys.append(keys);
      return;
    }
    const { label, regions } = connectedRegions(mask, height, width);
    this.regions += regions.length;
    const anomalousKeys = new Int32Array(anomalousCount);
    const sizes = new Uint32Array(anomalousCount);
    let normals = 0;
    let anomalous = 0;
    for (let i = 0; i < keys.length; i++) {
      if (label[i] === 0) {
        if (counted?.[i] !== 0) keys[normals++] = keys[i];
      } else {
        anomalousKeys[anomalous] = keys[i];
        sizes[anomalous++] = regions[label[i] - 1].area;
      }
    }
    this.normals += normals;
    this.normalKeys.append(keys.subarray(0, normals));
    this.anomalousKeys.append(anomalousKeys);
    this.regionSizes.append(sizes);
  }

  /**
   * Visits the counts from the highest score down. By `'score'` each distinct score or bin is a visit of its own; by
   * `'step'` normal pixels between two scores of anomalous ones come in one visit, which leaves every curve as it is:
   * there it runs straight; such a visit ends before scores below `stop`. O(pixels) for the pixels added since the last walk.
   */
  walk(by: 'score' | 'step', visit: Visit, stop = Number.NEGATIVE_INFINITY): void {
    this.sort();
    const { bins, droppedBits } = this;
    const normal = this.normalKeys.view();
    const anomalous = this.anomalousKeys.view();
    const sizes = this.regionSizes.view();
    // The next key of each list, without its dropped bits; -Infinity at the end of a list.
    const keyAt = (keys: Keys, i: number) =>
      i < 0 ? Number.NEGATIVE_INFINITY : (keys[i] >> droppedBits) << droppedBits;
    let i = normal.length - 1;
    let j = anomalous.length - 1;
    let k = bins.keys.length - 1;
    while (i >= 0 || j >= 0 || k >= 0) {
      const other = Math.max(keyAt(anomalous, j), keyAt(bins.keys, k));
      const key = Math.max(keyAt(normal, i), other);
      const floor = by === 'step' && key > other ? (key >= stop ? Math.max(other, stop - 1) : other) : key - 1;
      let normals = 0;
      let anomalies = 0;
      let weight = 0;
      for (; i >= 0 && (normal[i] >> droppedBits) << droppedBits > floor; i--) normals++;
      for (; keyAt(anomalous, j) === key; j--) {
        anomalies++;
        weight += 1 / sizes[j];
      }
      for (; keyAt(bins.keys, k) === key; k--) {
        normals += bins.normals[k];
        anomalies += bins.anomalous[k];
        weight += bins.weights[k];
      }
      visit(normals, anomalies, weight, key);
    }
  }

  private sort(): void {
    if (this.isSorted) return;
    this.normalKeys.replace(sortKeys(this.normalKeys.view()).keys);
    const { keys, values } = sortKeys(this.anomalousKeys.view(), this.regionSizes.view());
    this.anomalousKeys.replace(keys);
    this.regionSizes.replace(values!);
    this.isSorted = true;
  }

  /** Moves all pixels into bins, dropping no more bits than needed. */
  private fold(): void {
    // Two neighbours in the order stay apart when a bit differs that is not dropped; so one walk tells the number of
    // distinct keys for every number of dropped bits.
    const highestDifference = new Float64Array(32);
    let before: number | undefined;
    this.walk('score', (_normals, _anomalous, _weight, key) => {
      if (before !== undefined) highestDifference[31 - Math.clz32(key ^ before)]++;
      before = key;
    });
    let dropped = 31;
    let distinct = 1 + highestDifference[31];
    while (dropped > this.droppedBits && distinct + highestDifference[dropped - 1] <= this.options.bins) {
      dropped--;
      distinct += highestDifference[dropped];
    }
    this.droppedBits = dropped;

    const bins = emptyBins(distinct);
    let at = distinct;
    this.walk('score', (normals, anomalous, weight, key) => {
      at--;
      bins.keys[at] = key;
      bins.normals[at] = normals;
      bins.anomalous[at] = anomalous;
      bins.weights[at] = weight;
    });
    this.bins = at === 0 ? bins : emptyBins(0);
    this.normalKeys.replace(new Int32Array(0));
    this.anomalousKeys.replace(new Int32Array(0));
    this.regionSizes.replace(new Uint32Array(0));
  }
}
