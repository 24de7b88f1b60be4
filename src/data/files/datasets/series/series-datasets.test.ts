/** Sets of series by name: files of a made-up data root, bad ones among them, and the real ones where they are. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, type TestContext, test } from 'vitest';
import type { Listener } from '../../../../core/events.ts';
import { segmentsOf } from '../../../../core/segments.ts';
import { type Tensor, tensor } from '../../../../core/tensor.ts';
import { writeNpy } from '../../../formats/npy.ts';
import { checkSeries, type Series, stepsOf } from '../../../series/series.ts';
import { dataRoot } from '../../root.ts';
import type { LoadOptions } from '../dataset.ts';
import { findDataset, kindOfData } from '../index.ts';
import { isNamedSeries, readNamedSeries, seriesDatasets } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'oddity-series-'));
afterAll(() => rmSync(folder, { recursive: true }));
let roots = 0;
/** A data root with these files. */
function rootOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const root = join(folder, String(roots++));
  mkdirSync(root);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}
const find = (name: string) => {
  const found = seriesDatasets.find((dataset) => dataset.name === name);
  if (!found) throw new Error(name);
  return found;
};
async function read(data: string, root: string): Promise<readonly Series[]> {
  const [name, category] = data.split('/');
  const { series, title, licence } = await find(name).read(category, root);
  checkSeries(series, data);
  expect(title && licence).toBeTruthy();
  return series;
}
const count = (n: number) => Array.from({ length: n }, (_, i) => i);
const time = (i: number) => new Date(Date.UTC(2024, 0, 1) + 300_000 * i).toISOString().slice(0, 19).replace('T', ' ');
const tuple = ({ labels, train, ...one }: Series) => [
  ...[stepsOf(one), one.channels.length, train],
  segmentsOf(labels ?? [])
    .map(({ begin, end }) => `${begin}-${end}`)
    .join(' '),
];

describe('as data sets', () => {
  const csv = [
    'timestamp,value',
    ...count(300).flatMap((i) => (i > 200 && i < 205 ? [] : [`${time(i)},${i === 7 ? '' : i % 9}`])),
  ].join('\n');
  const labels = JSON.stringify({ 'realTraffic/speed.csv': [[time(250), time(259)]] });
  const root = rootOf({ 'nab/data/realTraffic/speed.csv': csv, 'nab/labels/combined_windows.json': labels });
  const load = async (data: string, more: Partial<LoadOptions> = {}) => {
    const codes: string[] = [];
    const onEvent: Listener = (event) => event.type === 'warning' && codes.push(event.code);
    return { source: await findDataset(data).load({ root, onEvent, window: 10, ...more }), codes };
  };

  test.each(['nab/speed', 'nab:speed'])('%s: steps as published, missing values filled and told', async (data) => {
    const { source, codes } = await load(data);
    expect([source.name, source.kind, source.items.length, codes]).toEqual([
      'nab:speed',
      'series',
      296,
      ['missing-values'],
    ]);
    expect(source.series?.spans).toEqual([
      expect.objectContaining({ steps: 296, train: 44, times: expect.any(Float64Array) }),
    ]);
    expect(source.items.filter((item) => item.class === 1)).toHaveLength(10);
  });

  test('gaps are filled where the caller says how', async () => {
    const { source, codes } = await load('nab/speed', { gaps: 'hold' });
    expect([source.items.length, codes]).toEqual([300, ['missing-values', 'missing-steps']]);
    expect((await load('nab/speed', { step: 600_000, gaps: 'hold' })).source.items).toHaveLength(150);
    await expect(load('nab/speed', { gaps: 'refuse' })).rejects.toMatchObject({ code: 'missing-values' });
  });

  test('a name that is not there: the nearest, or what is needed', async () => {
    await expect(load('nab/sped')).rejects.toMatchObject({
      code: 'unknown-category',
      message: 'There is no category named "sped". Did you mean "speed"?',
    });
    await expect(load('skab/valve1-0')).rejects.toMatchObject({ code: 'missing-data' });
    await expect(load('ecg5000')).rejects.toMatchObject({ code: 'missing-data' });
    expect(() => findDataset('nabb/speed')).not.toThrow(); // a path
  });

  test('a file whose name says how to read it', async () => {
    const name = '001_NAB_id_1_Facility_tr_125_1st_250.csv';
    const text = ['Data,Label', ...count(300).map((i) => `${i % 7},${Number(i >= 250)}`)].join('\n');
    const path = join(rootOf({ [name]: text }), name);
    expect(await kindOfData(path, {})).toBe('series');
    const { source } = await load(path);
    expect([source.name, source.kind, source.series?.spans[0].train]).toEqual([name, 'series', 125]);
    expect(await kindOfData(path, { kind: 'table' })).toBe('table');
    expect((await load(path, { kind: 'table' })).source.kind).toBe('table');
    expect((await load(path, { columns: { Label: 'ignore' } })).source.kind).toBe('table');
  });

  test('ecg5000: a beat is a row', async () => {
    const beats = (rows: readonly number[]) =>
      rows.map((label) => `   ${[label, ...count(140)].map((v) => v.toExponential(7)).join('  ')}`).join('\n');
    const files = { 'ecg5000/ECG5000_TRAIN.txt.gz': gzipSync(beats([1, 2, 1])) };
    const array = (values: number) =>
      writeNpy(tensor('float32', [values / 141, 141], new Float32Array(values).fill(4)) as Tensor);
    const at = rootOf({ ...files, 'ecg5000/ECG5000_TEST_4499rows.npy': array(282) });
    const { source } = await load('ecg5000', { root: at });
    expect([source.kind, source.shape]).toEqual(['table', [140]]);
    expect(source.items.map(({ id, part, class: kind }) => `${id} ${part} ${kind}`)).toEqual([
      ...['train/1 train 0', 'train/2 train 1', 'train/3 train 0', 'test/1 test 3', 'test/2 test 3'],
    ]);
    const text = rootOf({ ...files, 'ecg5000/ECG5000_TEST.txt': beats([5]) });
    expect((await load('ecg5000', { root: text })).source.items.at(-1)).toMatchObject({ id: 'test/1', class: 4 });
    for (const bad of [beats([6]), beats([0]), beats([1]).slice(0, -17), '1 2 3', `${beats([1])} 5`]) {
      const broken = rootOf({ ...files, 'ecg5000/ECG5000_TEST.txt': bad });
      await expect(load('ecg5000', { root: broken })).rejects.toMatchObject({ code: 'beats' });
    }
  });
});

