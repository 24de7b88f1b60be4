/** `oddity serve` as clients use it: both interfaces, what is refused and how, and that nothing of one request touches another. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { encodePng } from '../../dist/data/index.js';
import { type Detector, fit, loadDetector, predict, RuntimeUnavailable } from '../../dist/index.js';
import { openCatalogue } from '../../dist/server/catalogue.js';
import { operations } from '../../dist/server/openapi.js';
import { serve } from '../../dist/server/serve.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const quiet = { log: { write() {} } };
const SIDE = 16;

let folder: string;
let server: Awaited<ReturnType<typeof serve>>;
const detectors: Record<string, Detector> = {};

/** Grey images of soft noise. */
function images(count: number, seed: number): Float32Array {
  const rng = new Rng(seed);
  return Float32Array.from({ length: count * SIDE * SIDE }, () => 0.4 + 0.2 * rng.uniform());
}

function rowsOf(count: number, seed: number): { a: number; b: number; kind: string }[] {
  const rng = new Rng(seed);
  return Array.from({ length: count }, () => {
    const [a, noise] = rng.normals(2);
    return { a, b: 2 * a + 0.1 * noise, kind: 'xyz'[rng.int(3)] };
  });
}

const csvOf = (rows: readonly Record<string, unknown>[]) =>
  [Object.keys(rows[0]).join(','), ...rows.map((row) => Object.values(row).join(','))].join('\n');

/** Five-minute steps of a sine; some of them far off. */
const seriesRows = (count: number, off: readonly number[] = []) =>
  Array.from({ length: count }, (_, t) => ({
    time: new Date(Date.UTC(2024, 0, 1) + 300_000 * t).toISOString(),
    v: Math.sin(t / 5) + 0.02 * ((t * 7919) % 13) + (off.includes(t) ? 5 : 0),
  }));

const png = (values: Float32Array, change = (v: number) => v) =>
  encodePng({
    height: SIDE,
    width: SIDE,
    channels: 1,
    data: Uint8Array.from(values.subarray(0, SIDE * SIDE), (v) => change(Math.round(255 * v))),
  });

const url = (path: string) => `${server.url}${path}`;
const post = (path: string, body: BodyInit, type?: string, headers: Record<string, string> = {}) =>
  fetch(url(path), { method: 'POST', body, headers: { ...(type && { 'Content-Type': type }), ...headers } });
const infer = (name: string, body: unknown) =>
  post(`/v2/models/${name}/infer`, JSON.stringify(body), 'application/json');
const rowsTensor = (values: readonly number[], shape = [values.length / 5, 5]) => ({
  inputs: [{ name: 'row', shape, datatype: 'FP32', data: values }],
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'oddity-serve-'));
  const options = { seed: 1, threads: 1, device: 'cpu' } as const;
  const tile = await fit('pca', { data: images(60, 1), shape: [60, 1, SIDE, SIDE] }, options);
  const row = await fit('knn', rowsOf(120, 2), options);
  await tile.save(join(folder, 'served', 'tile'));
  await row.save(join(folder, 'served', 'row'));
  await Promise.all([tile.close(), row.close()]);
  const csv = join(folder, 'sensor.csv');
  await writeFile(csv, csvOf(seriesRows(600)));
  const train = spawn(
    process.execPath,
    [main, 'train', 'sub-pca', '--data', csv, '--out', join(folder, 'run'), '--quiet'],
    {
      stdio: 'ignore',
    },
  );
  const [code] = await once(train, 'exit');
  expect(code).toBe(0);
  await cp(join(folder, 'run'), join(folder, 'served', 'sensor'), { recursive: true });
  for (const name of ['tile', 'row', 'sensor']) {
    detectors[name] = await loadDetector(join(folder, 'served', name), { threads: 1, device: 'cpu' });
  }
  server = await serve(
    [join(folder, 'served')],
    { port: 0, threads: 1, device: 'cpu', maxItems: 100, maxBody: 1 },
    quiet,
  );
}, 120_000);

afterAll(async () => {
  await server?.close();
  for (const detector of Object.values(detectors)) await detector.close();
  await rm(folder, { recursive: true, force: true });
});

