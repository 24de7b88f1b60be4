/**
 * What goes wrong around `oddity serve`: bodies that are no bodies, clients that dribble or leave, a worker that dies in the middle of a
 * request, a disk that is full. One request's failure touches no other. `ODDITY_SOAK=1` sends 1,000 malformed bodies.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { encodePng } from '../../dist/data/index.js';
import { type Detector, fit, loadDetector } from '../../dist/index.js';
import { serve } from '../../dist/server/serve.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const quiet = { log: { write() {} } };
const MALFORMED = process.env.ODDITY_SOAK ? 1000 : 200;
const SIDE = 16;

/** Workers that were started since the test began. */
const workers: Worker[] = [];
const threads = createRequire(import.meta.url)('node:worker_threads');
const OwnWorker = threads.Worker;

let folder: string;
let server: Awaited<ReturnType<typeof serve>>;
let row: Detector;

const rowOf = (i: number) => ({ a: 0.3 * Math.sin(i), b: 0.01 * i, kind: 'xyz'[i % 3] });
const json = (body: unknown) => ({
  ...{ method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } },
});
const scoreOf = async (url: string, body: unknown): Promise<number> =>
  (await (await fetch(`${url}/detectors/row/score`, json(body))).json()).items[0].score;

beforeAll(async () => {
  threads.Worker = class extends OwnWorker {
    constructor(...args: unknown[]) {
      super(...args);
      workers.push(this as unknown as Worker);
    }
  };
  syncBuiltinESMExports();
  folder = await mkdtemp(join(tmpdir(), 'oddity-faults-'));
  const options = { seed: 1, threads: 1, device: 'cpu' } as const;
  const rng = new Rng(2);
  const rows = Array.from({ length: 150 }, () => {
    const [a, noise] = rng.normals(2);
    return { a, b: 2 * a + 0.1 * noise, kind: 'xyz'[rng.int(3)] };
  });
  const tiles = Float32Array.from({ length: 40 * SIDE * SIDE }, () => 0.4 + 0.2 * rng.uniform());
  for (const detector of [
    await fit('knn', rows, options),
    await fit('pca', { data: tiles, shape: [40, 1, SIDE, SIDE] }, options),
  ]) {
    await detector.save(join(folder, detector.kind === 'image' ? 'tile' : 'row'));
    await detector.close();
  }
  row = await loadDetector(join(folder, 'row'), { threads: 1, device: 'cpu' });
  server = await serve([folder], { port: 0, threads: 1, device: 'cpu', maxBody: 1, deadline: 20 }, quiet);
}, 120_000);

