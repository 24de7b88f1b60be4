/** Every check of an inspection, by a fault planted in a generated folder that has none. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../../core/random.ts';
import { encodePng } from '../../formats/png.ts';
import { readLayout } from '../layout.ts';
import { checks, diagnose, examine, inspect } from './index.ts';

const WIDTH = 48;
const HEIGHT = 40;

let base: string;
let healthy: string;
let made = 0;

/** Grey pixels of slow waves, another picture for every number; `size` in pixels. */
function waves(n: number, width = WIDTH, height = HEIGHT): Uint8Array {
  const draw = new Rng(n).uniforms(6);
  return Uint8Array.from({ length: width * height }, (_, p) => {
    const [x, y] = [(p % width) / width, Math.floor(p / width) / height];
    const a = Math.sin(2 * Math.PI * ((1 + 2 * draw[0]) * x + draw[1]));
    const b = Math.sin(2 * Math.PI * ((1 + 2 * draw[2]) * y + draw[3]));
    return 128 + 50 * (a * b + 0.4 * (draw[4] - 0.5));
  });
}

const grey = (data: Uint8Array, width = WIDTH, height = HEIGHT) => encodePng({ height, width, channels: 1, data });
/** A mask of a square of 8 pixels. */
const square = (width = WIDTH, height = HEIGHT) =>
  grey(
    Uint8Array.from({ length: width * height }, (_, p) => (p % width < 8 && p / width < 8 ? 255 : 0)),
    width,
    height,
  );

function put(root: string, path: string, bytes: Uint8Array | string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), bytes);
}

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'oddity-inspect-'));
  healthy = join(base, 'healthy');
  let n = 0;
  for (let i = 0; i < 24; i++) put(healthy, `train/good/${i}.png`, grey(waves(n++)));
  for (let i = 0; i < 20; i++) put(healthy, `test/good/${i}.png`, grey(waves(n++)));
  for (let i = 0; i < 5; i++) {
    put(healthy, `test/dent/${i}.png`, grey(waves(n++)));
    put(healthy, `ground_truth/dent/${i}_mask.png`, square());
  }
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** Inspects a copy of the healthy folder in which `plant` changed something. */
async function inspected(plant: (root: string) => void | Promise<void>) {
  const root = join(base, String(made++));
  cpSync(healthy, root, { recursive: true });
  await plant(root);
  const set = await examine(await readLayout(root));
  return { set, findings: diagnose(set) };
}

const image = (root: string, path: string) => readFileSync(join(root, path));
const remove = (root: string, path: string) => rmSync(join(root, path), { recursive: true });

/** 10 of 16 bits. */
const deepGrey = (data: Uint8Array) =>
  encodePng({ height: HEIGHT, width: WIDTH, channels: 1, data: Uint16Array.from(data, (v) => 4 * v) });

