/** Exported files in a real browser: onnxruntime-web and nothing of ours gives the scores and maps that Node gives. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { encodePng } from '../../dist/data/index.js';
import { loadDetector, train } from '../../dist/index.js';
import { browserPath, openSite, type Site } from '../helpers/page.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const side = 32;
const count = 2;
/** Detectors by name; one lays its images on the median first. */
const cases = {
  patchcore: { model: 'patchcore' },
  padim: { model: 'padim' },
  dfm: { model: 'dfm' },
  'dfm-turned': { model: 'dfm', config: { align: 'turn' } },
} as const;
const names = Object.keys(cases) as (keyof typeof cases)[];

interface Scored {
  scores: number[];
  maps: number[];
}

describe.skipIf(!existsSync(browserPath))('an exported file in a page (skipped without /usr/bin/chromium)', () => {
  const root = mkdtempSync(join(tmpdir(), 'oddity-exported-'));
  const pixels = new Rng(7).uniforms(count * side * side);
  const expected = new Map<string, Scored>();
  let site: Site;

  beforeAll(async () => {
    const write = (name: string, i: number) => {
      const path = join(root, 'parts', name);
      // A bar on grain, so that images have a pose.
      const data = Uint8Array.from(new Rng(i).uniforms(side * side), (v, p) => {
        const [y, x] = [Math.floor(p / side), p % side];
        return 60 * v + (Math.abs(y - 15) < 4 && x > 5 + (i % 3) && x < 24 + (i % 3) ? 160 : 60);
      });
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, encodePng({ height: side, width: side, channels: 1, data }));
    };
    for (let i = 0; i < 12; i++) write(`train/good/${i}.png`, i);
    for (let i = 0; i < 4; i++) write(`test/${i < 2 ? 'good' : 'odd'}/${i}.png`, 100 + i);
    for (const name of names) {
      const out = join(root, name);
      const data = join(root, 'parts');
      await train({ ...cases[name], data, size: [side, side], channels: 1, out, threads: 1, maps: 0 });
      const detector = await loadDetector(out, { device: 'cpu', threads: 1 });
      const { scores, maps } = await detector.score(pixels, count);
      expected.set(name, { scores: Array.from(scores), maps: Array.from(maps) });
      await detector.close();
    }
    site = await openSite(
      `import { scoreFile } from ${JSON.stringify(join(here, 'exported-file.ts'))};
       globalThis.score = (device, file, ...rest) => scoreFile(device, new URL(file, location.href).href, ...rest);`,
      Object.fromEntries(names.map((name) => [`${name}.onnx`, join(root, name, 'model.onnx')])),
    );
  }, 240_000);

  afterAll(async () => {
    await site?.close();
    rmSync(root, { recursive: true, force: true });
  });

  it.each(names.flatMap((name) => ['wasm', 'webgpu'].map((device) => [name, device] as const)))(
    '%s on %s',
    async (name, device) => {
      const shape = JSON.stringify([count, 1, side, side]);
      const call = `score('${device}', '${name}.onnx', ${JSON.stringify(Array.from(pixels))}, ${shape})`;
      const found = await site.call<Scored>(call);
      for (const kind of ['scores', 'maps'] as const) {
        const wanted = expected.get(name)![kind];
        expect(found[kind]).toHaveLength(wanted.length);
        const largest = wanted.reduce((most, v) => Math.max(most, Math.abs(v)), 1);
        for (const [i, v] of found[kind].entries()) expect(Math.abs(v - wanted[i]) / largest).toBeLessThan(2e-3);
      }
    },
  );
});
