/** `oddity watch`: nothing twice, nothing lost, whatever is killed, gone or down meanwhile. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import mqtt from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { encodePng } from '../../dist/data/index.js';
import { fit } from '../../dist/index.js';
import { type WatchOptions, type WatchRecord, watch } from '../../dist/watch/index.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const SIDE = 16;
let root: string;
let run: string;

/** Soft grey noise; an anomaly has a white square. */
function picture(seed: number, isAnomalous = false): Uint8Array {
  const rng = new Rng(seed);
  const data = Uint8Array.from({ length: SIDE * SIDE }, (_, p) => {
    const inside = isAnomalous && p % SIDE < 6 && p / SIDE < 6;
    return inside ? 255 : 100 + rng.int(50);
  });
  return encodePng({ height: SIDE, width: SIDE, channels: 1, data });
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'oddity-watch-'));
  run = join(root, 'run');
  const images = Array.from({ length: 60 }, (_, i) => picture(i));
  const detector = await fit('pca', images, { seed: 1, device: 'cpu', threads: 1 });
  await detector.save(run);
  await detector.close();
}, 60_000);
afterAll(() => rm(root, { recursive: true, force: true }));

/** Ended with the tests, whatever became of them. */
const children: ChildProcess[] = [];
afterAll(() => children.forEach((child) => void child.kill('SIGKILL')));

let count = 0;
async function place(): Promise<{ folder: string; out: string }> {
  const folder = join(root, `watched-${count}`);
  await mkdir(folder);
  return { folder, out: join(root, `out-${count++}`) };
}

const quick = { settle: 20, interval: 30, device: 'cpu', threads: 1 } as const;
const resultsOf = async (out: string): Promise<WatchRecord[]> => {
  const text = await readFile(join(out, 'results.ndjson'), 'utf8');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
};

/** Watches until `until` holds. */
async function watching(options: Omit<WatchOptions, 'run'>, until: () => unknown): Promise<void> {
  const stop = new AbortController();
  const ended = watch({ run, ...quick, ...options, signal: stop.signal });
  try {
    await expect.poll(until, { timeout: 20_000, interval: 30 }).toBeTruthy();
  } finally {
    stop.abort();
    await ended;
  }
}

/** A receiver of webhooks that can be told to refuse. */
async function receiver(): Promise<{
  url: string;
  got: { id: string; body: string; signature?: string }[];
  status: { code: number };
  server: Server;
}> {
  const got: { id: string; body: string; signature?: string }[] = [];
  const status = { code: 200 };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const signature = request.headers['x-oddity-signature'] as string | undefined;
    if (status.code === 200) got.push({ id: String(request.headers['x-oddity-id']), body, signature });
    response.writeHead(status.code).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, got, status, server };
}

