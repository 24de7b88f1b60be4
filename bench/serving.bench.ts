/**
 * A server under load on this machine, beside the same detectors in process, in turns: images through PatchCore by 8 clients, rows in
 * batches and one by one, what the server adds to one request, and its memory while more comes than it can answer. The load generator
 * shares the cores with the server, and with whatever else runs: ratios count, and the load of the machine stands beside them. Seconds
 * of the processor, of the server and in process, are the steadier figure; what a Node server costs that answers a constant is told too.
 * `npm run bench -- serving [--seconds 6] [--rounds 3] [--bank 10000] [--soak seconds] [--only name] [--json] [--save]`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import autocannon from 'autocannon';
import { Rng } from '../src/core/random.ts';
import { encodePng } from '../src/data/index.ts';
import type { Detector } from '../src/engine/scoring/detector.ts';
import { median, option, saveRows } from './measure.ts';

// The built package, beside which the weights of its backbone lie, in process as in the server.
const { fit, loadDetector } = (await import(pathToFileURL('dist/index.js').href)) as typeof import('../src/index.ts');

const seconds = Number(option('seconds') || 6);
const rounds = Number(option('rounds') || 3);
const bank = Number(option('bank') || 10_000);
const soak = Number(option('soak') || 20);
const only = option('only');
const side = 256;
const columns = 20;

interface Row {
  readonly name: string;
  readonly [column: string]: string | number | null;
}

const rows: Row[] = [];
const tell = (row: Row) => {
  const whole = { ...row, load: Number(loadavg()[0].toFixed(1)) };
  rows.push(whole);
  if (option('json') === undefined) console.log(JSON.stringify(whole));
};
const wanted = (name: string) => only === undefined || name.includes(only);
const three = (value: number) => Number(value.toPrecision(3));

/** Stripes with noise, [0, 1]. */
function picture(seed: number): Float32Array {
  const rng = new Rng(seed);
  const [phase, tilt] = rng.uniforms(2);
  const noise = rng.normals(side * side, 0, 0.03);
  return noise.map((v, p) => {
    const [y, x] = [Math.floor(p / side), p % side];
    return Math.min(1, Math.max(0, 0.5 + 0.25 * Math.sin(x / 6 + (tilt * y) / 20 + 6 * phase) + v));
  });
}

const png = (values: Float32Array) =>
  encodePng({ height: side, width: side, channels: 1, data: Uint8Array.from(values, (v) => Math.round(255 * v)) });

/** Rows of correlated columns. */
function rowObjects(count: number, seed: number): Record<string, number>[] {
  const rng = new Rng(seed);
  return Array.from({ length: count }, () => {
    const values = rng.normals(columns);
    return Object.fromEntries(Array.from(values, (v, c) => [`c${c}`, v + (c > 0 ? 0.5 * values[c - 1] : 0)]));
  });
}

/** Trains what is served. */
async function prepare(folder: string): Promise<void> {
  const images = new Float32Array(24 * side * side);
  for (let i = 0; i < 24; i++) images.set(picture(i), i * side * side);
  const options = { seed: 1, device: 'cpu' } as const;
  const made = [
    ['parts', () => fit('patchcore', { data: images, shape: [24, 1, side, side] }, options)],
    ['knn', () => fit('knn', rowObjects(bank, 1), options)],
    ['forest', () => fit('isolation-forest', rowObjects(bank, 1), options)],
  ] as const;
  for (const [name, train] of made) {
    const detector = await train();
    await detector.save(join(folder, name));
    await detector.close();
  }
}

/** A tensor as the body of a request, raw behind its JSON; only scores are asked for. */
function tensor(name: string, values: Float32Array, shape: readonly number[]) {
  const parameters = { binary_data_size: values.byteLength };
  const head = JSON.stringify({
    inputs: [{ name, shape, datatype: 'FP32', parameters }],
    outputs: [{ name: 'score', parameters: { binary_data: true } }],
  });
  return {
    body: Buffer.concat([Buffer.from(head), Buffer.from(values.buffer, values.byteOffset, values.byteLength)]),
    headers: { 'Content-Type': 'application/octet-stream', 'Inference-Header-Content-Length': String(head.length) },
  };
}

