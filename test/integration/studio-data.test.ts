/** The data of Studio over a socket: what comes in, labels that are kept, masks, pictures, versions that train, and what strangers send. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { appendFile, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { decodeImage, encodePng } from '../../dist/data/index.js';
import { train } from '../../dist/index.js';
import type {
  Facets,
  ImportFacts,
  ItemPage,
  SeriesView,
  Strangers,
  VersionFacts,
} from '../../dist/studio/answers-data.js';
import { itemsOfRun } from '../../dist/studio/data/run-items.js';
import { openStudio, type Studio } from '../../dist/studio/index.js';
import { openProject, type Project } from '../../dist/studio/project.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const SIDE = 32;

let folder: string;
let studio: Studio;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'oddity-studio-data-'));
  studio = await openStudio({ folder: join(folder, 'projects'), port: 0, maxUpload: 1 });
});
afterAll(async () => {
  await studio?.close();
  await rm(folder, { recursive: true, force: true });
});

interface Answer<T> {
  readonly status: number;
  readonly value: T;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

async function ask<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
  const response = await fetch(`${studio.url}/api/projects${path}`, {
    method,
    headers: { Authorization: `Bearer ${studio.token}` },
    ...(body !== undefined && { body: body instanceof Uint8Array ? new Uint8Array(body) : JSON.stringify(body) }),
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const isJson = response.headers.get('Content-Type')?.startsWith('application/json');
  const value = isJson ? JSON.parse(new TextDecoder().decode(bytes)) : undefined;
  return { status: response.status, value, headers: response.headers, bytes };
}

async function got<T>(method: string, path: string, body?: unknown): Promise<T> {
  const { status, value } = await ask<T>(method, path, body);
  expect(status, `${method} ${path}: ${JSON.stringify(value)}`).toBeLessThan(300);
  return value;
}

/** Waits until every file of a project's imports was looked at. */
async function checked(project: string): Promise<readonly ImportFacts[]> {
  await expect
    .poll(
      async () => (await got<{ imports: ImportFacts[] }>('GET', `/${project}/imports`)).imports.some((i) => i.checking),
      {
        timeout: 20_000,
      },
    )
    .toBe(false);
  return (await got<{ imports: ImportFacts[] }>('GET', `/${project}/imports`)).imports;
}

const picture = (seed: number, { spot = false } = {}): Uint8Array => {
  const rng = new Rng(seed);
  const data = Uint8Array.from({ length: SIDE * SIDE }, (_, p) => {
    const isSpot = spot && Math.hypot((p % SIDE) - 20, Math.floor(p / SIDE) - 12) < 5;
    return 120 + Math.round(20 * Math.sin(p / 40)) + rng.int(10) + (isSpot ? 90 : 0);
  });
  return encodePng({ height: SIDE, width: SIDE, channels: 1, data });
};

const mask = (side = SIDE) =>
  encodePng({
    ...{ height: side, width: side, channels: 1 },
    data: Uint8Array.from({ length: side * side }, (_, p) => (p % side < 8 ? 255 : 0)),
  });

/** 20 normal images to train, 6 normal and 6 with a spot to test, masks of the latter. */
async function imageFolder(name: string): Promise<string> {
  const root = join(folder, name);
  const put = async (path: string, content: Uint8Array) => {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), content);
  };
  for (let i = 0; i < 20; i++) await put(`train/good/${i}.png`, picture(i));
  for (let i = 0; i < 6; i++) {
    await put(`test/good/${i}.png`, picture(100 + i));
    await put(`test/spot/${i}.png`, picture(200 + i, { spot: true }));
    await put(`ground_truth/spot/${i}.png`, mask());
  }
  return root;
}

const items = (project: string, query = '') => got<ItemPage>('GET', `/${project}/items?count=1000&${query}`);
const facets = (project: string) => got<Facets>('GET', `/${project}/facets`);

