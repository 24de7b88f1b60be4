/** A project of Studio with a few made images, which came in as a person brings them in. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Rng } from '../../dist/core/random.js';
import { encodePng } from '../../dist/data/index.js';

const SIDE = 24;

/** Soft grey noise; an anomaly has a white square. */
function png(seed: number, isAnomalous: boolean): Uint8Array {
  const rng = new Rng(seed);
  const data = Uint8Array.from({ length: SIDE * SIDE }, () => 100 + rng.int(20));
  if (isAnomalous) for (let y = 8; y < 14; y++) data.fill(255, y * SIDE + 8, y * SIDE + 14);
  return encodePng({ height: SIDE, width: SIDE, channels: 1, data });
}

/** Makes a project of 50 images: 30 normal ones to train, 10 normal and 10 anomalous ones to test; returns the hash of their version. */
export async function makeImageProject(
  studio: { readonly url: string; readonly token: string },
  folder: string,
  name: string,
): Promise<string> {
  let seed = 0;
  for (const [part, count, isAnomalous] of [
    ['train/good', 30, false],
    ['test/good', 10, false],
    ['test/spot', 10, true],
  ] as const) {
    mkdirSync(join(folder, part), { recursive: true });
    for (let i = 0; i < count; i++) writeFileSync(join(folder, part, `${i}.png`), png(seed++, isAnomalous));
  }
  const post = async (path: string, body: object) => {
    const response = await fetch(`${studio.url}/api/projects${path}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${studio.token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (response.status !== 201) throw new Error(await response.text());
    return (await response.json()) as { hash: string };
  };
  await post('', { name });
  await post(`/${encodeURIComponent(name)}/import`, { path: folder });
  return (await post(`/${encodeURIComponent(name)}/versions`, {})).hash;
}