test('every set is described, and lists nothing where there is nothing', () => {
  for (const { name, title, licence, origin, categoriesAt } of seriesDatasets) {
    expect(name && title && licence && origin).toBeTruthy();
    expect(categoriesAt(join(folder, 'none'))).toEqual([]);
  }
});

test.each(['nab/nyc_taxi', 'ucr/135', 'skab/valve1-0', 'smd/machine-1-2', 'smap/P-1', 'tsb-ad/001', 'tsb-ad/077'])(
  '%s that is nowhere: the sentence says where it looked and what to do',
  async (data) => {
    const root = join(folder, 'none');
    await expect(read(data, root)).rejects.toMatchObject({
      code: 'missing-data',
      message: expect.stringMatching(
        new RegExp(`^${data} needs .*found in none of: .*none.*Fetch it \\(.*put it there`),
      ),
    });
  },
);

describe('nab', () => {
  const csv = (times: readonly string[], value: (i: number) => unknown = (i) => i % 9) =>
    ['timestamp,value', ...times.map((when, i) => `${when},${value(i)}`)].join('\n');
  const files = (text: string, windows: unknown = [[time(40), time(49)]]) =>
    rootOf({
      'nab/data/realTraffic/speed.csv': text,
      'nab/data/README.md': 'x',
      'nab/labels/combined_windows.json': JSON.stringify({ 'realTraffic/speed.csv': windows }),
    });

  test('windows with both ends, the first 15 % for training', async () => {
    const root = files(csv(count(101).map(time)));
    expect(find('nab').categoriesAt(root)).toEqual(['speed']);
    const [series] = await read('nab/speed', root);
    expect(tuple(series)).toEqual([101, 1, 15, '40-50']);
    expect([series.id, series.channels, series.times?.[1], series.rows?.[0]]).toEqual([
      'speed',
      ['value'],
      Date.UTC(2024, 0, 1, 0, 5),
      2,
    ]);
    await expect(read('nab/sped', root)).rejects.toMatchObject({
      message: expect.stringContaining('Did you mean "speed"?'),
    });
  });

  test('windows between steps, none, a constant value', async () => {
    const times = count(100).map(time);
    const [between] = await read(
      'nab/speed',
      files(csv(times), [['2024-01-01 00:07:00.000000', '2024-01-01 00:16:00.000000']]),
    );
    expect(tuple(between)[3]).toBe('2-4');
    expect(
      tuple(
        (
          await read(
            'nab/speed',
            files(
              csv(times, () => 45),
              [],
            ),
          )
        )[0],
      ),
    ).toEqual([100, 1, 15, '']);
  });

  test('times of clocks: an hour twice, an hour left out, and no times where nothing explains them', async () => {
    const back = count(900).map((i) => time(i < 450 ? i : i - 12));
    const [twice] = await read('nab/speed', files(csv(back), []));
    expect(twice.times!.every((when, t) => t === 0 || when - twice.times![t - 1] === 300_000)).toBe(true);
    const stopped = count(100).map((i) => time(i >= 20 && i < 32 ? 31.5 : i));
    const [spread] = await read('nab/speed', files(csv(stopped), []));
    expect(spread.times!.every((when, t) => t === 0 || Math.abs(when - spread.times![t - 1] - 300_000) < 30_000)).toBe(
      true,
    );
    const random = count(100).map((i) => time((i * 37) % 100));
    expect((await read('nab/speed', files(csv(random), [])))[0].times).toBeUndefined();
  });

  test.each<[string, string, unknown, string]>([
    [
      'a window before the begin',
      csv(count(50).map(time)),
      [['2023-01-01 00:00:00', '2023-01-02 00:00:00']],
      'label-interval',
    ],
    [
      'a window behind the end',
      csv(count(50).map(time)),
      [['2025-01-01 00:00:00', '2025-01-02 00:00:00']],
      'label-interval',
    ],
    ['a window whose end comes first', csv(count(50).map(time)), [[time(30), time(20)]], 'label-interval'],
    ['a window that is no time', csv(count(50).map(time)), [['soon', 'later']], 'labels'],
    ['no windows of this file', csv(count(50).map(time)), null, 'labels'],
    ['a text among the numbers', csv(count(50).map(time), (i) => (i === 7 ? 'x' : i)), [], 'not-numbers'],
    ['no times', csv(count(50).map(time)).replace('timestamp', 'when'), [], 'missing-column'],
  ])('%s', async (_name, text, windows, code) => {
    const root = files(text, windows);
    await expect(read('nab/speed', root)).rejects.toMatchObject({ code });
  });

  test('labels that are no JSON', async () => {
    const root = files(csv(count(50).map(time)));
    writeFileSync(join(root, 'nab/labels/combined_windows.json'), '{');
    await expect(read('nab/speed', root)).rejects.toMatchObject({ code: 'labels' });
  });
});

