/** `oddity studio` as a browser and as a stranger asks it: who gets in, what is refused, live watches and their alarms, what is shipped. */
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { encodePng } from '../../dist/data/index.js';
import { loadDetector, train } from '../../dist/index.js';
import { openStudio, type Studio } from '../../dist/studio/index.js';
import { openDatabase } from '../../dist/studio/store/database.js';

const SIDE = 24;
let root: string;
let studio: Studio;
let cookie: string;

/** A soft grey image; `spot` puts a white square on it. */
function png(seed: number, spot = false): Uint8Array {
  const rng = new Rng(seed);
  const data = Uint8Array.from({ length: SIDE * SIDE }, () => 100 + rng.int(20));
  if (spot) for (let y = 8; y < 14; y++) data.fill(255, y * SIDE + 8, y * SIDE + 14);
  return encodePng({ height: SIDE, width: SIDE, channels: 1, data });
}

const ask = (path: string, init: RequestInit = {}) =>
  fetch(`${studio.url}${path}`, { ...init, headers: { Cookie: cookie, ...init.headers } });
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  ask(path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', ...headers },
  });
const codeOf = async (response: Response) => [
  response.status,
  ((await response.json()) as { error: { code: string } }).error.code,
];
const until = async <T>(look: () => Promise<T | undefined>): Promise<T> => {
  for (let i = 0; i < 200; i++) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((after) => setTimeout(after, 100));
  }
  throw new Error('It did not come.');
};

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'oddity-studio-'));
  const data = join(root, 'parts');
  for (const [part, count, spot] of [
    ['train/good', 24, false],
    ['test/good', 6, false],
    ['test/spot', 6, true],
  ] as const) {
    await mkdir(join(data, part), { recursive: true });
    for (let i = 0; i < count; i++) {
      await writeFile(join(data, part, `${i}.png`), png(100 * part.length + i, spot));
    }
  }
  studio = await openStudio({ folder: join(root, 'studio'), port: 0 });
  const entered = await fetch(studio.address, { redirect: 'manual' });
  expect(entered.status).toBe(302);
  cookie = entered.headers.get('set-cookie')!.split(';')[0];
  expect((await post('/api/projects', { name: 'Parts 1' })).status).toBe(201);
  const out = join(root, 'studio', 'Parts 1', 'runs', 'first');
  await train({ model: 'pca', data, out, size: [SIDE, SIDE], seed: 1, device: 'cpu', falseAlarmRate: 0.1 });
}, 120_000);

afterAll(async () => {
  await studio?.close();
  await rm(root, { recursive: true, force: true });
});

describe('who gets in', () => {
  it('has the key once, and its cookie is for this site and no script', async () => {
    const again = await fetch(studio.address, { redirect: 'manual' });
    expect(await codeOf(again)).toEqual([403, 'wrong-key']);
    const wrong = await fetch(`${studio.url}/open?key=x`, { redirect: 'manual' });
    expect(await codeOf(wrong)).toEqual([403, 'wrong-key']);
    expect((await ask('/open', { redirect: 'manual' })).status).toBe(302);
  });

  it('needs a token for every other address, the page included', async () => {
    for (const path of ['/', '/api/projects', '/detectors', '/metrics', '/api/projects/Parts%201/alarms']) {
      expect(await codeOf(await fetch(`${studio.url}${path}`)), path).toEqual([401, 'no-token']);
    }
    const bearer = await fetch(`${studio.url}/api/projects`, { headers: { Authorization: `Bearer ${studio.token}` } });
    expect(bearer.status).toBe(200);
    const false_ = await fetch(`${studio.url}/api/projects`, { headers: { Cookie: cookie.replace(/=.*/, '=guess') } });
    expect(false_.status).toBe(401);
  });

  it('is no page of another site, and asks by a name of this machine', async () => {
    const foreign = await post('/api/projects', { name: 'theirs' }, { Origin: 'https://evil.example' });
    expect(await codeOf(foreign)).toEqual([403, 'wrong-origin']);
    const status = await new Promise<number>((resolve) => {
      const sent = request(
        `${studio.url}/api/projects`,
        { headers: { Host: 'evil.example', Cookie: cookie } },
        (answer) => resolve(answer.statusCode!),
      );
      sent.end();
    });
    expect(status).toBe(421);
  });
});