interface Load {
  readonly url: string;
  readonly body: Buffer | string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
}

interface Loaded {
  readonly answers: number;
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  /** Answers but 200 and 429, and connections that failed. */
  readonly errors: number;
  readonly busy: number;
}

async function loadOf(load: Load, duration = seconds): Promise<Loaded> {
  const found = await autocannon({ ...load, method: 'POST', duration, timeout: 60 });
  const busy = found.statusCodeStats['429']?.count ?? 0;
  return {
    answers: found['2xx'],
    rate: found['2xx'] / found.duration,
    p50: found.latency.p50,
    p99: found.latency.p99,
    errors: found.errors + found.non2xx - busy,
    busy,
  };
}

/** Seconds of the processor that a process has used, where the system says so (Linux). */
async function cpuOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return text === '' ? Number.NaN : (Number(fields[11]) + Number(fields[12])) / 100;
}

const ownCpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** Calls a second of something in process. */
async function rateOf(call: () => Promise<unknown>): Promise<{ readonly calls: number; readonly rate: number }> {
  const begin = performance.now();
  let calls = 0;
  while (performance.now() - begin < 1000 * seconds) {
    await call();
    calls++;
  }
  return { calls, rate: (1000 * calls) / (performance.now() - begin) };
}

interface Compared {
  readonly name: string;
  /** Items of a call in process, and of a request. */
  readonly inProcess: { readonly items: number; readonly call: () => Promise<unknown> };
  readonly load: Load & { readonly items: number };
  readonly bar: number;
  readonly spread?: boolean;
}

/** In process and through the server, in turns. */
async function compare({ name, inProcess, load, bar, spread }: Compared): Promise<void> {
  if (!wanted(name)) return;
  await inProcess.call();
  await loadOf(load, 2);
  const ratios: number[] = [];
  const own: number[] = [];
  const served: Loaded[] = [];
  const cpu = { own: 0, ownItems: 0, served: 0, servedItems: 0 };
  for (let round = 0; round < rounds; round++) {
    const [before, pid] = [ownCpu(), child.pid!];
    const found = await rateOf(inProcess.call);
    own.push(inProcess.items * found.rate);
    cpu.own += ownCpu() - before;
    cpu.ownItems += inProcess.items * found.calls;
    const begin = await cpuOf(pid);
    served.push(await loadOf(load));
    cpu.served += (await cpuOf(pid)) - begin;
    cpu.servedItems += served.at(-1)!.answers * load.items;
    ratios.push((load.items * served.at(-1)!.rate) / own.at(-1)!);
  }
  const [p50, p99] = [median(served.map((one) => one.p50)), median(served.map((one) => one.p99))];
  tell({
    name,
    inProcessPerSecond: three(median(own)),
    servedPerSecond: three(load.items * median(served.map(({ rate }) => rate))),
    ratio: three(median(ratios)),
    bar,
    inProcessCpuMicroseconds: three((1e6 * cpu.own) / cpu.ownItems),
    servedCpuMicroseconds: three((1e6 * cpu.served) / cpu.servedItems),
    medianMs: p50,
    p99Ms: p99,
    ...(spread && { p99ToMedian: three(p99 / p50), barOfP99: 3 }),
    errors: served.reduce((sum, { errors }) => sum + errors, 0),
  });
}

