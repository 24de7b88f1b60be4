/** `oddity/client` against a real server: images, rows and series, and what it refuses. */

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Client, connect, OddityError, ServerError } from '../../dist/client/index.js';
import { Rng } from '../../dist/core/random.js';
import { encodePng } from '../../dist/data/index.js';
import { type Detector, fit, loadDetector, train } from '../../dist/index.js';
import { serve } from '../../dist/server/serve.js';

const SIDE = 16;
const token = '0123456789abcdef';
const quiet = { log: { write() {} } };

let folder: string;
let server: Awaited<ReturnType<typeof serve>>;
let client: Client;
const opened: Record<string, Detector> = {};
const png = encodePng({ height: SIDE, width: SIDE, channels: 1, data: new Uint8Array(SIDE * SIDE).fill(120) });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'oddity-client-'));
  const options = { seed: 1, threads: 1, device: 'cpu' } as const;
  const rng = new Rng(2);
  const tiles = Float32Array.from({ length: 40 * SIDE * SIDE }, () => 0.4 + 0.2 * rng.uniform());
  const rows = Array.from({ length: 100 }, () => ({ a: rng.normals(1)[0], kind: 'xyz'[rng.int(3)] }));
  const made = {
    tile: await fit('pca', { data: tiles, shape: [40, 1, SIDE, SIDE] }, options),
    row: await fit('knn', rows, options),
  };
  for (const [name, detector] of Object.entries(made)) {
    await detector.save(join(folder, name));
    await detector.close();
    opened[name] = await loadDetector(join(folder, name), { threads: 1, device: 'cpu' });
  }
  await train({ model: 'sub-pca', data: 'synthetic-series', seed: 1, out: join(folder, 'waves'), device: 'cpu' });
  server = await serve([folder], { port: 0, threads: 1, device: 'cpu', token }, quiet);
  client = connect(`${server.url}/`, { token });
}, 120_000);

afterAll(async () => {
  await server?.close();
  for (const detector of Object.values(opened)) await detector.close();
  await rm(folder, { recursive: true, force: true });
});

it('lists detectors and says what one takes', async () => {
  expect((await client.detectors()).map(({ name }) => name)).toEqual(['row', 'tile', 'waves']);
  expect(await client.detector('row')).toMatchObject({ model: 'knn', columns: ['a', 'kind'] });
});

it('scores images as the library does, from bytes and blobs', async () => {
  const { score } = await opened.tile.scoreImage(png);
  const { items, failed } = await client.scoreImages('tile', [png, new Blob([png as BlobPart]), new Uint8Array(3)], {
    map: true,
  });
  expect(items.map((item) => item.score)).toEqual([score, score]);
  expect(items[0].map).toMatch(/^data:image\/png/);
  expect(failed.map(({ id, code }) => [id, code])).toEqual([['3', 'not-an-image']]);
});

it('scores rows and series', async () => {
  const { items, warnings } = await client.scoreRows('row', [
    { a: 0.5, kind: 'x' },
    { a: 9, kind: 'new' },
  ]);
  expect(items[0].score).toBe((await opened.row.scoreRow({ a: 0.5, kind: 'x' })).score);
  expect(warnings.map(({ code }) => code)).toEqual(['unseen-texts']);
  const facts = await client.detector('waves');
  const steps = Array.from({ length: 300 }, (_, t) => ({
    time: new Date(60_000 * t),
    ...Object.fromEntries((facts.columns ?? []).map((name) => [name, Math.sin(t / 8)])),
  }));
  const series = await client.scoreSeries('waves', steps);
  expect(series.steps).toHaveLength(300);
  expect(series.steps[1].time).toBe('1970-01-01T00:01:00.000Z');
});

it('throws errors with the code of the server', async () => {
  const refused = (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (error) => error as ServerError,
    );
  const unknown = await refused(client.scoreRows('nobody', [{ a: 1 }]));
  expect(unknown).toBeInstanceOf(ServerError);
  expect(unknown).toBeInstanceOf(OddityError);
  expect(unknown).toMatchObject({ code: 'unknown-detector', status: 404, requestId: expect.any(String) });
  expect(await refused(client.scoreRows('row', [{ b: 1 }]))).toMatchObject({ code: 'missing-columns', status: 400 });
  expect(await refused(client.detector('row', { version: '7' }))).toMatchObject({ code: 'unknown-detector' });
  expect(await refused(connect(server.url).detectors())).toMatchObject({ code: 'no-token', status: 401 });
  expect(await refused(connect('http://127.0.0.1:9').detectors())).toMatchObject({ code: 'unreachable' });
  const left = AbortSignal.abort();
  expect(await refused(client.detectors({ signal: left }))).toMatchObject({ name: 'AbortError' });
});

it('says so where something else answers, and when to ask again', async () => {
  const other = createServer((_, answer) => answer.writeHead(503, { 'Retry-After': '7' }).end('<h1>busy</h1>'));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  await expect(connect(`http://127.0.0.1:${port}`).detectors()).rejects.toMatchObject({
    ...{ code: 'no-oddity-server', status: 503, retryAfter: 7 },
  });
  other.close();
});