describe('names from outside', () => {
  it('lead to no file but those of the project', async () => {
    await writeFile(join(root, 'secret.txt'), 'secret');
    const paths = [
      '/api/projects/..%2F..%2Fsecret/alarms',
      '/api/projects/%2e%2e/alarms',
      '/api/projects/Parts%201/runs/..%2F..%2F..%2Fparts/ship',
      '/api/projects/Parts%201/runs/first/files/..%2F..%2F..%2F..%2Fsecret.txt',
      '/api/projects/Parts%201/runs/first/files/run.json',
      '/api/projects/Parts%201/runs/first/files/constructor',
      '/api/projects/Parts%201/alarms/..%2Fx/picture',
      '/..%2f..%2fpackage.json',
    ];
    for (const path of paths) {
      const answer = await ask(path);
      const text = await answer.text();
      expect(text, path).not.toMatch(/secret"|"dependencies"|secret\n/);
      expect(answer.status === 404 || /<div id="app">|not built/.test(text), path).toBe(true);
    }
  });

  it('are refused where they are no names', async () => {
    for (const name of ['', '..', '.hidden', 'a/b', 'x'.repeat(65), '<svg onload=alert(1)>', 'a\u0000b']) {
      expect(await codeOf(await post('/api/projects', { name })), JSON.stringify(name)).toEqual([400, 'project-name']);
    }
    expect(await codeOf(await post('/api/projects', { name: 'Parts 1' }))).toEqual([409, 'project-exists']);
    expect(await codeOf(await post('/api/projects', { other: 1 }))).toEqual([400, 'bad-body']);
  });

  it('in a page that is shown are harmless: scripts come from the app alone', async () => {
    const page = await ask('/p/anything/data');
    if (page.status === 200) {
      expect(page.headers.get('content-security-policy')).toMatch(/default-src 'self'/);
      expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    }
    const report = await ask('/api/projects/Parts%201/runs/first/files/report.html');
    expect(report.headers.get('content-security-policy')).toMatch(/^sandbox/);
  });
});

describe('ship', () => {
  it('tells files, card, snippets and serves the detector with the same scores', async () => {
    const path = '/api/projects/Parts%201/runs/first';
    const facts = (await (await ask(`${path}/ship`)).json()) as {
      files: { name: string }[];
      card: string;
      snippets: { name: string; code: string }[];
      served: { name: string; isServed: boolean };
    };
    expect(facts.files.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['model.onnx', 'model.json', 'report.html', 'metrics.json']),
    );
    expect(facts.card).toMatch(/## Limits/);
    expect(facts.card).toMatch(/6 of them anomalous/);
    expect(facts.snippets.map(({ name }) => name)).toEqual(['node', 'browser', 'python', 'curl']);
    expect(facts.served).toEqual({ name: 'Parts-1-first', isServed: false });

    const onnx = await ask(`${path}/files/model.onnx`);
    const file = join(root, 'studio', 'Parts 1', 'runs', 'first', 'model.onnx');
    expect(Buffer.from(await onnx.arrayBuffer()).equals(await readFile(file))).toBe(true);

    expect((await post(`${path}/serve`, {})).status).toBe(201);
    const image = png(5, true);
    const answer = await ask('/detectors/Parts-1-first/score', {
      method: 'POST',
      body: image as Uint8Array<ArrayBuffer>,
      headers: { 'Content-Type': 'image/png' },
    });
    const { items } = (await answer.json()) as { items: { score: number; isAnomalous: boolean }[] };
    await using detector = await loadDetector(join(root, 'studio', 'Parts 1', 'runs', 'first'));
    expect(items[0].score).toBeCloseTo((await detector.scoreImage(image)).score, 5);
    expect(items[0].isAnomalous).toBe(true);

    expect((await ask(`${path}/serve`, { method: 'DELETE' })).status).toBe(204);
    expect((await ask('/detectors/Parts-1-first')).status).toBe(404);
  });
});

describe('live', () => {
  const path = '/api/projects/Parts%201';

  it('scores what comes into a folder, makes alarms of anomalies, and passes on what people say', async () => {
    const heard: { path: string }[] = [];
    const receiver = createServer((incoming, outgoing) => {
      let text = '';
      incoming.on('data', (part) => {
        text += part;
      });
      incoming.on('end', () => {
        heard.push(JSON.parse(text));
        outgoing.writeHead(204).end();
      });
    }).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const webhook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
    try {
      const tested = await post(`${path}/sinks/test`, { webhook });
      expect(await tested.json()).toEqual({ sent: ['webhook'] });
      expect(heard.map((one) => one.path)).toEqual(['studio-test.txt']);

      const incoming = join(root, 'incoming');
      await mkdir(incoming);
      const begun = await post(`${path}/watches`, { run: 'first', source: 'folder', place: incoming, webhook });
      expect(begun.status).toBe(201);
      const { id } = (await begun.json()) as { id: string };
      await writeFile(join(incoming, 'good.png'), png(7));
      await writeFile(join(incoming, '<img src=x onerror=alert(1)>.png'), png(8, true));

      const alarms = await until(async () => {
        const page = (await (await ask(`${path}/alarms`)).json()) as {
          alarms: { id: number; item: string; overlay: string; acknowledgedAt: string | null }[];
        };
        return page.alarms.length > 0 ? page.alarms : undefined;
      });
      expect(alarms).toHaveLength(1);
      expect(alarms[0].item).toBe(join(incoming, '<img src=x onerror=alert(1)>.png'));
      const picture = await ask(`${path}/alarms/${alarms[0].id}/picture`);
      expect(picture.headers.get('content-type')).toBe('image/png');

      const said = (await (await post(`${path}/alarms/${alarms[0].id}`, { label: 'normal' })).json()) as {
        label: string;
        acknowledgedAt: string | null;
      };
      expect(said).toMatchObject({ label: 'normal', acknowledgedAt: expect.any(String) });
      const feedback = await readFile(join(root, 'studio', 'Parts 1', 'runs', 'first', 'feedback.jsonl'), 'utf8');
      expect(feedback).toMatch(/"normal"/);

      const [facts] = (await (await ask(`${path}/watches`)).json()) as {
        scored: number;
        anomalies: number;
        state: string;
      }[];
      expect(facts).toMatchObject({ scored: 2, anomalies: 1, state: 'running' });
      await until(async () => (heard.length === 2 ? true : undefined));
      const stopped = (await (await post(`${path}/watches/${id}/stop`, {})).json()) as { state: string };
      expect(stopped.state).toBe('stopped');
    } finally {
      receiver.close();
    }
  });

  it('says what is wrong with a watch, and with a sink that does not answer', async () => {
    expect(await codeOf(await post(`${path}/watches`, { run: 'none', source: 'folder', place: '/x' }))).toEqual([
      404,
      'unknown-run',
    ]);
    expect(await codeOf(await post(`${path}/watches`, { run: 'first', source: 'radio', place: '/x' }))).toEqual([
      400,
      'bad-body',
    ]);
    const closed = await post(`${path}/sinks/test`, { webhook: 'http://127.0.0.1:2/' });
    expect(closed.status).toBe(502);
    expect(await closed.json()).toMatchObject({
      error: { code: 'sink-refused', message: expect.stringContaining('ECONNREFUSED') },
    });
    expect(await codeOf(await post(`${path}/sinks/test`, { webhook: 'file:///etc/passwd' }))).toEqual([
      400,
      'bad-body',
    ]);
    expect(await codeOf(await ask(`${path}/alarms?count=100000`))).toEqual([400, 'bad-page']);
  });

  it('begins a watch that failed once more, when it is told to', async () => {
    const place = join(root, 'late.csv');
    await writeFile(place, 'a\n1\n');
    const { id } = (await (await post(`${path}/watches`, { run: 'first', source: 'folder', place })).json()) as {
      id: string;
    };
    const stateOf = async () => {
      const all = (await (await ask(`${path}/watches`)).json()) as { id: string; state: string; error?: string }[];
      return all.find((one) => one.id === id)!;
    };
    await until(async () => ((await stateOf()).state === 'failed' ? true : undefined));
    expect((await stateOf()).error).toMatch(/is a file/);
    await rm(place);
    await mkdir(place);
    await writeFile(join(place, 'good.png'), png(7));
    expect(await (await post(`${path}/watches/${id}/start`, {})).json()).toMatchObject({ state: 'running' });
    await until(async () => {
      const all = (await (await ask(`${path}/watches`)).json()) as { id: string; scored: number }[];
      return all.find((one) => one.id === id)!.scored === 1 ? true : undefined;
    });
    expect((await ask(`${path}/watches/${id}`, { method: 'DELETE' })).status).toBe(204);
  });

  it('scores a picture of a camera, and keeps those that are anomalous', async () => {
    const frame = (bytes: Uint8Array) =>
      ask(`${path}/runs/first/frame`, { method: 'POST', body: bytes as Uint8Array<ArrayBuffer> });
    const good = (await (await frame(png(7))).json()) as { isAnomalous: boolean; overlay: string };
    const bad = (await (await frame(png(9, true))).json()) as { isAnomalous: boolean; score: number };
    expect([good.isAnomalous, bad.isAnomalous]).toEqual([false, true]);
    expect(good.overlay).toMatch(/^data:image\/png;base64,/);
    const { alarms } = (await (await ask(`${path}/alarms`)).json()) as { alarms: { source: string; score: number }[] };
    expect(alarms[0]).toMatchObject({ source: 'camera of the browser', score: bad.score });
    expect((await frame(new TextEncoder().encode('no picture'))).status).toBe(400);
  });
});

describe('names of served detectors', () => {
  it('are those of one run: another project with the same one is refused, and a removed project serves nothing', async () => {
    expect((await post('/api/projects', { name: 'Parts-1' })).status).toBe(201);
    const copy = join(root, 'studio', 'Parts-1', 'runs', 'first');
    await cp(join(root, 'studio', 'Parts 1', 'runs', 'first'), copy, { recursive: true });
    expect((await post('/api/projects/Parts-1/runs/first/serve', {})).status).toBe(409); // the camera of the other has it
    expect((await ask('/api/projects/Parts%201/runs/first/serve', { method: 'DELETE' })).status).toBe(204);
    expect((await post('/api/projects/Parts-1/runs/first/serve', {})).status).toBe(201);
    expect(await codeOf(await post('/api/projects/Parts%201/runs/first/serve', {}))).toEqual([409, 'name-taken']);
    expect((await ask('/api/projects/Parts-1', { method: 'DELETE' })).status).toBe(204);
    expect((await ask('/detectors/Parts-1-first')).status).toBe(404);
  });
});

describe('options', () => {
  it('that cannot be are named', async () => {
    await expect(openStudio({ folder: join(root, 'other'), port: 99_999 })).rejects.toMatchObject({
      code: 'option-range',
      message: expect.stringContaining('`port`'),
    });
  });
});

describe('changes', () => {
  it('come as events, and what was missed comes after the id that was heard last', async () => {
    const listening = async (headers: Record<string, string>, wanted: RegExp) => {
      const ending = new AbortController();
      const answer = await ask('/api/projects/Parts%201/changes', { headers, signal: ending.signal });
      let text = '';
      for await (const part of answer.body as unknown as AsyncIterable<Uint8Array>) {
        text += new TextDecoder().decode(part);
        if (wanted.test(text)) break;
      }
      ending.abort();
      return text;
    };
    const heard = await listening({ 'Last-Event-ID': '0' }, /event: alarms[\s\S]*id: \d+/);
    expect(heard).toMatch(/event: (live|alarms)\ndata: .*\nid: \d+/);
  });
});

describe('the database of a project', () => {
  it('is kept as it was before it is brought to a new form; a step that fails changes nothing', async () => {
    const path = join(root, 'grown.sqlite');
    const first = 'CREATE TABLE parts (name TEXT)';
    const database = await openDatabase(path, [first]);
    database.exec("INSERT INTO parts VALUES ('screw')");
    database.close();
    await expect(openDatabase(path, [first, 'ALTER TABLE parts ADD COLUMN size REAL; nonsense'])).rejects.toMatchObject(
      {
        code: 'project-damaged',
      },
    );
    const grown = await openDatabase(path, [first, 'ALTER TABLE parts ADD COLUMN size REAL']);
    expect(grown.prepare('SELECT name, size FROM parts').all()).toMatchObject([{ name: 'screw', size: null }]);
    grown.close();
    const before = await openDatabase(`${path}.before-2`, [first]);
    expect(before.prepare('SELECT * FROM parts').get()).toMatchObject({ name: 'screw' });
    before.close();
  });

  it('refuses what is none, and that of a newer oddity, and changes neither', async () => {
    const path = join(root, 'other.sqlite');
    (await openDatabase(path)).close();
    const database = await openDatabase(path);
    database.exec('PRAGMA user_version = 99');
    database.close();
    await expect(openDatabase(path)).rejects.toMatchObject({ code: 'project-newer' });
    const other = join(root, 'none.sqlite');
    const text = 'no database at all, but long enough to be taken for one'.repeat(40);
    await writeFile(other, text);
    await expect(openDatabase(other)).rejects.toMatchObject({ code: 'project-damaged' });
    expect(await readFile(other, 'utf8')).toBe(text);
  });
});