/** One request at a time over one connection, beside the same item in process, in turns. */
async function added(name: string, detector: Detector, values: Float32Array, load: Load): Promise<void> {
  if (!wanted(name)) return;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = () =>
    new Promise<void>((resolve, reject) => {
      const sent = request(load.url, {
        method: 'POST',
        agent,
        headers: { ...load.headers, 'Content-Length': load.body.length },
      });
      sent.on('error', reject).on('response', (answer) => answer.resume().on('end', resolve));
      sent.end(load.body);
    });
  const timed = async (call: () => Promise<unknown>) => {
    const begin = performance.now();
    await call();
    return performance.now() - begin;
  };
  const times: [number, number][] = [];
  const end = performance.now() + 4000 * seconds;
  for (let i = 0; i < 1200 && performance.now() < end; i++) {
    const pair: [number, number] = [await timed(() => detector.score(values, 1, { maps: false })), await timed(ask)];
    if (i >= 20) times.push(pair);
  }
  agent.destroy();
  const [inProcess, served] = [median(times.map(([own]) => own)), median(times.map(([, other]) => other))];
  tell({
    ...{ name, inProcessMs: three(inProcess), servedMs: three(served) },
    ...{ addedMs: three(median(times.map(([own, other]) => other - own))), barMs: 1.5 },
  });
}

/** Memory of the server while more comes than it can answer. */
async function saturated(name: string, url: string, load: Load): Promise<void> {
  if (!wanted(name)) return;
  const bytes = async () =>
    Number(/^oddity_resident_bytes (\S+)/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1]);
  await loadOf(load, Math.max(5, soak / 4)); // until its heap has the size that it needs
  const memory: number[] = [];
  const timer = setInterval(async () => memory.push(await bytes()), 1000 * Math.max(0.25, soak / 300));
  const found = await loadOf(load, soak);
  clearInterval(timer);
  const third = Math.floor(memory.length / 3);
  const [first, last] = [median(memory.slice(0, third)), median(memory.slice(-third))];
  tell({
    ...{ name, soakSeconds: soak, servedPerSecond: three(found.rate), busyAnswers: found.busy, errors: found.errors },
    ...{
      firstMiB: three(first / 2 ** 20),
      lastMiB: three(last / 2 ** 20),
      growth: three(last / first - 1),
      barOfGrowth: 0.05,
    },
  });
}

/** A Node server that answers a constant: no server of Node is faster. */
async function bare(name: string, load: Omit<Load, 'url'>): Promise<void> {
  if (!wanted(name)) return;
  const code = `require('node:http').createServer((asked, answer) => {
    asked.resume().on('end', () => answer.end('{}'));
  }).listen(0, '127.0.0.1', function () { console.log(this.address().port); });`;
  const server = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = Number(String((await once(server.stdout, 'data'))[0]));
  await loadOf({ ...load, url: `http://127.0.0.1:${port}/` }, 2);
  const begin = await cpuOf(server.pid!);
  const { answers, rate, p50, p99, errors } = await loadOf({ ...load, url: `http://127.0.0.1:${port}/` });
  const used = (1e6 * ((await cpuOf(server.pid!)) - begin)) / answers;
  server.kill();
  tell({ name, servedPerSecond: three(rate), servedCpuMicroseconds: three(used), medianMs: p50, p99Ms: p99, errors });
}