describe('watch', () => {
  it('scores each file once when it is whole, in the order of their times, and copies anomalies', async () => {
    const { folder, out } = await place();
    const anomalies = join(root, 'anomalies-0');
    await writeFile(join(folder, 'a.png'), picture(100));
    const half = picture(101, true);
    await mkdir(join(folder, 'inside'));
    await writeFile(join(folder, 'inside', 'b.png'), half.subarray(0, 40));
    setTimeout(() => void appendFile(join(folder, 'inside', 'b.png'), half.subarray(40)), 100);
    await writeFile(join(folder, 'notes.txt'), 'no image');
    await watching(
      { folder, out, anomalies, overlays: true, settle: 300 },
      async () => (await resultsOf(out).catch(() => [])).length === 2 && existsSync(join(anomalies, 'inside', 'b.png')),
    );
    const [a, b] = await resultsOf(out);
    expect(a).toMatchObject({ path: 'a.png', isAnomalous: false, decision: 'normal' });
    expect(b).toMatchObject({ path: 'inside/b.png', isAnomalous: true, overlay: 'overlays/inside__b.png.png' });
    expect(existsSync(join(out, b.overlay!))).toBe(true);
    expect(await readFile(join(anomalies, 'inside', 'b.png'))).toEqual(Buffer.from(half));
    expect(await readdir(anomalies)).toEqual(['inside']);
    const lines = (await readFile(join(out, 'results.csv'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => line.split(',')[0])).toEqual(['path', 'a.png', 'inside/b.png']);
  });

  it('goes on where it was: what is done is not done again, a changed file is, a torn line is cut off', async () => {
    const { folder, out } = await place();
    for (const name of ['a', 'b']) await writeFile(join(folder, `${name}.png`), picture(name.charCodeAt(0)));
    const once = { run, folder, out, ...quick, once: true };
    expect(await watch(once)).toEqual({ scored: 2, anomalous: 0, failed: 0 });
    await appendFile(join(out, 'results.ndjson'), '{"id":"torn');
    await writeFile(join(folder, 'b.png'), picture(7, true));
    await writeFile(join(folder, 'c.png'), 'no image');
    expect(await watch(once)).toEqual({ scored: 2, anomalous: 1, failed: 1 });
    const records = await resultsOf(out);
    expect(records.map(({ path }) => path)).toEqual(['a.png', 'b.png', 'b.png', 'c.png']);
    expect(records[3].error?.code).toBe('not-an-image');
    expect(await watch(once)).toEqual({ scored: 0, anomalous: 0, failed: 0 });
  });

  it('refuses a journal that is none, detectors of other items, and its own results as a folder', async () => {
    const { folder, out } = await place();
    await mkdir(out);
    await writeFile(join(out, 'results.ndjson'), '{"some":"thing"}\n');
    await expect(watch({ run, folder, out, ...quick, once: true })).rejects.toMatchObject({ code: 'damaged-journal' });
    await expect(watch({ run, folder, out: folder, ...quick })).rejects.toMatchObject({ code: 'watch-itself' });
    for (const inside of [{ out: join(folder, 'results') }, { out, anomalies: join(folder, 'odd') }]) {
      await expect(watch({ run, folder, ...quick, ...inside })).rejects.toMatchObject({ code: 'watch-itself' });
    }
    await expect(watch({ run, folder, out, ...quick, webhook: 'ftp://x' })).rejects.toMatchObject({
      code: 'webhook-address',
    });
    await expect(watch({ run, folder, out, ...quick, mqtt: 'mqtt://x' })).rejects.toMatchObject({
      code: 'mqtt-address',
    });
  });

  it('waits for a folder that vanishes', async () => {
    const { folder, out } = await place();
    const told: string[] = [];
    const onEvent = (event: { type: string; code?: string }) => void (event.code && told.push(event.code));
    await writeFile(join(folder, 'a.png'), picture(1));
    const phases: (() => Promise<unknown>)[] = [
      async () =>
        (await resultsOf(out).catch(() => [])).length === 1 && rename(folder, `${folder}-away`).then(() => true),
      async () =>
        told.includes('folder-gone') &&
        rename(`${folder}-away`, folder)
          .then(() => writeFile(join(folder, 'b.png'), picture(2)))
          .then(() => true),
      async () => (await resultsOf(out)).length === 2,
    ];
    await watching({ folder, out, onEvent }, async () => {
      if (await phases[0]()) phases.shift();
      return phases.length === 0;
    });
    expect(told).toEqual(['folder-gone', 'folder-back']);
    expect((await resultsOf(out)).map(({ path }) => path)).toEqual(['a.png', 'b.png']);
  });

  it('posts anomalies, signed, once the receiver is up again, and sets aside what it never takes', async () => {
    const { folder, out } = await place();
    const { url, got, status, server } = await receiver();
    const told: string[] = [];
    const onEvent = (event: { type: string; code?: string }) => void (event.code && told.push(event.code));
    status.code = 503;
    await writeFile(join(folder, 'a.png'), picture(1, true));
    await writeFile(join(folder, 'n.png'), picture(2));
    const options = { folder, out, webhook: url, secret: 'shared', onEvent };
    await watching(options, async () => told.includes('sink-down'));
    expect(got).toEqual([]);
    status.code = 200;
    await watching(options, async () => got.length === 1);
    expect(JSON.parse(got[0].body)).toMatchObject({ path: 'a.png', isAnomalous: true, id: got[0].id });
    expect(got[0].signature).toBe(`sha256=${createHmac('sha256', 'shared').update(got[0].body).digest('hex')}`);
    status.code = 400;
    await writeFile(join(folder, 'b.png'), picture(3, true));
    // A receiver that answered as the watch was ended may get its last anomaly once more, and refuse it now.
    const letters = () => readFile(join(out, 'webhook-undelivered.ndjson'), 'utf8').catch(() => '');
    await watching(options, async () => (await letters()).includes('b.png'));
    expect(told).toContain('given-up');
    const last = (await letters()).trim().split('\n').at(-1)!;
    expect(JSON.parse(last)).toMatchObject({ path: 'b.png', reason: expect.stringContaining('answered 400') });
    server.close();
  });

  const broker = spawnSync('mosquitto', ['-h']).error ? undefined : 'mosquitto';
  it.skipIf(!broker)(
    'publishes to MQTT, also what came while the broker was down (needs mosquitto)',
    async () => {
      const { folder, out } = await place();
      const port = 18_830 + (process.pid % 1000);
      const config = join(root, 'mosquitto.conf');
      await writeFile(
        config,
        `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location ${root}/\nuser root\n`,
      );
      const start = () => spawn('mosquitto', ['-c', config], { stdio: 'ignore' });
      let server = start();
      // A subscriber whose messages the broker keeps while it is away.
      const listener = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
        reconnectPeriod: 50,
        clean: false,
        clientId: 'line',
      });
      const messages: WatchRecord[] = [];
      listener.on('error', () => {}).on('message', (_, bytes) => void messages.push(JSON.parse(String(bytes))));
      await listener.subscribeAsync('line/3', { qos: 1 });
      const down = once(server, 'exit');
      server.kill();
      await down;
      await writeFile(join(folder, 'a.png'), picture(1, true));
      const told: string[] = [];
      const onEvent = (event: { type: string; code?: string }) => void (event.code && told.push(event.code));
      let isUp = false;
      try {
        await watching({ folder, out, mqtt: `mqtt://127.0.0.1:${port}/line/3`, onEvent }, async () => {
          if (told.includes('sink-down') && !isUp) {
            isUp = true;
            server = start();
            await writeFile(join(folder, 'b.png'), picture(2, true));
          }
          return messages.length === 2;
        });
      } finally {
        await listener.endAsync(true);
        server.kill();
      }
      expect(messages.map(({ path }) => path)).toEqual(['a.png', 'b.png']);
    },
    40_000,
  );

  it('does nothing twice and loses nothing when it is killed again and again', async () => {
    const { folder, out } = await place();
    const { url, got, server } = await receiver();
    const anomalies = join(root, 'anomalies-kill');
    const total = 120;
    const rng = new Rng(5);
    const source = join(root, 'source.png');
    let written = 0;
    const writer = setInterval(() => {
      if (written >= total) return;
      const name = `part-${String(written).padStart(4, '0')}.png`;
      void writeFile(join(folder, name), picture(1000 + written, written % 4 === 0));
      written++;
    }, 25);
    await copyFile(join(run, 'model.json'), source);
    const args = [
      main,
      'watch',
      run,
      folder,
      '--out',
      out,
      '--webhook',
      url,
      '--anomalies',
      anomalies,
      '--settle',
      '20',
      '--interval',
      '20',
      '--device',
      'cpu',
      '--quiet',
    ];
    let done = 0;
    for (let kills = 0; done < total; kills++) {
      const child = spawn(process.execPath, args, { stdio: 'ignore' });
      children.push(child);
      const ended = once(child, 'exit');
      if (kills < 4) {
        await expect
          .poll(async () => (await resultsOf(out).catch(() => [])).length, { timeout: 20_000, interval: 10 })
          .toBeGreaterThan(done);
        await new Promise((after) => setTimeout(after, rng.int(60)));
        child.kill('SIGKILL');
        await ended;
      } else {
        const isDelivered = async () => {
          const records = await resultsOf(out);
          const wanted = records.filter(({ isAnomalous }) => isAnomalous).map(({ id }) => id);
          const ids = new Set(got.map(({ id }) => id));
          const copied = (await readdir(anomalies)).length === wanted.length;
          return records.length === total && copied && wanted.every((id) => ids.has(id));
        };
        await expect.poll(isDelivered, { timeout: 30_000 }).toBe(true);
        child.kill('SIGTERM');
        expect(await ended).toEqual([0, null]);
      }
      done = (await resultsOf(out).catch(() => [])).length;
    }
    clearInterval(writer);
    const records = await resultsOf(out);
    expect(records.map(({ path }) => path).sort()).toEqual((await readdir(folder)).sort());
    const anomalous = records.filter(({ isAnomalous }) => isAnomalous);
    expect(anomalous.length).toBeGreaterThanOrEqual(total / 4);
    expect((await readdir(anomalies)).sort()).toEqual(anomalous.map(({ path }) => path).sort());
    // Only what was under way at a kill may come again, and its id says so.
    expect(got.length - anomalous.length).toBeLessThanOrEqual(4);
    server.close();
  }, 120_000);
});