describe('the Open Inference Protocol', () => {
  it('says that it lives, what it is and what it has', async () => {
    expect(await (await fetch(url('/v2/health/live'))).json()).toEqual({ live: true });
    expect((await fetch(url('/v2/health/ready'))).status).toBe(200);
    expect(await (await fetch(url('/v2'))).json()).toMatchObject({
      name: 'oddity',
      extensions: ['binary_tensor_data', 'model_repository'],
    });
    const metadata = {
      name: 'tile',
      versions: ['1'],
      platform: 'onnx_onnxruntime',
      inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 1, SIDE, SIDE] }],
    };
    expect(await (await fetch(url('/v2/models/tile'))).json()).toMatchObject(metadata);
    expect(await (await fetch(url('/v2/models/tile/versions/1'))).json()).toMatchObject(metadata);
    expect(await (await fetch(url('/v2/models/tile/versions/1/ready'))).json()).toEqual({ name: 'tile', ready: true });
  });

  it('infers from JSON what the detector scores, with all outputs or those that are asked for', async () => {
    const values = images(3, 5);
    const expected = await detectors.tile.score(values, 3);
    const input = { name: 'image', shape: [3, 1, SIDE, SIDE], datatype: 'FP32', data: [...values] };
    const all = await (await infer('tile', { id: 'seven', inputs: [input] })).json();
    expect(all).toMatchObject({ model_name: 'tile', model_version: '1', id: 'seven' });
    const named = Object.fromEntries(all.outputs.map((output: { name: string }) => [output.name, output]));
    expect(Object.keys(named)).toEqual(['score', 'map', 'reconstruction', 'is_anomalous', 'decision']);
    expect(named.score.data).toEqual([...expected.scores]);
    expect(named.map).toMatchObject({ shape: [3, SIDE, SIDE], datatype: 'FP32' });
    expect(Float32Array.from(named.map.data)).toEqual(expected.maps);
    expect(named.is_anomalous.data).toEqual([...expected.scores].map((score) => score >= detectors.tile.threshold!));
    expect(named.decision.data).toEqual([...expected.scores].map((score) => detectors.tile.decide(score)));
    const one = await (await infer('tile', { inputs: [input], outputs: [{ name: 'score' }] })).json();
    expect(one.outputs).toEqual([named.score]);
  });

  it('takes and gives raw tensors', async () => {
    const values = images(2, 6);
    const expected = await detectors.tile.score(values, 2);
    const head = JSON.stringify({
      inputs: [
        {
          name: 'image',
          shape: [2, 1, SIDE, SIDE],
          datatype: 'FP32',
          parameters: { binary_data_size: values.byteLength },
        },
      ],
      outputs: [{ name: 'map', parameters: { binary_data: true } }, { name: 'score' }],
    });
    const body = Buffer.concat([Buffer.from(head), Buffer.from(values.buffer)]);
    const answer = await post('/v2/models/tile/versions/1/infer', body, 'application/octet-stream', {
      'Inference-Header-Content-Length': String(head.length),
    });
    expect(answer.status).toBe(200);
    const length = Number(answer.headers.get('Inference-Header-Content-Length'));
    const bytes = Buffer.from(await answer.arrayBuffer());
    const json = JSON.parse(bytes.subarray(0, length).toString());
    expect(json.outputs.map(({ name }: { name: string }) => name)).toEqual(['map', 'score']);
    expect(json.outputs[1].data).toEqual([...expected.scores]);
    expect(new Float32Array(new Uint8Array(bytes.subarray(length)).buffer)).toEqual(expected.maps);
  });

  it.each([
    [
      'nothing',
      rowsTensor([1, 2, 1, 0, 0]),
      404,
      'There is no detector named "nothing" here. Known: row, sensor, tile.',
    ],
    [
      'row/versions/9',
      rowsTensor([1, 2, 1, 0, 0]),
      404,
      'There is no detector named "row, version 9" here. Its versions: 1.',
    ],
    ['row', rowsTensor([1, 2], [1, 2]), 400, 'The input row must have the shape [n, 5], got [1, 2].'],
    [
      'row',
      { inputs: [{ name: 'x', shape: [1, 5], datatype: 'FP32', data: [] }] },
      400,
      'row takes one input, row, got x.',
    ],
    [
      'row',
      { inputs: [{ name: 'row', shape: [1, 5], datatype: 'INT8', data: [1, 2, 3, 4, 5] }] },
      400,
      'The input row must be of datatype FP32 or FP64, got INT8.',
    ],
    ['row', { ...rowsTensor([1, 2, 1, 0, 0]), outputs: [{ name: 'sore' }] }, 400, 'row has no output "sore".'],
    ['row', rowsTensor([1, Number.NaN, 1, 0, 0]), 400, 'must hold numbers, found null'],
    ['row', { inputs: [] }, 400, 'inputs of the body is not as it must be'],
    ['row', 'text', 400, 'The body is not as it must be'],
  ])('refuses of %s what it cannot take: %j', async (name, body, status, sentence) => {
    const answer = await infer(name, body);
    expect(answer.status).toBe(status);
    const { error, ...rest } = await answer.json();
    expect(error).toContain(sentence);
    expect(rest).toEqual({});
  });

  it('loads and unloads through the repository', async () => {
    await infer('row', rowsTensor([1, 2, 1, 0, 0]));
    const index = async () => (await post('/v2/repository/index', '')).json();
    expect(await index()).toContainEqual({ name: 'row', version: '1', state: 'READY', reason: '' });
    await post('/v2/repository/models/row/unload', '');
    expect(await index()).toContainEqual({
      name: 'row',
      version: '1',
      state: 'UNAVAILABLE',
      reason: 'opened on demand',
    });
    expect((await infer('row', rowsTensor([1, 2, 1, 0, 0]))).status).toBe(503);
    expect((await fetch(url('/v2/models/row/ready'))).status).toBe(503);
    await post('/v2/repository/models/row/load', '');
    expect((await fetch(url('/v2/models/row/ready'))).status).toBe(200);
    expect((await infer('row', rowsTensor([1, 2, 1, 0, 0]))).status).toBe(200);
  });

  it('answers every operation of its description, and none besides', async () => {
    const document = await (await fetch(url('/openapi.json'))).json();
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths).sort()).toEqual([...new Set(operations.map(({ path }) => path))].sort());
    for (const { method, path } of operations) {
      const there = path.replace('{name}', 'tile').replace('{version}', '1').replace('{apiVersion}', 'v1.1');
      const { status } = await fetch(url(there), { method });
      expect([200, 400, 415], `${method} ${there}`).toContain(status);
    }
    await post('/v2/repository/models/tile/load', '');
  });
});

