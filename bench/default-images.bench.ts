/**
 * What a user gets who names no model: the choice on planted defects, then a training, on each set once with every backbone whose
 * weights lie below the data root and once with the one in the box alone. The figures of the test part are looked at only here,
 * after all is chosen.
 * `npm run bench -- default-images [--json] [--sets a,b] [--seeds 1] [--backbones all,box] [--save]`. Data: industrial below
 * ODDITY_DATA.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { dataRoot } from '../src/data/index.ts';
import { train } from '../src/runs/index.ts';
import { option, saveRows } from './measure.ts';

const place = mkdtempSync(join(tmpdir(), 'oddity-default-'));
const sets = option('sets')?.split(',') ?? ['industrial/magnetic_tile', 'industrial/deeppcb_20085'];
const seeds = (option('seeds') || '1').split(',').map(Number);
/** Data roots by the backbones that are found there. */
const roots: Readonly<Record<string, string>> = { all: dataRoot(), box: place };
const backbones = option('backbones')?.split(',') ?? Object.keys(roots);

const rows: Record<string, unknown>[] = [];
try {
  for (const set of sets)
    for (const seed of seeds)
      for (const found of backbones) {
        const begin = performance.now();
        const report = await train({
          ...{ data: join(dataRoot(), set), seed, dataRoot: roots[found], threads: 2, maps: 0 },
          out: join(place, `${basename(set)}-${seed}-${found}`),
        });
        const seconds = (performance.now() - begin) / 1000;
        const { tried = [], leftOut = [], seconds: choosing } = report.choice ?? {};
        const chosen = tried.find((one) => one.isChosen);
        const { item, map } = report.metrics;
        const row = {
          ...{ data: basename(set), backbones: found, seed, model: report.model, backbone: chosen?.backbone },
          ...{ taps: chosen?.taps.join(' '), size: chosen?.size.join('x'), plantedAuroc: chosen?.figure },
          ...{ imageAuroc: item.auroc, pixelAuroc: map?.auroc, aupro: map?.aupro },
          ...{ tried: tried.length, leftOut: leftOut.length, choosingSeconds: choosing },
          ...{ fitSeconds: report.timings.fitSeconds, seconds: Number(seconds.toFixed(1)) },
        };
        if (option('json') === undefined) console.log(JSON.stringify(row));
        rows.push(row);
      }
} finally {
  rmSync(place, { recursive: true, force: true });
}
if (option('json') !== undefined) console.log(JSON.stringify(rows));
await saveRows('default-images', rows);
