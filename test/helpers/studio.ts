/** A Studio in a folder of its own, asked as a program asks it, and data for its projects. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { commandWords } from '../../dist/cli/words.js';
import { Rng } from '../../dist/core/random.js';
import { encodePng } from '../../dist/data/index.js';
import { openStudio } from '../../dist/studio/index.js';

/** Opens a Studio in the words of the command line; `ask` answers status, JSON and bytes. */
export async function studioIn(name: string) {
  const folder = mkdtempSync(join(tmpdir(), `oddity-${name}-`));
  const studio = await openStudio({ folder, port: 0 }, { words: commandWords });
  const ask = async <T>(path: string, { method = 'GET', body }: { method?: string; body?: unknown } = {}) => {
    const response = await fetch(`${studio.url}/api/projects${path}`, {
      method,
      headers: { Authorization: `Bearer ${studio.token}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const isJson = response.headers.get('Content-Type')?.includes('json') === true;
    const json = (isJson ? JSON.parse(new TextDecoder().decode(bytes)) : undefined) as T;
    return { status: response.status, json, bytes, headers: response.headers };
  };
  return {
    folder,
    studio,
    ask,
    at: (...parts: string[]) => join(folder, ...parts),
    async close() {
      await studio.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Rows of two columns that go together; in anomalous ones they do not always. */
export function writeRows(path: string, { normal, anomalous }: { normal: number; anomalous: number }): string {
  const rng = new Rng(7);
  const row = (isOdd: boolean) => {
    const [a, noise, shift] = rng.normals(3);
    const b = 2 * a + 0.3 * noise + (isOdd ? 2.5 * shift : 0);
    return `${a.toFixed(4)},${b.toFixed(4)},${isOdd ? 'anomaly' : 'normal'}`;
  };
  const rows = Array.from({ length: normal + anomalous }, (_, i) => row(i >= normal));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `load,speed,label\n${rows.join('\n')}\n`);
  return path;
}

const side = 32;

/** Images of noise in folders with masks: 16 to train on, then 6 good ones and 6 with a white square. */
export function writeImages(folder: string): string {
  const write = (name: string, data: Uint8Array) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), encodePng({ height: side, width: side, channels: 1, data }));
  };
  const noise = (seed: number) => Uint8Array.from(new Rng(seed).uniforms(side * side), (v) => 100 + 60 * v);
  const squared = (data: Uint8Array) => {
    for (let y = 8; y < 16; y++) data.fill(255, y * side + 8, y * side + 16);
    return data;
  };
  for (let i = 0; i < 16; i++) write(`train/good/${i}.png`, noise(i));
  for (let i = 0; i < 6; i++) write(`test/good/${i}.png`, noise(100 + i));
  for (let i = 0; i < 6; i++) {
    write(`test/spot/${i}.png`, squared(noise(200 + i)));
    write(`ground_truth/spot/${i}_mask.png`, squared(new Uint8Array(side * side)));
  }
  return folder;
}