describe('the interface of items', () => {
  it('lists detectors with what they take', async () => {
    const { detectors: list } = await (await fetch(url('/detectors'))).json();
    expect(list.map(({ name, kind }: { name: string; kind: string }) => [name, kind])).toEqual([
      ['row', 'table'],
      ['sensor', 'series'],
      ['tile', 'image'],
    ]);
    expect(await (await fetch(url('/detectors/row'))).json()).toMatchObject({
      ...{ model: 'knn', columns: ['a', 'b', 'kind'], threshold: detectors.row.threshold },
    });
  });

  it('scores an image as the library does, with a picture when it is asked for', async () => {
    const file = png(images(1, 9));
    const expected = await detectors.tile.scoreImage(file);
    const plain = await (await post('/detectors/tile/score', file as BodyInit, 'image/png')).json();
    const { score, decision, pValue, regions } = expected;
    expect(plain.items).toEqual([
      {
        ...{ id: '1', score, isAnomalous: expected.isAnomalous, decision, pValue, regions },
        imageSize: { height: SIDE, width: SIDE },
      },
    ]);
    const drawn = await (await post('/detectors/tile/score?map=true', file as BodyInit, 'image/png')).json();
    expect(drawn.items[0].map).toMatch(/^data:image\/png;base64,iVBOR/);
  });

  it('scores the files of a form, and lists those that it cannot read', async () => {
    const form = new FormData();
    form.append('a', new Blob([png(images(1, 9)) as BlobPart]), 'good.png');
    form.append('b', new Blob(['no image']), 'bad.png');
    const { items, failed } = await (await post('/detectors/tile/score', form)).json();
    expect(items.map(({ id }: { id: string }) => id)).toEqual(['good.png']);
    expect(failed).toMatchObject([{ id: 'bad.png', code: 'not-an-image' }]);
  });

  it('scores rows from JSON and CSV alike, with the columns that stand out', async () => {
    const rows = [...rowsOf(2, 11), { a: 0, b: 9, kind: 'x' }];
    const json = await (await post('/detectors/row/score', JSON.stringify(rows), 'application/json')).json();
    const csv = await (await post('/detectors/row/score', csvOf(rows), 'text/csv')).json();
    expect(csv).toEqual(json);
    expect(json.items[2]).toMatchObject({
      id: '3',
      isAnomalous: true,
      decision: 'anomalous',
      pValue: 1 / (detectors.row.info.normalScores.length + 1),
    });
    expect(json.items[2].columns[0]).toMatchObject({ name: 'b', cell: '9' });
    expect(json.items[2].score).toBe((await detectors.row.scoreRow(rows[2])).score);
  });

  it('warns of what predict warns of', async () => {
    const rows = [
      { a: 1, b: '', kind: 'new', colour: 'red' },
      { a: 1, b: 2, kind: 'x', colour: 'blue' },
    ];
    const { items, warnings } = await (await post('/detectors/row/score', csvOf(rows), 'text/csv')).json();
    expect(items).toHaveLength(2);
    expect(warnings).toEqual([
      { code: 'missing-values', message: '1 missing number is replaced by the median of the training rows.' },
      {
        code: 'unseen-texts',
        message: 'kind has values that were not in the training data (new); they match none of the known ones.',
      },
      { code: 'unknown-columns', message: 'columns ignored because training did not use them: colour.' },
    ]);
    const file = join(folder, 'rows-to-predict.csv');
    await writeFile(file, csvOf(rows));
    const told: unknown[] = [];
    const onEvent = (event: { type: string; code?: string; message?: string }) =>
      void ((event.type === 'warning' || event.type === 'log') && told.push(event.message));
    const { predictions } = await predict({ run: join(folder, 'served', 'row'), images: [file], onEvent });
    expect(predictions.map(({ score }) => score)).toEqual(items.map(({ score }: { score: number }) => score));
    for (const { message } of warnings) expect(told).toContain(`${file}: ${message}`);
    const gap = seriesRows(300).filter((_, t) => t !== 100);
    const series = await (await post('/detectors/sensor/score', JSON.stringify(gap), 'application/json')).json();
    expect(series.warnings.map(({ code }: { code: string }) => code)).toEqual(['missing-steps']);
  });

  it('scores a series with its alarms', async () => {
    const rows = seriesRows(300, [150, 151, 152]);
    const { steps, alarms } = await (
      await post('/detectors/sensor/score', JSON.stringify(rows), 'application/json')
    ).json();
    expect(steps).toHaveLength(300);
    expect(steps[3].time).toBe('2024-01-01T00:15:00.000Z');
    const [alarm] = alarms;
    expect(alarm.start).toBeLessThanOrEqual(152);
    expect(alarm.end).toBeGreaterThan(150);
    expect(steps[alarm.peak.step].score).toBe(Math.max(...steps.map(({ score }: { score: number }) => score)));
  });

  it.each([
    ['row', '[{"a":1}]', 'application/json', 400, 'missing-columns'],
    ['row', '[{"a":1,"b":"much","kind":"x"}]', 'application/json', 400, 'row-value'],
    ['row', '{"a":', 'application/json', 400, 'not-json'],
    ['row', '[]', 'application/json', 400, 'no-items'],
    ['row', 'a,b', 'text/plain', 415, 'wrong-type'],
    ['row', csvOf(rowsOf(101, 1)), 'text/csv', 413, 'too-many-items'],
    ['tile', 'no image', 'image/png', 400, 'not-an-image'],
    ['tile', '/etc/hostname', 'text/plain', 415, 'wrong-type'],
    ['sensor', csvOf(seriesRows(4)), 'text/csv', 400, 'short-series'],
    ['nobody', '{}', 'application/json', 404, 'unknown-detector'],
  ])('refuses for %s: %s as %s', async (name, body, type, status, code) => {
    const answer = await post(`/detectors/${name}/score`, body, type);
    expect(answer.status).toBe(status);
    const { error } = await answer.json();
    expect(error).toMatchObject({ code, requestId: answer.headers.get('X-Request-Id') });
    expect(error.message).toMatch(/\.$/);
  });

  it('refuses a body that is too large', async () => {
    const answer = await post('/detectors/tile/score', new Uint8Array(2 ** 20 + 1), 'image/png');
    expect(answer.status).toBe(413);
    expect((await answer.json()).error.code).toBe('too-large');
  });
});