const folder = await mkdtemp(join(tmpdir(), 'oddity-serving-'));
const main = join('dist', 'cli', 'main.js');
await prepare(folder);
const flags = ['--port', '0', '--json', '--quiet', '--device', 'cpu', '--max-items', '8192', '--queue', '16384'];
const child = spawn(process.execPath, [main, 'serve', folder, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
const small = spawn(process.execPath, [main, 'serve', join(folder, 'knn'), ...flags.slice(0, -1), '16'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const whereOf = async (one: typeof child): Promise<string> =>
  JSON.parse(String((await once(one.stdout!, 'data'))[0])).url;
const detectors: Detector[] = [];
try {
  const [url, smallUrl] = await Promise.all([whereOf(child), whereOf(small)]);
  const open = async (name: string) => {
    detectors.push(await loadDetector(join(folder, name), { device: 'cpu' }));
    return detectors.at(-1)!;
  };
  const [parts, knn, forest] = [await open('parts'), await open('knn'), await open('forest')];

  const images = new Float32Array(16 * side * side);
  for (let i = 0; i < 16; i++) images.set(picture(500 + i), i * side * side);
  const one = images.subarray(0, side * side);
  const files = Array.from({ length: 16 }, (_, i) => png(images.subarray(i * side * side, (i + 1) * side * side)));
  const clients = { connections: 8, items: 1 };
  await compare({
    name: 'patchcore 256x256, tensors, 8 clients',
    inProcess: { items: 16, call: () => parts.score(images, 16, { maps: false }) },
    load: { url: `${url}/v2/models/parts/infer`, ...tensor('image', one, [1, 1, side, side]), ...clients },
    ...{ bar: 0.9, spread: true },
  });
  await compare({
    name: 'patchcore 256x256, PNG files, 8 clients',
    inProcess: {
      items: 16,
      call: async () => {
        for await (const found of parts.scoreEach(files)) void found;
      },
    },
    load: {
      url: `${url}/detectors/parts/score`,
      body: Buffer.from(files[0]),
      headers: { 'Content-Type': 'image/png' },
      ...clients,
    },
    ...{ bar: 0.9, spread: true },
  });

  const objects = rowObjects(4096, 2);
  const oneRow = tensor('row', new Float32Array(columns), [1, columns]);
  await bare('a Node server that answers a constant, 32 connections', { ...oneRow, connections: 32 });
  for (const [name, detector, words] of [
    ['knn', knn, `knn, bank of ${bank} rows`],
    ['forest', forest, 'isolation-forest'],
  ] as const) {
    const values = new Float32Array(4096 * columns);
    for (const [i, row] of objects.entries()) values.set((await detector.read(row)).values, i * columns);
    const batch = (count: number) => ({
      items: count,
      call: () => detector.score(values.subarray(0, count * columns), count, { maps: false }),
    });
    const infer = `${url}/v2/models/${name}/infer`;
    await compare({
      name: `${words}, batches of 4096 as tensors, 2 clients`,
      inProcess: batch(4096),
      load: { url: infer, ...tensor('row', values, [4096, columns]), connections: 2, items: 4096 },
      bar: 0.8,
    });
    const single = { connections: 32, items: 1 };
    await compare({
      name: `${words}, single rows as tensors, 32 connections`,
      inProcess: batch(32),
      load: { url: infer, ...tensor('row', values.subarray(0, columns), [1, columns]), ...single },
      bar: 0.5,
    });
    const json = { body: JSON.stringify(objects[0]), headers: { 'Content-Type': 'application/json' } };
    await compare({
      name: `${words}, single rows as JSON objects, 32 connections`,
      inProcess: batch(32),
      load: { url: `${url}/detectors/${name}/score`, ...json, ...single },
      bar: 0.5,
    });
    const alone = { url: infer, ...tensor('row', values.subarray(0, columns), [1, columns]), connections: 1 };
    await added(`${words}, added to one row at one client`, detector, values.subarray(0, columns), alone);
    if (name === 'knn') {
      const all = tensor('row', values.subarray(0, 16 * columns), [16, columns]);
      const load = { url: `${smallUrl}/v2/models/knn/infer`, ...all, connections: 32 };
      await saturated(`${words}, memory at saturation`, smallUrl, load);
    }
  }
  await added('patchcore 256x256, added to one tensor at one client', parts, one, {
    ...{ url: `${url}/v2/models/parts/infer`, ...tensor('image', one, [1, 1, side, side]), connections: 1 },
  });
  if (option('json') !== undefined) console.log(JSON.stringify({ rounds, rows }));
  await saveRows('serving', rows);
} finally {
  for (const detector of detectors) await detector.close();
  for (const one of [child, small]) one.kill();
  await rm(folder, { recursive: true, force: true });
}
