/** Projects to begin with: data made by rule, the same every time, so that a first walk needs no data of one's own. Node only. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unknownName } from '../../core/errors.ts';
import { Rng } from '../../core/random.ts';
import { encodePng, madeParts, movingSquares } from '../../data/pure.ts';
import { syntheticSeries } from '../../data/series/synthetic.ts';
import type { ImportAnswer } from '../answers-data.ts';
import { type Project, projectFiles } from '../project.ts';
import { importPath } from './import.ts';
import type { ReadOptions } from './read-data.ts';

interface Sample {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly kind?: ReadOptions['kind'];
  /** Writes its files below a folder; returns the path to import. */
  write(folder: string): Promise<string>;
}

const made: readonly Sample[] = [
  {
    name: 'tiles',
    title: 'Tiles with cracks',
    about:
      '120 pictures of glazed surfaces under uneven light: 90 whole ones, and 30 with a hairline crack whose place is known.',
    write: writeTiles,
  },
  {
    name: 'pump',
    title: 'Rows of a pump',
    about:
      'A table of 2,000 readings of a pump, 40 of them from faults: values that are each usual but do not go together.',
    kind: 'table',
    write: writePump,
  },
  {
    name: 'sensor',
    title: 'Readings of a sensor',
    about: 'A series of 1,600 minutes of two channels that go round and round; the second half has four disturbances.',
    kind: 'series',
    write: writeSensor,
  },
  {
    name: 'squares',
    title: 'Moving squares',
    about:
      'Eight short clips of squares that cross the picture; in four of them something goes too fast, back, stops, or is no square.',
    kind: 'clip',
    write: writeSquares,
  },
];

/** What the list of projects shows of them. */
export const samples = made.map(({ name, title, about }) => ({ name, title, about }));

/** Throws ConfigError for a name of none. */
export function requireSample(name: string): void {
  find(name);
}

function find(name: string): Sample {
  const sample = made.find((one) => one.name === name);
  if (sample) return sample;
  throw unknownName(
    'sample',
    name,
    made.map((one) => one.name),
  );
}

/** Makes the files of a sample in the project and imports them. */
export async function importSample(
  project: Project,
  name: string,
  options: Pick<ReadOptions, 'signal'> = {},
): Promise<ImportAnswer> {
  const { kind, write } = find(name);
  const path = await write(join(projectFiles(project.folder).imports, name));
  return importPath(project, path, { ...options, kind });
}

async function writeTo(path: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

async function writeTiles(folder: string): Promise<string> {
  const size = 192;
  const source = await madeParts({ set: 'cracks', count: 60, size, channels: 3, seed: 7 });
  const area = size * size;
  const [pixels, mask] = [new Float32Array(3 * area), new Uint8Array(area)];
  for (const [i, { part, class: number }] of source.items.entries()) {
    await source.read([i], pixels);
    const data = new Uint8Array(3 * area);
    for (let p = 0; p < area; p++) for (let c = 0; c < 3; c++) data[3 * p + c] = Math.round(255 * pixels[c * area + p]);
    const name = `${String(i + 1).padStart(3, '0')}.png`;
    const image = encodePng({ height: size, width: size, channels: 3, data });
    await writeTo(join(folder, part, number === 0 ? 'good' : 'crack', name), image);
    if (number === 0) continue;
    await source.readMasks!([i], mask);
    const drawn = encodePng({ height: size, width: size, channels: 1, data: mask.map((mark) => 255 * mark) });
    await writeTo(join(folder, 'ground_truth', 'crack', name), drawn);
  }
  return folder;
}

/** Load drives temperature, pressure and vibration; a fault breaks one of these rules and leaves every value in its range. */
async function writePump(folder: string): Promise<string> {
  const count = 2000;
  const rng = new Rng(3).split('pump');
  const noise = rng.normals(4 * count);
  const lines = Array.from({ length: count }, (_, i) => {
    const [load, ...grain] = noise.subarray(4 * i, 4 * i + 4);
    const isFault = i >= 1000 && i % 25 === 7;
    const seen = isFault ? -load + 0.4 : load; // what a sensor that drifted believes
    const kind = Math.floor(i / 25) % 3;
    const values = [
      50 + 12 * load,
      50 + 5 * (isFault && kind === 0 ? seen : load) + grain[0],
      4.5 + 0.6 * (isFault && kind === 1 ? seen : load) + 0.1 * grain[1],
      1.5 + 0.12 * (isFault && kind === 2 ? seen : load) + 0.03 * grain[2],
    ];
    const fields = values.map((value, c) => value.toFixed(c === 3 ? 3 : 2));
    return [
      ...fields,
      i % 7 === 0 ? 'low flow' : 'normal flow',
      i < 1000 ? 'train' : 'test',
      isFault ? 'fault' : 'normal',
    ].join();
  });
  const path = join(folder, 'pump.csv');
  await writeTo(path, `load,temperature,pressure,vibration,mode,split,label\n${lines.join('\n')}\n`);
  return path;
}

async function writeSensor(folder: string): Promise<string> {
  const [{ channels, values, times, labels, train = 0 }] = syntheticSeries().series;
  const lines = Array.from(times!, (time, t) => {
    const own = channels.map((_, c) => values[t * channels.length + c].toFixed(3));
    return [new Date(time).toISOString().slice(0, 19), ...own, t < train ? 'train' : 'test', labels![t]].join();
  });
  const path = join(folder, 'sensor.csv');
  await writeTo(path, `time,${channels.join()},split,label\n${lines.join('\n')}\n`);
  return path;
}

async function writeSquares(folder: string): Promise<string> {
  const frames = 80;
  const { clips, classes = [], shape } = await movingSquares({ frames, train: 4, test: 1 });
  const [, height, width] = shape;
  const stretches = ['clip,first,last,class'];
  for (const { id, read, labels } of clips) {
    const bytes = await read(0, frames);
    for (let t = 0; t < frames; t++) {
      const data = bytes.slice(t * height * width, (t + 1) * height * width);
      const name = `${String(t + 1).padStart(3, '0')}.png`;
      await writeTo(join(folder, id, name), encodePng({ height, width, channels: 1, data }));
    }
    for (let first = 0; labels && first < frames; first++) {
      if (labels[first] === 0) continue;
      let last = first;
      while (last + 1 < frames && labels[last + 1] === labels[first]) last++;
      stretches.push([id, first + 1, last + 1, classes[labels[first]]].join());
      first = last;
    }
  }
  await writeTo(join(folder, 'labels.csv'), `${stretches.join('\n')}\n`);
  return folder;
}