describe('who may ask', () => {
  it('is not asked by another name, nor by pages of other sites', async () => {
    const { port } = new URL(server.url);
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () =>
        socket.write('GET /detectors HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n'),
      );
      let text = '';
      socket.on('data', (bytes) => (text += bytes)).on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1.1 421 /);
    const page = await fetch(url('/detectors'), { headers: { Origin: 'https://evil.example' } });
    expect(page.status).toBe(403);
    const own = await fetch(url('/detectors'), { headers: { Origin: server.url } });
    expect(own.headers.get('Access-Control-Allow-Origin')).toBe(server.url);
    expect(own.headers.get('Access-Control-Expose-Headers')).toContain('Retry-After');
  });

  it('needs a token where others reach it, and asks for it', async () => {
    const paths = [join(folder, 'served', 'row')];
    await expect(serve(paths, { host: '0.0.0.0', port: 0 }, quiet)).rejects.toMatchObject({ code: 'open-address' });
    await expect(serve(paths, { token: 'short', port: 0 }, quiet)).rejects.toMatchObject({ code: 'short-token' });
    const token = '0123456789abcdef';
    await using other = await serve(paths, { token, port: 0 }, quiet);
    expect((await fetch(`${other.url}/detectors`)).status).toBe(401);
    expect(
      (await fetch(`${other.url}/detectors`, { headers: { Authorization: 'Bearer 0123456789abcdeF' } })).status,
    ).toBe(401);
    expect((await fetch(`${other.url}/detectors`, { headers: { Authorization: `Bearer ${token}` } })).status).toBe(200);
    expect((await fetch(`${other.url}/v2/health/live`)).status).toBe(200);
  });

  it('takes the token from a file, and says what is wrong with one', async () => {
    const paths = [join(folder, 'served', 'row')];
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, '0123456789abcdef\n');
    await using other = await serve(paths, { host: '0.0.0.0', tokenFile, port: 0 }, quiet);
    const { port } = new URL(other.url);
    const ask = (token: string) =>
      fetch(`http://127.0.0.1:${port}/detectors`, { headers: { Authorization: `Bearer ${token}` } });
    expect((await ask('0123456789abcdef')).status).toBe(200);
    expect((await ask('another-0123456789')).status).toBe(401);
    const refused = async (options: Parameters<typeof serve>[1]) =>
      serve(paths, { port: 0, ...options }, quiet).then(
        () => 'listens',
        ({ code, message }) => `${code}: ${message}`,
      );
    expect(await refused({ token: '0123456789abcdef', tokenFile })).toMatch(/^two-tokens: .*not both\.$/);
    expect(await refused({ tokenFile: join(folder, 'none') })).toMatch(/^token-file: .*ENOENT/);
    expect(await refused({ tokenFile: folder })).toMatch(/^token-file: .*EISDIR/);
    await writeFile(tokenFile, '\n');
    expect(await refused({ tokenFile })).toMatch(/^short-token: The token in .* must have 16 .* got 0/);
    await writeFile(tokenFile, 'two words, which no header has\n');
    expect(await refused({ tokenFile })).toMatch(/^token-letters: /);
    expect(await refused({ token: 'ключключключключключ' })).toMatch(/^token-letters: /);
  });

  it('says that a port is taken', async () => {
    const port = Number(new URL(server.url).port);
    await expect(serve([join(folder, 'served')], { port }, quiet)).rejects.toMatchObject({ code: 'port-taken' });
  });
});