afterAll(async () => {
  threads.Worker = OwnWorker;
  syncBuiltinESMExports();
  await server?.close();
  await row?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A valid request of each kind of body. */
function seeds(): { path: string; type: string; text: string }[] {
  const png = encodePng({ height: SIDE, width: SIDE, channels: 1, data: new Uint8Array(SIDE * SIDE).fill(120) });
  const tensor = { inputs: [{ name: 'row', shape: [1, 5], datatype: 'FP32', data: [1, 2, 1, 0, 0] }] };
  const series = Array.from({ length: 24 }, (_, t) => ({ timestamp: new Date(3_600_000 * t).toISOString(), value: t }));
  const form = '--x\r\nContent-Disposition: form-data; name="a"; filename="a.png"\r\n\r\nabc\r\n--x--';
  return [
    { path: '/detectors/row/score', type: 'application/json', text: JSON.stringify(rowOf(1)) },
    { path: '/detectors/row/score', type: 'text/csv', text: 'a,b,kind\n1,2,x\n3,4,y\n' },
    { path: '/detectors/row/score', type: 'application/vnd.apache.parquet', text: 'PAR1\x15\x04\x15PAR1' },
    { path: '/detectors/tile/score', type: 'image/png', text: Buffer.from(png).toString('latin1') },
    { path: '/detectors/tile/score', type: 'multipart/form-data; boundary=x', text: form },
    { path: '/v2/models/row/infer', type: 'application/json', text: JSON.stringify(tensor) },
    {
      path: '/anomalydetector/v1.1/timeseries/entire/detect',
      ...{ type: 'application/json', text: JSON.stringify({ series, granularity: 'hourly' }) },
    },
  ];
}

describe('bodies', () => {
  it(`answers ${MALFORMED} malformed ones below 500, and the good ones between them with their own scores`, async () => {
    const rng = new Rng(3);
    const all = seeds();
    const expected = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => (await row.scoreRow(rowOf(i))).score),
    );
    for (let i = 0; i < MALFORMED; i += 10) {
      const bad = Array.from({ length: 10 }, async (_, k) => {
        const { path, type, text } = all[(i + k) % all.length];
        const bytes = Buffer.from(text, 'latin1');
        for (let n = 0; n < 1 + rng.int(4); n++) bytes[rng.int(bytes.length)] = rng.int(256);
        const body = rng.int(3) === 0 ? bytes.subarray(0, rng.int(bytes.length)) : bytes;
        const length: Record<string, string> =
          rng.int(8) === 0 ? { 'Inference-Header-Content-Length': String(rng.int(200)) } : {};
        const answer = await fetch(`${server.url}${path}`, {
          ...{ method: 'POST', body, headers: { 'Content-Type': type, ...length } },
        });
        expect(answer.status, `${path} ${body.toString('latin1')}`).toBeLessThan(500);
        await answer.arrayBuffer();
      });
      const good = expected.slice(0, 4).map(async (_, k) => {
        const which = (i + k) % expected.length;
        expect(await scoreOf(server.url, rowOf(which))).toBe(expected[which]);
      });
      await Promise.all([...bad, ...good]);
    }
  }, 300_000);

  it('gives each of many requests at once its own answer, and the same ones when half of the clients leave', async () => {
    const expected = await Promise.all(
      Array.from({ length: 60 }, async (_, i) => (await row.scoreRow(rowOf(i))).score),
    );
    const asked = Array.from({ length: 240 }, async (_, i) => {
      if (i % 2 === 0) return expect(await scoreOf(server.url, rowOf(i % 60))).toBe(expected[i % 60]);
      const leaving = new AbortController();
      const left = fetch(`${server.url}/detectors/row/score`, { ...json(rowOf(i % 60)), signal: leaving.signal });
      setTimeout(() => leaving.abort(), i % 7);
      return left.then(
        async (answer) => void (await answer.arrayBuffer().catch(() => {})),
        () => {},
      );
    });
    await Promise.all(asked);
  });

  it('closes connections that dribble or never finish, and answers others meanwhile', async () => {
    await using other = await serve(
      [join(folder, 'row')],
      { port: 0, threads: 1, device: 'cpu', deadline: 1.5 },
      quiet,
    );
    const slow: Socket[] = [];
    const closed = Array.from({ length: 20 }, (_, i) => {
      const socket = connect(Number(new URL(other.url).port), '127.0.0.1');
      slow.push(socket.on('error', () => {}).resume() as Socket);
      // Some never end their heads, others their bodies.
      const head = 'POST /detectors/row/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
      socket.write(i % 2 ? head : `${head}Content-Length: 1000\r\n\r\n{`);
      return once(socket, 'close', { signal: AbortSignal.timeout(10_000) });
    });
    const dribble = setInterval(() => {
      for (const socket of slow) if (socket.writable) socket.write('a');
    }, 100);
    expect(await scoreOf(other.url, rowOf(1))).toBe((await row.scoreRow(rowOf(1))).score);
    await Promise.all(closed);
    clearInterval(dribble);
  });
});

describe('the parts of a server', () => {
  it('answers 503 where the worker of a detector dies during a request, and the next one with a new worker', async () => {
    await using other = await serve([join(folder, 'row')], { port: 0, threads: 1, device: 'cpu' }, quiet);
    const before = workers.length;
    const score = await scoreOf(other.url, rowOf(2));
    const [worker] = workers.slice(before);
    // It dies as the next call reaches it.
    worker.postMessage = () => void worker.terminate();
    const answer = await fetch(`${other.url}/detectors/row/score`, json(rowOf(3)));
    expect(answer.status).toBe(503);
    expect(answer.headers.get('Retry-After')).toBe('1');
    expect((await answer.json()).error.code).toBe('worker-died');
    expect(await scoreOf(other.url, rowOf(2))).toBe(score);
    expect(workers.length).toBeGreaterThan(before + 1);
  });

  it.skipIf(!existsSync('/dev/full'))('goes on where its log cannot be written', async () => {
    const full = openSync('/dev/full', 'w');
    const args = ['serve', join(folder, 'row'), '--port', '0', '--json', '--device', 'cpu'];
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', full] });
    closeSync(full);
    const [first] = await once(child.stdout!, 'data');
    const { url } = JSON.parse(String(first));
    const score = (await row.scoreRow(rowOf(3))).score;
    for (let i = 0; i < 20; i++) expect(await scoreOf(url, rowOf(3))).toBe(score);
    child.kill('SIGTERM');
    expect((await once(child, 'exit', { signal: AbortSignal.timeout(20_000) }))[0]).toBe(0);
  });
});