describe('samples', () => {
  it('come in within ten seconds each, understood and labelled', async () => {
    const { samples } = await got<{ samples: { name: string }[] }>('GET', '');
    expect(samples.map(({ name }) => name)).toEqual(['tiles', 'pump', 'sensor', 'squares']);
    const found: Record<string, unknown> = {};
    for (const { name } of samples) {
      const begin = performance.now();
      const { kind, items: count } = await got<{ kind: string; items: number }>('POST', '', { name, sample: name });
      expect(performance.now() - begin).toBeLessThan(10_000);
      found[name] = [kind, count, (await facets(name)).label];
    }
    expect(found).toEqual({
      tiles: ['image', 120, { normal: 90, anomalous: 30 }],
      pump: ['table', 2000, { normal: 1960, anomalous: 40 }],
      sensor: ['series', 1, { none: 1 }],
      squares: ['clip', 8, { anomalous: 4, none: 4 }],
    });
    expect((await facets('tiles')).masks).toBe(30);
    expect((await checked('tiles'))[0].findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    // Labels of clips are those of their folder: they are read anew with it, and nothing else changes them.
    const squares = join(folder, 'projects/squares/imports/squares');
    await writeFile(join(squares, 'labels.csv'), 'clip,first,last,class\ntest/fast-1,5,9,fast\n');
    expect(await got('POST', '/squares/import', { path: squares, kind: 'clip' })).toMatchObject({ added: 0, known: 8 });
    expect((await facets('squares')).type).toEqual({ fast: 1 });
    const refused = await ask<{ error: { code: string } }>('POST', '/squares/edits', {
      items: [1],
      set: { label: 'normal' },
    });
    expect([refused.status, refused.value.error.code]).toEqual([400, 'labels-of-clips']);
    expect((await ask('POST', '', { name: 'none', sample: 'nothing' })).status).toBe(400);
    expect((await ask('GET', '/none')).status).toBe(404);
  }, 60_000);
});

describe('images', () => {
  let root: string;
  beforeAll(async () => {
    root = await imageFolder('parts');
    await copyFile(join(root, 'train/good/3.png'), join(root, 'train/good/3-copy.png'));
    await writeFile(
      join(root, 'train/good/broken.png'),
      (await readFile(join(root, 'train/good/4.png'))).subarray(0, 200),
    );
    await got('POST', '', { name: 'parts', path: root });
  });

  it('are items with labels, parts and masks; a second import changes nothing; findings can be acted on and taken back', async () => {
    const { items: all, total } = await items('parts');
    expect(total).toBe(34);
    expect(all.find(({ name }) => name === 'test/spot/2.png')).toMatchObject({
      ...{ label: 'anomalous', type: 'spot', split: 'test', hasMask: true },
    });
    const [{ id }] = all;
    await got('POST', '/parts/edits', { items: [id], set: { label: 'normal' } });
    expect(await got('POST', '/parts/import', { path: root })).toMatchObject({ added: 0, known: 34 });
    expect((await items('parts')).items[0]).toMatchObject({ id, label: 'normal', type: null });
    await got('POST', '/parts/undo');

    const [{ findings, explanation }] = await checked('parts');
    expect(explanation).toContain('34 images');
    const codes = findings.map(({ code }) => code);
    expect(codes).toEqual(expect.arrayContaining(['cut-file', 'duplicates']));
    const broken = findings.find(({ code }) => code === 'cut-file')!;
    expect(broken).toMatchObject({ items: 1, open: 1, action: 'leave-out', severity: 'error' });
    expect((await items('parts', `finding=${broken.id}`)).items.map(({ name }) => name)).toEqual([
      'train/good/broken.png',
    ]);
    for (const one of findings.filter(({ action }) => action === 'leave-out'))
      await got('POST', `/parts/findings/${one.id}`);
    expect((await checked('parts'))[0].findings.every(({ action, open }) => !action || open === 0)).toBe(true);
    expect((await facets('parts')).tag).toEqual({ 'left out': 2 });
    expect((await got<VersionFacts>('POST', '/parts/versions')).counts).toMatchObject({ items: 32, leftOut: 2 });
    expect((await ask('POST', '/parts/findings/9.9')).status).toBe(404);
  });

  it('labels, splits, types and tags, one by one and by filter, are kept and taken back in order', async () => {
    const before = await facets('parts');
    const { items: spots } = await items('parts', 'type=spot');
    await got('POST', '/parts/edits', { items: spots.slice(0, 2).map(({ id }) => id), set: { type: 'stain' } });
    await got('POST', '/parts/edits', {
      items: { filter: { type: 'stain' } },
      set: { split: 'validation' },
      addTags: ['hard one'],
    });
    expect(await facets('parts')).toMatchObject({
      type: { spot: 4, stain: 2 },
      split: { validation: 2 },
      tag: { 'hard one': 2 },
      undo: 'split validation, tag hard one (2 items)',
    });
    expect((await items('parts', 'tag=hard one&search=SPOT')).total).toBe(2);
    expect((await items('parts', 'search=100%25')).total).toBe(0);
    expect(await got('POST', '/parts/undo')).toEqual({ done: true });
    expect(await got('POST', '/parts/undo')).toEqual({ done: true });
    expect(await facets('parts')).toMatchObject({ type: before.type, split: before.split, tag: before.tag });
    expect(await got('POST', '/parts/redo')).toEqual({ done: true });
    expect((await facets('parts')).type).toEqual({ spot: 4, stain: 2 });
    await got('POST', '/parts/undo');
    const wrong = { items: [spots[0].id], addTags: ['a\u0000b'] };
    expect((await ask('POST', '/parts/edits', wrong)).status).toBe(400);
    expect((await ask('POST', '/parts/edits', { items: [1], set: { label: "'; DROP TABLE items" } })).status).toBe(400);
    const odd = '<script>alert(1)</script>';
    await got('POST', '/parts/edits', { items: [spots[0].id], set: { type: odd } });
    expect((await items('parts', `type=${encodeURIComponent(odd)}`)).total).toBe(1);
    await got('POST', '/parts/undo');
    expect((await ask('GET', '/parts/items?nonsense=1')).status).toBe(400);
    expect((await ask('GET', '/parts/items?wrong=yes')).status).toBe(400);
  });

  it('pictures are small, kept, and never anything that a browser would run', async () => {
    const { items: all } = await items('parts');
    const good = all.find(({ name }) => name === 'train/good/1.png')!;
    const small = await ask('GET', `/parts/items/${good.id}/image?size=160`);
    expect(small.headers.get('Content-Type')).toBe('image/jpeg');
    expect(small.headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(await decodeImage(small.bytes, 'small')).toMatchObject({ height: SIDE, width: SIDE });
    const whole = await ask('GET', `/parts/items/${good.id}/image`);
    expect(whole.headers.get('Content-Type')).toBe('image/png');
    expect([...whole.bytes]).toEqual([...(await readFile(join(root, 'train/good/1.png')))]);
    const kept = readdirSync(join(folder, 'projects/parts/cache'), { recursive: true }).filter((n) =>
      String(n).endsWith('.jpg'),
    );
    expect(kept).toHaveLength(1);
    expect((await ask('GET', `/parts/items/${good.id}/image?size=161`)).status).toBe(400);
    const broken = all.find(({ name }) => name === 'train/good/broken.png')!;
    expect((await ask('GET', `/parts/items/${broken.id}/image?size=160`)).status).toBe(400);
    for (const id of ['0', '-1', '../1', '1e3', '99999', '%2e%2e'])
      expect([404, 400], id).toContain((await ask('GET', `/parts/items/${id}/image`)).status);

    await writeFile(
      join(root, 'train/good/evil.png'),
      '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    );
    await got('POST', '/parts/import', { path: root });
    const [evil] = (await items('parts', 'search=evil')).items;
    const answer = await ask<{ error: { code: string } }>('GET', `/parts/items/${evil.id}/image`);
    expect([answer.status, answer.value.error.code]).toEqual([400, 'not-an-image']);
    await checked('parts');
    await got('POST', '/parts/edits', { items: [evil.id], addTags: ['left out'] });
  });

  it('masks are drawn, refused at another size, taken back, and read as they came', async () => {
    const { items: all } = await items('parts');
    const drawn = all.find(({ name }) => name === 'test/good/0.png')!;
    const came = all.find(({ name }) => name === 'test/spot/0.png')!;
    expect((await ask('GET', `/parts/items/${drawn.id}/mask`)).status).toBe(404);
    expect((await ask('PUT', `/parts/items/${drawn.id}/mask`, mask(16))).status).toBe(400);
    expect((await ask('PUT', `/parts/items/${drawn.id}/mask`, new TextEncoder().encode('<svg/>'))).status).toBe(400);
    await got('PUT', `/parts/items/${drawn.id}/mask`, mask());
    expect(await got('GET', `/parts/items/${drawn.id}`)).toMatchObject({ hasMask: true, label: 'anomalous' });
    const marks = async (id: number) => {
      const { data } = await decodeImage((await ask('GET', `/parts/items/${id}/mask`)).bytes, 'mask');
      return Array.from(data).filter((value) => value > 0).length;
    };
    expect(await marks(drawn.id)).toBe(8 * SIDE);
    expect(await marks(came.id)).toBe(8 * SIDE);
    await got('DELETE', `/parts/items/${came.id}/mask`);
    expect((await items('parts', 'mask=yes')).total).toBe(6);
    await got('POST', '/parts/undo');
    await got('POST', '/parts/undo');
    expect(await got('GET', `/parts/items/${drawn.id}`)).toMatchObject({ hasMask: false, label: 'normal' });
    expect((await items('parts', 'mask=yes')).total).toBe(6);
  });

  it('a version trains; its ids lead back to the items; scores and errors filter', async () => {
    const { items: all } = await items('parts');
    const relabelled = all.find(({ name }) => name === 'test/spot/5.png')!;
    const first = await got<VersionFacts>('POST', '/parts/versions');
    await got('POST', '/parts/edits', { items: [relabelled.id], set: { label: 'normal' } });
    const second = await got<VersionFacts>('POST', '/parts/versions');
    expect(second.hash).not.toBe(first.hash);
    expect((await got<VersionFacts>('POST', '/parts/versions')).hash).toBe(second.hash);
    const { versions } = await got<{ versions: VersionFacts[] }>('GET', '/parts/versions');
    expect(versions.slice(0, 2).map(({ hash }) => hash)).toEqual([second.hash, first.hash]);

    const out = join(folder, 'projects/parts/runs/first/pca');
    const report = await train({ ...second.options, model: 'pca', config: { components: 4 }, size: [32, 32], out });
    expect(report.counts).toMatchObject({ test: 12, testAnomalies: 5 });
    const project = await opened('parts');
    try {
      const ids = ['train/good/0.png', 'test/spot/5.png', 'nothing.png'].map((name) => join('../../../parts', name));
      expect(await itemsOfRun(project, ids, out)).toEqual([
        all.find(({ name }) => name === 'train/good/0.png')!.id,
        relabelled.id,
        undefined,
      ]);
    } finally {
      await project.close();
    }
    const scored = await items('parts', 'run=first/pca&order=score');
    expect(scored.total).toBe(12);
    const scores = scored.items.map(({ score }) => score!);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    const middle = scores[6];
    expect((await items('parts', `run=first/pca&low=${middle}`)).total).toBe(7);
    const wrong = await items('parts', 'run=first/pca&wrong=yes');
    expect(wrong.total).toBeGreaterThan(0);
    expect(wrong.items.every(({ isWrong }) => isWrong)).toBe(true);
    expect(wrong.items.map(({ id }) => id)).toContain(relabelled.id);
    expect((await ask('GET', '/parts/items?run=../../other&order=score')).status).toBe(404);
  }, 60_000);
});

/** A project as another program opens it. */
const opened = (name: string): Promise<Project> =>
  openProject(name, join(folder, 'projects', name), () => ({ close: async () => {} }) as never);

describe('rows and series', () => {
  it('rows have their cells; a version has the labels as they are now, and its lines lead back', async () => {
    const rng = new Rng(1);
    const lines = Array.from(
      { length: 300 },
      (_, i) => `${rng.normals(1)[0].toFixed(3)},${i % 3 === 0 ? '"a, b"' : 'c'},${i % 50 === 0 ? 'bad' : 'ok'}`,
    );
    const path = join(folder, 'rows.csv');
    await writeFile(path, `x,kind,label\n${lines.join('\n')}\n`);
    await got('POST', '', { name: 'rows', path });
    const page = await got<ItemPage>('GET', '/rows/items?from=3&count=2');
    expect(page).toMatchObject({ total: 300, columns: ['x', 'kind'], kind: 'table' });
    expect(page.items[0]).toMatchObject({ line: 5, label: 'normal', values: [expect.any(String), 'a, b'] });
    await got('POST', '/rows/edits', { items: [page.items[0].id], set: { label: 'anomalous' } });
    await got('POST', '/rows/edits', { items: [page.items[1].id], addTags: ['left out'] });
    const { options, path: table, counts } = await got<VersionFacts>('POST', '/rows/versions');
    expect(counts).toMatchObject({ items: 299, anomalous: 7, leftOut: 1 });
    const written = (await readFile(table, 'utf8')).split('\n');
    expect(written[0]).toBe('x,kind,label');
    expect(written[4]).toMatch(/,"a, b",anomalous$/);

    const out = join(folder, 'projects/rows/runs/pca');
    await train({ ...options, model: 'pca', config: { components: 1 }, out });
    const scored = await items('rows', 'run=pca&order=score');
    const tested = (await readFile(join(out, 'predictions.csv'), 'utf8')).trim().split('\n').slice(1);
    expect(scored.total).toBe(tested.length);
    const own = tested.find((line) => line.startsWith('5,'))!;
    expect(scored.items.find(({ line }) => line === 5)?.score).toBe(Number(own.split(',')[3]));
    expect(scored.items.find(({ line }) => line === 6)).toBeUndefined();
    const later = tested.find((line) => Number(line.split(',')[0]) > 5)!.split(',');
    expect(scored.items.find(({ line }) => line === Number(later[0]) + 1)?.score).toBe(Number(later[3]));
  }, 60_000);

  it('stretches of a series are drawn and taken back, and stand in the version', async () => {
    const view = await got<SeriesView>('GET', '/sensor/items/1/series?width=200');
    expect(view).toMatchObject({ steps: 1600, channels: [{ name: 'temperature' }, { name: 'pressure' }] });
    expect(view.channels[0].low).toHaveLength(200);
    expect(view.stretches).toHaveLength(4);
    const stretches = [...view.stretches, { begin: 1500, end: 1510, label: 'anomalous' as const }];
    await got('PUT', '/sensor/items/1/stretches', { stretches });
    expect(
      (await ask('PUT', '/sensor/items/1/stretches', { stretches: [{ begin: 5, end: 5, label: 'normal' }] })).status,
    ).toBe(400);
    const { path, options } = await got<VersionFacts>('POST', '/sensor/versions');
    const [name] = readdirSync(path);
    expect(name).toMatch(/^0001-.*\.csv$/); // the same in every version, since it makes the ids of the steps
    const written = (await readFile(join(path, name), 'utf8')).split('\n');
    expect(written[0]).toBe('time,temperature,pressure,split,label');
    expect([1499, 1500, 1509, 1510].map((t) => written[t + 1].at(-1))).toEqual(['0', '1', '1', '0']);
    expect(options.kind).toBe('series');
    await got('POST', '/sensor/undo');
    expect((await got<SeriesView>('GET', '/sensor/items/1/series')).stretches).toEqual(view.stretches);
    const zoomed = await got<SeriesView>('GET', '/sensor/items/1/series?from=100&to=150');
    expect([zoomed.from, zoomed.to, zoomed.channels[1].high.length]).toEqual([100, 150, 50]);
  });

  it('versions of several series and of clips train, and their steps lead back to the series and the clips', async () => {
    const root = join(folder, 'two');
    await mkdir(root);
    for (const [k, name] of ['a.csv', 'b.csv'].entries()) {
      const lines = Array.from({ length: 240 }, (_, t) => {
        const time = new Date(Date.UTC(2026, 0, 1) + 60_000 * t).toISOString();
        return `${time},${(Math.sin(t / 4 + k) + 0.01 * ((t * 37) % 11)).toFixed(3)}`;
      });
      await writeFile(join(root, name), `time,value\n${lines.join('\n')}\n`);
    }
    await got('POST', '', { name: 'two', path: root });
    const [a, b] = (await items('two')).items;
    await got('PUT', `/two/items/${b.id}/stretches`, { stretches: [{ begin: 200, end: 210, label: 'anomalous' }] });
    const series = await got<VersionFacts>('POST', '/two/versions');
    const squares = await got<VersionFacts>('POST', '/squares/versions');
    const clips = (await items('squares')).items;
    const size: [number, number] = [32, 32];
    for (const [name, options, expected] of [
      ['two', { ...series.options, window: 8 }, [a.id, b.id]],
      ['squares', { ...squares.options, size }, clips.filter(({ split }) => split === 'test').map(({ id }) => id)],
    ] as const) {
      const out = join(folder, 'projects', name, 'runs/pca');
      await train({ ...options, model: 'pca', config: { components: 2 }, out });
      const predictions = (await readFile(join(out, 'predictions.csv'), 'utf8')).trim().split('\n').slice(1);
      const project = await opened(name);
      try {
        const found = await itemsOfRun(
          project,
          predictions.map((line) => line.split(',')[0]),
          out,
        );
        expect([...new Set(found)].sort(), name).toEqual([...expected].sort());
      } finally {
        await project.close();
      }
    }
  }, 60_000);

  it('strangers among the normal rows are found by a job and lead back to the items', async () => {
    const rng = new Rng(4);
    const path = join(folder, 'odd.csv');
    const row = (i: number) => {
      const [x, noise] = rng.normals(2);
      return i === 77 ? '3,-3' : `${x.toFixed(3)},${(x + 0.1 * noise).toFixed(3)}`;
    };
    await writeFile(path, `a,b\n${Array.from({ length: 200 }, (_, i) => row(i)).join('\n')}\n`);
    await got('POST', '', { name: 'odd', path });
    expect(await got('GET', '/odd/strangers')).toEqual({});
    await got('POST', '/odd/edits', { items: [1], addTags: ['left out'] }); // lines of the version are not those of the file
    const { hash } = await got<VersionFacts>('POST', '/odd/versions');
    await got('POST', '/odd/jobs', { kind: 'clean', options: { data: { version: hash } } });
    await expect
      .poll(async () => (await got<Strangers>('GET', '/odd/strangers')).job?.state, { timeout: 40_000 })
      .toBe('done');
    expect(await got<Strangers>('GET', '/odd/strangers')).toMatchObject({ looked: 199 });
    const found = await items('odd', 'finding=strangers');
    expect(found.items.map(({ line }) => line)).toContain(79);
    expect(found.total).toBeLessThan(20);
  }, 60_000);

  it('another kind is refused, and a table of a hundred thousand rows is quick to filter and to edit', async () => {
    const refused = await ask<{ error: { code: string } }>('POST', '/rows/import', { path: join(folder, 'parts') });
    expect([refused.status, refused.value.error.code]).toEqual([400, 'other-kind']);
    const path = join(folder, 'many.csv');
    await writeFile(path, 'a,b,label\n');
    for (let block = 0; block < 10; block++)
      await appendFile(
        path,
        Array.from({ length: 10_000 }, (_, i) => `${(i * 7919) % 1000},${i % 13},${i % 100 === 0 ? 1 : 0}\n`).join(''),
      );
    await got('POST', '', { name: 'many', path });
    await items('many', 'from=0'); // the file is read once
    const timed = async (work: () => Promise<unknown>) => {
      const begin = performance.now();
      await work();
      return performance.now() - begin;
    };
    expect(await timed(() => items('many', 'from=99000&label=normal'))).toBeLessThan(1500);
    expect(
      await timed(() =>
        got('POST', '/many/edits', { items: { filter: { label: 'normal' } }, set: { split: 'train' } }),
      ),
    ).toBeLessThan(5000);
    expect((await facets('many')).split).toEqual({ train: 99_000, none: 1000 });
    expect(await timed(() => got('POST', '/many/undo'))).toBeLessThan(5000);
    expect((await facets('many')).split).toEqual({ none: 100_000 });
  }, 60_000);
});

describe('uploads', () => {
  it('a dropped folder comes in as it was; nothing leads out of it, and nothing is too large', async () => {
    await got('POST', '', { name: 'dropped' });
    const names = [
      '..%2f..%2fevil.png',
      'a%2f..%2fb.png',
      '.hidden.png',
      'a%5cb.png',
      'con.png',
      'x%00.png',
      '',
      'a//b.png',
      '%ff',
    ];
    for (const name of names)
      expect([400, 404], name).toContain((await ask('PUT', `/dropped/imports/${name}`, picture(1))).status);
    expect(existsSync(join(folder, 'evil.png')) || existsSync(join(folder, 'projects/evil.png'))).toBe(false);
    const large = await ask('PUT', '/dropped/imports/large.png', new Uint8Array(2 ** 20 + 1)).catch(() => ({
      status: 413,
    }));
    expect(large.status).toBe(413);
    await new Promise((after) => setTimeout(after, 200)); // its connection is closed: the next request needs another one
    expect((await ask('POST', '/dropped/import', { uploads: true })).status).toBe(400);

    const root = join(folder, 'parts');
    for (const part of ['train/good', 'test/good', 'test/spot', 'ground_truth/spot'])
      for (const name of readdirSync(join(root, part)).filter((name) => /^\d\.png$/.test(name)))
        await got('PUT', `/dropped/imports/set/${part}/${name}`, await readFile(join(root, part, name)));
    expect(await got('POST', '/dropped/import', { uploads: true })).toMatchObject({
      kind: 'image',
      added: 22,
      known: 0,
    });
    expect((await items('dropped')).items[0].path).toMatch(/^imports\/1\/set\/test\/good\//);

    await got('PUT', '/dropped/imports/more/good/1.png', await readFile(join(root, 'train/good/1.png')));
    await got('PUT', '/dropped/imports/more/good/new.png', picture(77));
    const twin = await decodeImage(await readFile(join(root, 'train/good/2.png')), 'twin', 10_000);
    twin.data[0]++;
    const shape = { height: twin.height, width: twin.width, channels: 1 as const };
    await got('PUT', '/dropped/imports/more/good/twin.png', encodePng({ ...shape, data: twin.data as Uint8Array }));
    expect(await got('POST', '/dropped/import', { uploads: true })).toMatchObject({ added: 3 });
    const imports = await checked('dropped');
    expect(imports[1].findings.find(({ code }) => code === 'known-already')).toMatchObject({
      items: 1,
      action: 'leave-out',
    });

    // One pixel differs from an image of the import before.
    const alike = imports[1].findings.find(({ code }) => code === 'looks-known')!;
    expect(alike.action).toBe('leave-out');
    const { items: twins } = await got<ItemPage>('GET', `/dropped/items?finding=${alike.id}`);
    expect(twins.map(({ name }) => name)).toContain('twin.png');
    expect(twins.map(({ name }) => name)).not.toContain('1.png');

    await got('PUT', '/dropped/imports/notes.txt', new TextEncoder().encode('hello'));
    expect((await ask('POST', '/dropped/import', { uploads: true })).status).toBe(400);
    // What could not be read waits for another try, until it is forgotten.
    expect(readdirSync(join(folder, 'projects/dropped/imports')).sort()).toEqual(['.coming', '1', '2']);
    await got('DELETE', '/dropped/imports');
    expect(readdirSync(join(folder, 'projects/dropped/imports')).sort()).toEqual(['1', '2']);
  }, 60_000);
});

describe('a process that is killed', () => {
  it('during an import leaves what was there, or all of it; labels that were answered are kept', async () => {
    const root = join(folder, 'killed');
    const path = join(folder, 'killed.csv');
    await writeFile(
      path,
      `a,b\n${Array.from({ length: 60_000 }, (_, i) => `${(i * 31) % 977},${(i * 17) % 503}`).join('\n')}\n`,
    );
    const small = await imageFolder('few');
    for (const delay of [120, 350, 700]) {
      const child = spawn(process.execPath, [main, 'studio', root, '--port', '0', '--json'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [line] = await once(child.stdout, 'data');
      const { url, token } = JSON.parse(String(line));
      const send = (path: string, body: unknown) =>
        fetch(`${url}/api/projects${path}`, {
          method: 'POST',
          body: JSON.stringify(body),
          headers: { Authorization: `Bearer ${token}` },
        });
      await send('', { name: `p${delay}` });
      await send('', { name: `q${delay}`, path: small });
      await send(`/q${delay}/edits`, { items: [1, 2], set: { label: 'anomalous', type: 'seen' } });
      const importing = send(`/p${delay}/import`, { path }).then(
        (r) => r.status,
        () => 0,
      );
      await new Promise((resolve) => setTimeout(resolve, delay));
      child.kill('SIGKILL');
      await once(child, 'exit');
      await importing;
      const count = async (name: string, sql: string) => {
        const project = await openProject(name, join(root, name), () => ({ close: async () => {} }) as never);
        const { n } = project.database.prepare(sql).get() as { n: number };
        await project.close();
        return n;
      };
      expect([0, 60_000]).toContain(await count(`p${delay}`, 'SELECT count(*) AS n FROM items'));
      expect(await count(`q${delay}`, "SELECT count(*) AS n FROM items WHERE type = 'seen'")).toBe(2);
      expect(await count(`q${delay}`, 'SELECT count(*) AS n FROM items')).toBe(32);
    }
  }, 120_000);
});