describe('faults', () => {
  it('keeps the old detector where new files are none, and takes new ones', async () => {
    const place = join(folder, 'changing');
    await cp(join(folder, 'served', 'row'), place, { recursive: true });
    const warnings: string[] = [];
    const log = { write: (line: string) => void (line.includes('not-reloaded') && warnings.push(line)) };
    await using other = await serve([place], { port: 0, threads: 1 }, { log });
    const score = async () => {
      const answer = await fetch(`${other.url}/detectors/changing/score`, {
        ...{
          method: 'POST',
          body: JSON.stringify({ a: 0, b: 9, kind: 'x' }),
          headers: { 'Content-Type': 'application/json' },
        },
      });
      return (await answer.json()).items[0].score as number;
    };
    const before = await score();
    const whole = await readFile(join(place, 'model.onnx'));
    await writeFile(join(place, 'model.onnx'), whole.subarray(0, 100));
    await expect.poll(() => warnings.length, { timeout: 8000 }).toBe(1);
    expect(await score()).toBe(before);
    const { isOpen, fault } = await (await fetch(`${other.url}/detectors/changing`)).json();
    expect([isOpen, fault]).toEqual([true, expect.stringMatching(/model\.onnx/)]);
    expect((await fetch(`${other.url}/v2/models/changing/ready`)).status).toBe(200);
    const other2 = await fit('knn', rowsOf(60, 77), { seed: 2, threads: 1, device: 'cpu' });
    await writeFile(join(place, 'model.onnx'), whole);
    await other2.save(place);
    await other2.close();
    await utimes(join(place, 'model.json'), new Date(), new Date());
    await expect.poll(score, { timeout: 8000 }).not.toBe(before);
  });

  it('lists detectors that cannot be read, with the reason', async () => {
    const place = join(folder, 'some');
    await cp(join(folder, 'served', 'row'), join(place, 'good'), { recursive: true });
    await cp(join(folder, 'served', 'row'), join(place, 'bad'), { recursive: true });
    await writeFile(join(place, 'bad', 'model.json'), '{"kind": ');
    await using other = await serve([place], { port: 0, threads: 1 }, quiet);
    const { detectors: list } = await (await fetch(`${other.url}/detectors`)).json();
    expect(list.map(({ name }: { name: string }) => name)).toEqual(['bad', 'good']);
    expect(list[0]).toMatchObject({
      name: 'bad',
      versions: ['1'],
      isOpen: false,
      fault: expect.stringMatching(/model\.json/),
    });
    expect(list[1]).toMatchObject({ name: 'good', model: 'knn' });
    const score = { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } };
    for (const answer of [
      await fetch(`${other.url}/detectors/bad`),
      await fetch(`${other.url}/detectors/bad/score`, score),
      await fetch(`${other.url}/v2/models/bad`),
    ]) {
      expect(answer.status).toBe(503);
    }
  });

  it('closes the detector that was not asked for the longest when memory is used up', async () => {
    await using other = await serve([join(folder, 'served')], { port: 0, memory: 1, threads: 1 }, quiet);
    const isOpen = async () => {
      const { detectors: list } = await (await fetch(`${other.url}/detectors`)).json();
      return list.filter((one: { isOpen: boolean }) => one.isOpen).map((one: { name: string }) => one.name);
    };
    for (const name of ['row', 'tile', 'row']) {
      await fetch(`${other.url}/v2/repository/models/${name}/load`, { method: 'POST' });
      expect(await isOpen()).toEqual([name]);
    }
  });

  it('opens a detector anew after its worker has died', async () => {
    const catalogue = await openCatalogue([join(folder, 'served', 'row')], {
      memory: 2 ** 30,
      mostWaiting: 10,
      threads: 1,
    });
    const first = await catalogue.use('row', undefined, async ({ detector }) => detector);
    const dying = catalogue.use('row', undefined, async () => {
      throw new RuntimeUnavailable('worker-died', 'The worker died.');
    });
    await expect(dying).rejects.toMatchObject({ code: 'worker-died' });
    const [second, score] = await catalogue.use('row', undefined, async ({ detector }) => [
      detector,
      (await detector.scoreRow({ a: 0, b: 0, kind: 'x' })).score,
    ]);
    expect(second).not.toBe(first);
    expect(score).toBe((await detectors.row.scoreRow({ a: 0, b: 0, kind: 'x' })).score);
    await catalogue.close();
  });
});

