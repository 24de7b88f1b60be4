/** A project of Studio with a few made images: pictures, a version that lists them, and what the database says of both. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Rng } from '../../dist/core/random.js';
import { encodePng } from '../../dist/data/index.js';
import { openDatabase } from '../../dist/studio/store/database.js';

export const VERSION = 'abcdef0123456789';
const SIDE = 24;

/** Soft grey noise; an anomaly has a white square. */
function png(seed: number, isAnomalous: boolean): Uint8Array {
  const rng = new Rng(seed);
  const data = Uint8Array.from({ length: SIDE * SIDE }, () => 100 + rng.int(20));
  if (isAnomalous) for (let y = 8; y < 14; y++) data.fill(255, y * SIDE + 8, y * SIDE + 14);
  return encodePng({ height: SIDE, width: SIDE, channels: 1, data });
}

/** Writes a project into the folder of projects, before or after Studio opened it. */
export async function writeImageProject(root: string, name: string): Promise<void> {
  const folder = join(root, name);
  const versions = join(folder, 'versions');
  mkdirSync(join(versions, 'images'), { recursive: true });
  const lines = ['path,label,split'];
  let seed = 0;
  for (const [part, count, label, split] of [
    ['good', 30, 'normal', 'train'],
    ['test', 10, 'normal', 'test'],
    ['spot', 10, 'anomalous', 'test'],
  ] as const) {
    for (let i = 0; i < count; i++) {
      const path = join('images', `${part}-${i}.png`);
      writeFileSync(join(versions, path), png(seed++, label === 'anomalous'));
      lines.push([path, label, split].join());
    }
  }
  writeFileSync(join(versions, `${VERSION}.csv`), `${lines.join('\n')}\n`);
  const database = await openDatabase(join(folder, 'project.sqlite'));
  const fact = database.prepare('INSERT INTO facts (name, value) VALUES (?, ?)');
  fact.run('kind', JSON.stringify('image'));
  database
    .prepare('INSERT INTO versions (hash, at, path, counts) VALUES (?, ?, ?, ?)')
    .run(VERSION, new Date().toISOString(), join(versions, `${VERSION}.csv`), '{}');
  database.close();
}