/** Code of the check, what it has to say, and the fault. */
const faults: [string, 'error' | 'warning' | 'note', string[], (root: string) => void | Promise<void>][] = [
  ['empty-file', 'error', ['train/good/3.png'], (root) => put(root, 'train/good/3.png', '')],
  [
    'cut-file',
    'error',
    ['train/good/3.png'],
    (root) => put(root, 'train/good/3.png', image(root, 'train/good/3.png').subarray(0, 700)),
  ],
  ['unreadable-file', 'error', ['train/good/3.png'], (root) => put(root, 'train/good/3.png', 'no image at all')],
  [
    'wrong-extension',
    'warning',
    ['train/good/3.jpg'],
    (root) => renameSync(join(root, 'train/good/3.png'), join(root, 'train/good/3.jpg')),
  ],
  ['hidden-image', 'warning', ['train/good/x.dat'], (root) => put(root, 'train/good/x.dat', grey(waves(99)))],
  [
    'few-normals',
    'warning',
    [],
    (root) => {
      for (let i = 10; i < 24; i++) remove(root, `train/good/${i}.png`);
    },
  ],
  [
    'no-anomalies',
    'warning',
    [],
    (root) => {
      remove(root, 'test/dent');
      remove(root, 'ground_truth');
    },
  ],
  ['few-test-normals', 'warning', [], (root) => remove(root, 'test/good/19.png')],
  [
    'unbalanced',
    'note',
    [],
    (root) => {
      for (let i = 1; i < 20; i++) remove(root, `test/good/${i}.png`);
      for (let i = 5; i < 10; i++) put(root, `test/dent/${i}.png`, grey(waves(1000 + i)));
    },
  ],
  [
    'tiny-types',
    'note',
    [],
    (root) => {
      remove(root, 'test/dent/4.png');
      remove(root, 'ground_truth/dent/4_mask.png');
    },
  ],
  ['missing-mask', 'warning', ['test/dent/2.png'], (root) => remove(root, 'ground_truth/dent/2_mask.png')],
  ['missing-mask', 'note', [], (root) => remove(root, 'ground_truth')],
  [
    'mask-size',
    'error',
    ['ground_truth/dent/2_mask.png'],
    (root) => put(root, 'ground_truth/dent/2_mask.png', square(HEIGHT, WIDTH)),
  ],
  ['mask-on-normal', 'error', ['test/good/2.png'], (root) => put(root, 'ground_truth/good/2_mask.png', square())],
  [
    'empty-mask',
    'warning',
    ['ground_truth/dent/2_mask.png'],
    (root) => put(root, 'ground_truth/dent/2_mask.png', grey(new Uint8Array(WIDTH * HEIGHT))),
  ],
  [
    'full-mask',
    'warning',
    ['ground_truth/dent/2_mask.png'],
    (root) => put(root, 'ground_truth/dent/2_mask.png', grey(new Uint8Array(WIDTH * HEIGHT).fill(1))),
  ],
  [
    'mixed-sizes',
    'warning',
    ['train/good/3.png'],
    (root) => put(root, 'train/good/3.png', grey(waves(3, 48, 48), 48, 48)),
  ],
  [
    'mixed-sizes',
    'note',
    ['train/good/3.png'],
    (root) => put(root, 'train/good/3.png', grey(waves(3, 96, 80), 96, 80)),
  ],
  [
    'narrow-range',
    'warning',
    [],
    (root) => {
      for (const part of ['train', 'test']) {
        for (const name of readdirSync(join(root, part, 'good'))) {
          const n = Number(name.split('.')[0]) + (part === 'train' ? 0 : 24);
          put(root, `${part}/good/${name}`, deepGrey(waves(n)));
        }
      }
      for (let i = 0; i < 5; i++) put(root, `test/dent/${i}.png`, deepGrey(waves(44 + i)));
    },
  ],
  [
    'mixed-modes',
    'warning',
    ['train/good/3.png'],
    async (root) =>
      put(
        root,
        'train/good/3.png',
        await sharp(grey(waves(3)))
          .toColourspace('srgb')
          .png()
          .toBuffer(),
      ),
  ],
  [
    'long-images',
    'warning',
    ['train/good/3.png'],
    (root) => put(root, 'train/good/3.png', grey(waves(3, 160, 40), 160, 40)),
  ],
  [
    'duplicates',
    'error',
    ['train/good/3.png'],
    (root) => put(root, 'train/good/3.png', image(root, 'test/good/7.png')),
  ],
  ['duplicates', 'error', ['test/good/7.png'], (root) => put(root, 'test/good/7.png', image(root, 'test/dent/1.png'))],
  [
    'duplicates',
    'warning',
    ['train/good/4.png'],
    (root) => put(root, 'train/good/4.png', image(root, 'train/good/3.png')),
  ],
  [
    'near-duplicates',
    'warning',
    ['train/good/3.png'],
    async (root) => {
      const close = sharp(image(root, 'test/good/7.png')).linear(1, 2).toColourspace('b-w');
      put(root, 'train/good/3.png', await close.png().toBuffer());
    },
  ],
  [
    'suspicious-normals',
    'warning',
    ['train/good/3.png'],
    (root) => put(root, 'train/good/3.png', grey(new Uint8Array(WIDTH * HEIGHT).fill(255))),
  ],
  ['link-outside', 'warning', ['train/good/x.png'], (root) => symlinkSync(healthy, join(root, 'train/good/x.png'))],
  [
    'mask-without-image',
    'warning',
    ['ground_truth/dent/x.png'],
    (root) => put(root, 'ground_truth/dent/x.png', square()),
  ],
  ['not-images', 'note', ['notes.txt'], (root) => put(root, 'notes.txt', 'of the camera')],
];

