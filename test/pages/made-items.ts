/** Items of each kind, made by rule alike in the page and in Node, for families.test.ts. */
import { Rng } from '../../dist/core/random.js';
import { movingSquares } from '../../dist/data/clips/moving-squares.js';
import { encodePng } from '../../dist/data/formats/png.js';
import { memorySource } from '../../dist/data/memory.js';
import { clipSource, type Series, type Source } from '../../dist/data/pure.js';
import { objectRows, type RowObject } from '../../dist/data/table/object-rows.js';
import { tableSource } from '../../dist/data/table/source.js';
import { readTable } from '../../dist/data/table/table.js';

/** Sides of the images. Those that are scored are larger, so that resizing takes part. */
export const side = 32;
const count = 20;

/** Bytes of a tile with a slope and noise, 3 channels one after the other; an anomalous one has a dark square. */
function tile(seed: number, width: number, height: number, isAnomalous: boolean): Uint8Array {
  const noise = new Rng(seed).normals(3 * width * height);
  return Uint8Array.from(noise, (n, i) => {
    const p = i % (width * height);
    const [x, y] = [(p % width) / width, Math.floor(p / width) / height];
    const isInside = isAnomalous && x > 0.3 && x < 0.6 && y > 0.4 && y < 0.7;
    return Math.max(0, Math.min(255, Math.round(90 + 60 * x + 30 * y + 4 * n - (isInside ? 60 : 0))));
  });
}

/** A PNG of 40 x 48, which no model takes as it is. */
export function picture(seed: number, isAnomalous = false): Uint8Array {
  const [width, height] = [40, 48];
  const planes = tile(seed, width, height, isAnomalous);
  const area = width * height;
  const data = planes.map((_, i) => planes[(i % 3) * area + Math.floor(i / 3)]);
  return encodePng({ width, height, channels: 3, data });
}

/** To thousandths: logarithms, sines and cosines of two engines differ in the last bit. */
const rounded = (value: number) => Math.round(1000 * value) / 1000;

/** Rows about a line, with a column of texts; an anomalous one is far from it. */
export function row(seed: number, isAnomalous = false): RowObject {
  if (isAnomalous) return { w: 5, x: -5, y: 5, z: -5, side: 'left' };
  const [a, b, c, d] = Array.from(new Rng(seed).normals(4), rounded);
  return {
    w: a,
    x: rounded(a + b / 5),
    y: rounded(a + c / 5),
    z: d,
    side: a > 0 ? 'right' : 'left',
  };
}

/** Two channels that go up and down, with one jump where `isAnomalous`. */
export function waves(steps: number, isAnomalous = false): Series {
  const noise = new Rng(steps).normals(2 * steps, 0, 0.05);
  const values = Float64Array.from({ length: 2 * steps }, (_, i) => {
    const t = Math.floor(i / 2);
    const jump = isAnomalous && t >= steps - 40 && t < steps - 30 ? 3 : 0;
    return rounded(Math.abs(((t + 5 * (i % 2)) % 20) - 10) / 5 + noise[i] + jump);
  });
  return { id: 'waves', channels: ['a', 'b'], values };
}

/** Classes of items that train: for models that learn from labels some are anomalous. */
export async function trainingSource(kind: string, isLabelled: boolean): Promise<Source> {
  const labels = Uint8Array.from({ length: kind === 'table' ? 200 : count }, (_, i) =>
    Number(isLabelled && i % 4 === 3),
  );
  const about = { licence: 'none needed: generated', title: 'Made by rule', classes: ['normal', 'anomalous'] };
  if (kind === 'image') {
    const pixels = new Uint8Array(labels.length * 3 * side * side);
    for (const [i, label] of labels.entries()) pixels.set(tile(i, side, side, label === 1), i * 3 * side * side);
    const parts = [{ part: 'train' as const, labels, pixels }];
    return { ...(await memorySource({ ...about, name: 'tiles', shape: [3, side, side], parts })), normalClass: 0 };
  }
  if (kind === 'table') {
    const rows = Array.from(labels, (label, i) => row(i, label === 1));
    const { table } = readTable(objectRows(rows, 'rows'));
    return tableSource({ ...about, name: 'rows', normalClass: 0, table, labels });
  }
  throw new Error(`No source of kind ${kind}.`);
}

/** Short clips of a square that moves. */
export async function clips(): Promise<Source> {
  return clipSource({ ...(await movingSquares({ size: side, frames: 60, train: 2, test: 1 })), cacheBytes: 1e6 });
}