describe('the command', () => {
  it('takes the token from the environment', async () => {
    const args = [main, 'serve', join(folder, 'served', 'row'), '--port', '0', '--json', '--quiet'];
    const child = spawn(process.execPath, args, { env: { ...process.env, ODDITY_TOKEN: '0123456789abcdef' } });
    const [first] = await once(child.stdout, 'data');
    const { url: where } = JSON.parse(String(first));
    expect((await fetch(`${where}/detectors`)).status).toBe(401);
    const headers = { Authorization: 'Bearer 0123456789abcdef' };
    expect((await fetch(`${where}/detectors`, { headers })).status).toBe(200);
    child.kill('SIGTERM');
    await once(child, 'exit');
    const short = spawn(process.execPath, args, { env: { ...process.env, ODDITY_TOKEN: 'short' } });
    let said = '';
    short.stdout.on('data', (text) => (said += text));
    expect((await once(short, 'close'))[0]).toBe(2);
    expect(said).toContain('must have 16 characters or more, got 5');
  });

  it('says where it listens, answers what it has begun after SIGTERM, and ends with 0', async () => {
    const child = spawn(process.execPath, [
      main,
      'serve',
      `part=${join(folder, 'served', 'row')}`,
      '--port',
      '0',
      '--json',
      '--quiet',
    ]);
    const [first] = await once(child.stdout, 'data');
    const { url: where, detectors: names } = JSON.parse(String(first));
    expect(names).toEqual([{ name: 'part', version: '1' }]);
    const rows = JSON.stringify(rowsOf(4000, 4));
    const answer = fetch(`${where}/detectors/part/score`, {
      ...{ method: 'POST', body: rows, headers: { 'Content-Type': 'application/json' } },
    });
    await new Promise((after) => setTimeout(after, 30));
    child.kill('SIGTERM');
    expect((await (await answer).json()).items).toHaveLength(4000);
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
  });
});