/** What a fault brings along: 160x40 is also of another ratio of sides; the unbalanced part is small. */
const alongside: Readonly<Record<string, string[]>> = {
  'hidden-image': ['not-images'],
  'long-images': ['mixed-sizes'],
  unbalanced: ['few-test-normals', 'missing-mask'],
};

describe('inspect', () => {
  it('finds nothing wrong with a healthy folder', async () => {
    const found = await inspect({ path: healthy });
    expect(found).toEqual({
      root: healthy,
      kind: 'mvtec',
      explanation:
        'Folders of parts (MVTec): 49 images; train: 24 normal; test: 20 normal and 5 anomalous (dent 5); 5 masks.',
      counts: { train: { good: 24 }, test: { good: 20, dent: 5 } },
      masks: 5,
      sizes: { '48x40': 49 },
      modes: { 'grey, 8 bit': 49 },
      findings: [],
      errors: 0,
      warnings: 0,
      notes: 0,
    });
  });

  it.each(faults)('%s: %s', async (check, severity, paths, plant) => {
    const { findings } = await inspected(plant);
    const found = findings.filter((finding) => !(alongside[check] ?? []).includes(finding.check));
    expect(found.map((finding) => [finding.check, finding.severity, finding.paths])).toEqual([
      [check, severity, paths],
    ]);
    const [{ message, advice, remarks }] = found;
    expect(message).toMatch(/^[A-Z0-9].*\.$/);
    expect(advice).toMatch(severity === 'note' ? /^$|\.$/ : /\.$/);
    if (remarks) expect(remarks.length).toBe(paths.length);
  });

  it('has a planted fault for every check', () => {
    const planted = new Set(faults.map(([check]) => check));
    expect(checks.map((check) => check.code).filter((code) => !planted.has(code))).toEqual([]);
  });

  it('tells modes apart', async () => {
    const colour = sharp(grey(waves(1))).toColourspace('srgb');
    const { set, findings } = await inspected(async (root) => {
      put(root, 'train/good/rgb.png', await colour.clone().png().toBuffer());
      put(root, 'train/good/cmyk.jpg', await colour.clone().toColourspace('cmyk').jpeg().toBuffer());
      const data = Uint16Array.from(waves(2), (v) => 256 * v);
      put(root, 'train/good/deep.png', encodePng({ height: HEIGHT, width: WIDTH, channels: 1, data }));
    });
    const modes = set.images.flatMap(({ item, file }) => (/[a-z]\.\w+$/.test(item.id) ? [file.image?.mode] : []));
    expect(modes).toEqual(['CMYK, 8 bit', 'grey, 16 bit', 'RGB, 8 bit']);
    expect(findings.map((finding) => finding.check)).toContain('mixed-modes');
  });

  it('reads masks of 16 bits whose labels are small', async () => {
    const labels = new Uint16Array(WIDTH * HEIGHT).fill(1, 0, 50);
    const deep = encodePng({ height: HEIGHT, width: WIDTH, channels: 1, data: labels });
    const { findings } = await inspected((root) => put(root, 'ground_truth/dent/2_mask.png', deep));
    expect(findings).toEqual([]);
  });

  it('measures sizes after the camera was turned', async () => {
    const turned = await sharp(grey(waves(7, HEIGHT, WIDTH), HEIGHT, WIDTH))
      .withMetadata({ orientation: 6 })
      .toColourspace('b-w')
      .jpeg()
      .toBuffer();
    const { set } = await inspected((root) => put(root, 'train/good/x.jpg', turned));
    expect(set.images.at(-1)?.file).toMatchObject({ id: 'train/good/x.jpg', image: { width: WIDTH, height: HEIGHT } });
  });

  it('counts findings by severity', async () => {
    const root = join(base, 'counted');
    for (const name of ['good/1.png', 'bad/1.png']) put(root, name, grey(waves(1)));
    put(root, 'bad/2.png', '');
    const { kind, errors, warnings, notes, findings } = await inspect({ path: root });
    expect([kind, errors, warnings, notes]).toEqual(['folders', 3, 0, 2]);
    expect(findings.map((finding) => finding.check)).toEqual([
      ...['empty-file', 'few-normals', 'duplicates', 'tiny-types', 'missing-mask'],
    ]);
  });

  it('stops when told to', async () => {
    await expect(inspect({ path: healthy, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  });
});
