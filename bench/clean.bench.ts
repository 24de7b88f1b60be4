/**
 * `clean` on folders of 200 normals (all there are where a set has fewer) with strangers planted among them: ten foreign
 * images, from other sets and photographs, and ten others of the same set, which its labels call anomalous (of digits and
 * photographs: of another class). All are ranked together; a kind is judged against the normals alone: how many of its ten
 * are among the ten oddest, and what the suggested cut makes of them.
 * `npm run bench -- clean [--json] [--sets a,b] [--seeds 1,2] [--save]`. Data: below ODDITY_DATA.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rng } from '../src/core/random.ts';
import { dataRoot, findDataset, valuesSource } from '../src/data/index.ts';
import { auroc } from '../src/metrics/index.ts';
import { clean } from '../src/runs/index.ts';
import { option, saveRows } from './measure.ts';

type Shape = readonly [channels: number, height: number, width: number];
type Pool = (shape: Shape) => Promise<{ count: number; read(items: ArrayLike<number>): Promise<Float32Array> }>;
interface ImageSet {
  readonly shape: Shape;
  readonly normal: (seed: number) => Pool;
  readonly others: (seed: number) => Pool;
}

const root = dataRoot();
const place = mkdtempSync(join(tmpdir(), 'oddity-clean-'));
const [NORMALS, STRANGERS] = [200, 10];

/** Image files of folders, read at the size and with the channels that are asked for. */
const folders =
  (...names: string[]): (() => Pool) =>
  () =>
  async ([channels, height, width]) => {
    const paths = names.flatMap((name) => readdirSync(join(root, name)).map((file) => join(root, name, file)));
    const list = join(place, 'list.csv');
    writeFileSync(list, `path\n${paths.join('\n')}\n`);
    const source = await findDataset(list).load({ root, size: [height, width], channels: channels as 1 | 3 });
    return {
      count: paths.length,
      async read(items) {
        const values = new Float32Array(items.length * channels * height * width);
        await source.read(items, values);
        await source.close?.();
        return values;
      },
    };
  };

/** Training images of a class of a data set, or of all other classes. */
const classOf =
  (name: string, isOther: boolean) =>
  (seed: number): Pool =>
  async ([channels, height, width]) => {
    const source = await findDataset(name).load({ root, download: false });
    const own = source.items.flatMap((item, i) =>
      item.part === 'train' && (item.class === seed) !== isOther ? [i] : [],
    );
    return {
      count: own.length,
      async read(items) {
        const values = new Float32Array(items.length * channels * height * width);
        await source.read(
          Array.from(items, (i) => own[i]),
          values,
        );
        await source.close?.();
        return values;
      },
    };
  };

const tile = 'industrial/magnetic_tile';
const pcb = 'industrial/deeppcb_20085';
const sets: Readonly<Record<string, ImageSet>> = {
  magnetic_tile: {
    shape: [1, 256, 256],
    normal: folders(`${tile}/train/good`, `${tile}/test/good`),
    others: folders(...['blowhole', 'break', 'crack', 'fray', 'uneven'].map((defect) => `${tile}/test/${defect}`)),
  },
  deeppcb_20085: {
    shape: [1, 256, 256],
    normal: folders(`${pcb}/train/good`, `${pcb}/test/good`),
    others: folders(`${pcb}/test/defect`),
  },
  cloud: { shape: [3, 256, 256], normal: folders('cloud/noncloud'), others: folders('cloud/cloud') },
  mnist: { shape: [1, 28, 28], normal: classOf('mnist', false), others: classOf('mnist', true) },
  cifar10: { shape: [3, 32, 32], normal: classOf('cifar10', false), others: classOf('cifar10', true) },
};
const foreign: Readonly<Record<string, () => Pool>> = {
  magnetic_tile: folders(`${tile}/train/good`),
  deeppcb_20085: folders(`${pcb}/train/good`),
  cloud: folders('cloud/noncloud'),
  photos: folders('photos'),
};

async function rowsOf(name: string, seed: number) {
  const { shape, normal, others } = sets[name];
  const rng = new Rng(seed).split(name);
  const draw = async (pool: Pool, count: number, what: string) => {
    const { count: all, read } = await pool(shape);
    return read(rng.split(what).permutation(all).subarray(0, count));
  };
  const strange = Object.entries(foreign).filter(([other]) => other !== name);
  const parts = {
    normal: [await draw(normal(seed), NORMALS, 'normal')],
    foreign: [] as Float32Array[],
    other: [await draw(others(seed), STRANGERS, 'other')],
  };
  for (const [i, [other, pool]] of strange.entries()) {
    const count = Math.floor((STRANGERS + i) / strange.length); // ten in all, and none twice
    parts.foreign.push(await draw(pool(), count, other));
  }
  const all = Object.entries(parts).flatMap(([kind, list]) => list.map((values) => ({ kind, values })));
  const size = shape[0] * shape[1] * shape[2];
  const kinds = all.flatMap(({ kind, values }) => Array<string>(values.length / size).fill(kind));
  const values = new Float32Array(kinds.length * size);
  let at = 0;
  for (const { values: own } of all) {
    values.set(own, at);
    at += own.length;
  }
  const source = await valuesSource({
    kind: 'image',
    shape,
    values,
    name,
    ids: kinds.map((kind, i) => `${kind} ${i}`),
  });
  const before = process.cpuUsage();
  const { ranked, seconds } = await clean({ data: source, seed, dataRoot: root, download: false });
  const { user, system } = process.cpuUsage(before);
  return ['foreign', 'other'].map((kind) => {
    const own = ranked.filter(({ id }) => id.startsWith('normal') || id.startsWith(kind));
    const isOdd = ({ id }: { id: string }) => id.startsWith(kind);
    const count = own.filter(isOdd).length;
    return {
      name,
      seed,
      strangers: kind,
      planted: count,
      normals: own.length - count,
      found: own.slice(0, count).filter(isOdd).length,
      aboveCut: own.filter((one) => isOdd(one) && one.isOdd).length,
      normalsAboveCut: own.filter((one) => !isOdd(one) && one.isOdd).length,
      auroc: Number(
        auroc(
          own.map(({ score }) => score),
          own.map((one) => (isOdd(one) ? 1 : 0)),
        )!.toFixed(4),
      ),
      seconds: Number(seconds.toFixed(1)),
      cpuSeconds: Number(((user + system) / 1e6).toFixed(1)),
    };
  });
}

const chosen = (option('sets') || Object.keys(sets).join()).split(',');
const seeds = (option('seeds') || '1,2,3').split(',').map(Number);
try {
  if (!existsSync(join(root, tile))) throw new Error(`The image sets are not in ${root}. Set ODDITY_DATA.`);
  const rows: Record<string, unknown>[] = [];
  for (const name of chosen) {
    for (const seed of seeds) {
      for (const row of await rowsOf(name, seed)) {
        rows.push(row);
        if (option('json') === undefined) console.log(JSON.stringify(row));
      }
    }
  }
  if (option('json') !== undefined) console.log(JSON.stringify({ rows }));
  await saveRows('clean', rows);
} finally {
  rmSync(place, { recursive: true, force: true });
}