describe('names that say how to read a file', () => {
  const numbers = (n: number) =>
    count(n)
      .map((i) => `   ${(i / 7).toExponential(7)}`)
      .join('\n');
  const tsb = (n: number, label: (i: number) => unknown = (i) => Number(i > 80)) =>
    ['Data,Label', ...count(n).map((i) => `${i % 7},${label(i)}`)].join('\n');
  const open = (name: string, content: string | Uint8Array) => readNamedSeries(join(rootOf({ [name]: content }), name));

  test.each<[string, string | Uint8Array, unknown[]]>([
    ['135_UCR_Anomaly_Blood_50_80_90.txt', numbers(100), [100, 1, 50, '80-90']],
    ['135_UCR_Anomaly_Blood_50_80_90.txt.gz', gzipSync(numbers(100)), [100, 1, 50, '80-90']],
    ['007_UCR_Anomaly_One_50_80_80.txt', `${numbers(100)}\n\n`, [100, 1, 50, '80-81']],
    ['mine_50_80_100.txt', numbers(100).replaceAll('\n', ' '), [100, 1, 50, '80-100']],
    ['001_NAB_id_1_Facility_tr_25_1st_81.csv', tsb(100), [100, 1, 25, '81-100']],
    ['001_NAB_id_1_Facility_tr_25_1st_81.csv.gz', gzipSync(tsb(100)), [100, 1, 25, '81-100']],
    [
      '008_MSL_id_7_Sensor_tr_25_1st_81.csv',
      tsb(100).replace('Data', '0,1').replaceAll('\n', '\n1,'),
      [100, 2, 25, '81-100'],
    ],
    ['870_UCR_id_3_Human_Activity_tr_25_1st_-1.csv', tsb(100, () => 0), [100, 1, 25, '']],
  ])('%s', async (name, content, expected) => {
    expect(isNamedSeries(name)).toBe(true);
    const series = await open(name, content);
    checkSeries([series!], name);
    expect(tuple(series!)).toEqual(expected);
    expect(series!.rows).toHaveLength(100);
  });

  test.each([
    'data.csv',
    'log_2024_05_12.txt',
    'sensor_1_2_3.txt',
    'x_90_80_95.txt',
    'a_50_80_70.txt',
    '001_NAB_tr_25.csv',
    'a_50_80_90.csv',
  ])('%s is no such name', async (name) => {
    expect(isNamedSeries(name)).toBe(false);
    expect(await open(name, numbers(100))).toBeUndefined();
  });

  test.each<[string, string, string, RegExp]>([
    [
      'a_50_80_101.txt',
      numbers(100),
      'label-interval',
      /has 100 steps, so that an anomaly must lie from 0 to 100, but one is said to lie from 80 to 101/,
    ],
    ['a_50_200_210.txt', numbers(100), 'label-interval', /from 200 to 210/],
    ['a_100_200_210.txt', numbers(100), 'train-end', /has 100 steps, of which by its name 100 are for training/],
    ['a_50_80_90.txt', '', 'not-numbers', /is empty/],
    ['a_50_80_90.txt', `1\n2\nthree\n4`, 'not-numbers', /value 3 is "three"/],
    ['a_50_80_90.txt', '1,2\n3,4', 'not-numbers', /value 1 is "1,2"/],
    ['001_NAB_id_1_Facility_tr_100_1st_81.csv', tsb(100), 'train-end', /100 are for training/],
    ['001_NAB_id_1_Facility_tr_0_1st_81.csv', tsb(100), 'train-end', /0 are for training/],
    [
      '001_NAB_id_1_Facility_tr_25_1st_81.csv',
      tsb(100).replace('Label', 'Truth'),
      'missing-column',
      /must have a column Label/,
    ],
    ['001_NAB_id_1_Facility_tr_25_1st_81.csv', tsb(100).replace('\n6,', '\nsix,'), 'not-numbers', /line 8 has "six"/],
    [
      '001_NAB_id_1_Facility_tr_25_1st_81.csv',
      `Label\n${'0\n'.repeat(100)}`,
      'missing-column',
      /column of values beside Label/,
    ],
  ])('%s with faults', async (name, content, code, message) => {
    await expect(open(name, content)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

describe('made-up files of the other sets', () => {
  const npy = (steps: number, width: number, shape: readonly number[] = [steps, width]): Uint8Array =>
    gzipSync(
      writeNpy(
        tensor(
          'float32',
          [...shape],
          Float32Array.from(count(steps * width), (i) => i % 5),
        ) as Tensor,
      ),
    );

  test('skab', async () => {
    const head = 'datetime;Current;Pressure;anomaly;changepoint';
    const rows = count(500).map((i) => `${time(i)};1.${i % 7};${i % 3};${Number(i >= 450)}.0;0.0`);
    const root = rootOf({
      'skab/valve1/0.csv': [head, ...rows].join('\n'),
      'skab/valve1/1.csv': [head, ...rows.slice(0, 400)].join('\n'),
      'skab/valve1/notes.txt': 'x',
      'skab/anomaly-free/anomaly-free.csv': [head, ...rows]
        .map((row) => row.split(';').slice(0, 3).join(';'))
        .join('\n'),
    });
    expect(find('skab').categoriesAt(root)).toEqual(['anomaly-free', 'valve1-0', 'valve1-1']);
    expect((await read('skab/valve1-0', root)).map(tuple)).toEqual([[500, 2, 400, '450-500']]);
    const [free] = await read('skab/anomaly-free', root);
    expect([tuple(free), free.labels!.length, free.times!.length]).toEqual([[500, 2, undefined, ''], 500, 500]);
    await expect(read('skab/valve1-1', root)).rejects.toMatchObject({ code: 'train-end' });
  });

  const smdRoot = (labels: number, width = 3, shape?: readonly number[]) =>
    rootOf({
      'smd/machine-1-2/train.npy.gz': npy(20, 3, shape),
      'smd/machine-1-2/test.npy.gz': npy(30, width),
      'smd/machine-1-2/test_label.txt': count(labels)
        .map((i) => Number(i > 20 && i < 25))
        .join('\n'),
    });
  test('smd', async () => {
    const root = smdRoot(30);
    expect(find('smd').categoriesAt(root)).toEqual(['machine-1-2']);
    const series = await read('smd/machine-1-2', root);
    expect(series.map(({ id }) => id)).toEqual(['machine-1-2/train', 'machine-1-2/test']);
    expect(series.map(tuple)).toEqual([
      [20, 3, 20, ''],
      [30, 3, 0, '21-25'],
    ]);
    expect(series[0].channels).toEqual(['metric 1', 'metric 2', 'metric 3']);
    await expect(read('smd/machine-1-2', smdRoot(29))).rejects.toMatchObject({ code: 'count-mismatch' });
    await expect(read('smd/machine-1-2', smdRoot(30, 4))).rejects.toMatchObject({ code: 'count-mismatch' });
    await expect(read('smd/machine-1-2', smdRoot(30, 3, [60]))).rejects.toMatchObject({ code: 'npy-shape' });
  });

  const smapRoot = (sequences: string) =>
    rootOf({
      'smap_msl/train/P-1.npy.gz': npy(20, 3),
      'smap_msl/test/P-1.npy.gz': npy(30, 3),
      'smap_msl/labeled_anomalies.csv': `chan_id,spacecraft,anomaly_sequences,class,num_values\n${sequences}`,
    });
  test('smap: sequences with both ends, channels with two rows', async () => {
    const root = smapRoot(
      'P-1,SMAP,"[[2, 4], [10, 10]]","[point, point]",30\nP-10,SMAP,"[[0, 29]]",[point],30\nP-1,SMAP,"[[20,22]]",[point],30',
    );
    expect(find('smap').categoriesAt(root)).toEqual(['P-1']);
    const series = await read('smap/P-1', root);
    expect(series.map(tuple)).toEqual([
      [20, 3, 20, ''],
      [30, 3, 0, '2-5 10-11 20-23'],
    ]);
    expect(series[1].channels).toEqual(['telemetry', 'command 1', 'command 2']);
  });
  test.each<[string, string, string]>([
    ['beyond the end', 'P-1,SMAP,"[[2, 30]]",[point],30', 'label-interval'],
    ['far beyond the end', 'P-1,SMAP,"[[200, 300]]",[point],30', 'label-interval'],
    ['its end first', 'P-1,SMAP,"[[20, 10]]",[point],30', 'label-interval'],
    ['another channel', 'P-2,SMAP,"[[2, 4]]",[point],30', 'labels'],
    ['no numbers', 'P-1,SMAP,"[[a, b]]",[point],30', 'labels'],
  ])('smap: a sequence %s', async (_name, text, code) => {
    await expect(read('smap/P-1', smapRoot(text))).rejects.toMatchObject({ code });
  });
});

describe('real files', () => {
  /** Series of the data root, or a skipped test that says what is missing. */
  async function real({ skip }: TestContext, data: string, root = dataRoot()): Promise<readonly Series[]> {
    return read(data, root).catch((error) =>
      error.code === 'missing-data' ? skip(error.message) : Promise.reject(error),
    );
  }

  test.for<[string, ...unknown[][]]>([
    ['nab/nyc_taxi', [10320, 1, 1548, '5839-6046 7080-7287 8423-8630 8731-8938 9977-10184']],
    ['nab/machine_temperature_system_failure', [22695, 1, 3404, '2126-2693 3703-4270 16057-16624 19232-19799']],
    ['nab/ec2_request_latency_system_failure', [4032, 1, 604, '2014-2149 3328-3463 3956-4032']],
    ['nab/art_flatline', [4032, 1, 604, '']],
    ['ucr/135', [7501, 1, 1200, '4187-4199']],
    ['ucr/136', [7500, 1, 1600, '3198-3309']],
    ['ucr/500', [40000, 1, 10000, '19280-19360']],
    ['skab/valve1-0', [1147, 8, 400, '573-974']],
    ['skab/other-2', [780, 8, 400, '104-488']],
    ['skab/anomaly-free', [9405, 8, undefined, '']],
    ['smap/P-1', [2872, 25, 2872, ''], [8505, 25, 0, '2149-2350 3539-3780 4536-4845']],
    ['smap/M-1', [2209, 55, 2209, ''], [2277, 55, 0, '1110-2251']],
    ['tsb-ad/001', [4031, 1, 1007, '2014-2148 3328-3462 3956-4031']],
    ['tsb-ad/013', [2494, 1, 623, '2084-2208 2335-2459']],
    ['tsb-ad/346', [29826, 1, 7456, '17390-17520']],
    ['tsb-ad/008-M', [2625, 55, 656, '1630-1651 1800-2001']],
    ['tsb-ad/169-M', [7244, 25, 1811, '4510-4591']],
  ])('%s', async ([data, ...expected], context) => {
    expect((await real(context, data)).map(tuple)).toEqual(expected);
  });

  test.for([
    ['machine-1-2', 23694, 23694, 542],
    ['machine-1-6', 23688, 23689, 3708],
    ['machine-2-1', 23693, 23694, 1170],
  ] as const)('smd/%s', async ([machine, train, test, anomalies], context) => {
    const [first, second] = await real(context, `smd/${machine}`);
    expect([stepsOf(first), stepsOf(second), first.channels.length]).toEqual([train, test, 38]);
    expect([first, second].map(({ labels }) => labels!.reduce((n, y) => n + y, 0))).toEqual([0, anomalies]);
  });

  test('ecg5000', async (context) => {
    const source = await findDataset('ecg5000')
      .load({ root: dataRoot() })
      .catch((error) => (error.code === 'missing-data' ? context.skip(error.message) : Promise.reject(error)));
    const counts = (part: string) =>
      count(5).map((c) => source.items.filter((i) => i.part === part && i.class === c).length);
    expect(counts('train')).toEqual([292, 177, 10, 19, 2]);
    expect(counts('test')).toEqual([2626, 1590, 86, 175, 22]);
  });

  test('every file of nab has times that go on', async (context) => {
    await real(context, 'nab/nyc_taxi');
    for (const name of find('nab').categoriesAt(dataRoot())) {
      const [{ times }] = await read(`nab/${name}`, dataRoot());
      expect([name, times !== undefined]).toEqual([name, true]);
    }
  });

  // Steps, anomalous steps and their runs as the table of published results has them.
  test.for([
    ['001', 4031, 343, 3],
    ['006', 10319, 1030, 5],
    ['008', 4031, 402, 1],
    ['016', 7266, 724, 2],
    ['017', 4031, 402, 1],
    ['018', 1881, 188, 2],
    ['019', 4031, 400, 2],
    ['023', 18049, 1498, 1],
    ['326', 7501, 12, 1],
  ] as const)('tsb-ad/%s made from NAB or UCR', async ([number, steps, anomalies, runs], context) => {
    const root = rootOf({});
    for (const name of ['nab', 'ucr_anomaly']) {
      if (existsSync(join(dataRoot(), name))) symlinkSync(join(dataRoot(), name), join(root, name));
    }
    const [series] = await real(context, `tsb-ad/${number}`, root);
    const segments = segmentsOf(series.labels!);
    expect([stepsOf(series), series.labels!.reduce((n, y) => n + y, 0), segments.length]).toEqual([
      steps,
      anomalies,
      runs,
    ]);
    expect(series.id.startsWith(`${number}_`)).toBe(true);
    expect(series.id.endsWith(`_tr_${series.train}_1st_${segments[0].begin}`)).toBe(true);
    if (number !== '001') return;
    const [carried] = await real(context, 'tsb-ad/001');
    expect([series.labels, series.train, series.channels]).toEqual([carried.labels, carried.train, carried.channels]);
    expect(series.values.every((value, t) => Math.abs(value - carried.values[t]) < 1e-9)).toBe(true);
  });
});
