/** Features for the map of similar items: made once by a job for what there is, the same every time, and of whom they are. */
import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImportFacts, ItemPage } from '../../dist/studio/answers-data.js';
import type { SimilarFacts, SimilarItem } from '../../dist/studio/answers-similar.js';
import { studioIn, writeImages } from '../helpers/studio.ts';

type Refusal = { error: { code: string; message: string } };

describe('the map of similar items', () => {
  let studio: Awaited<ReturnType<typeof studioIn>>;
  beforeAll(async () => {
    studio = await studioIn('studio-similar');
  });
  afterAll(async () => {
    await studio.close();
  });

  const facts = async (project: string) => (await studio.ask<SimilarFacts>(`/${project}/similar`)).json;
  /** Makes the features and waits for them. */
  async function made(project: string): Promise<SimilarFacts> {
    expect((await studio.ask(`/${project}/similar`, { method: 'POST' })).status).toBe(202);
    await expect
      .poll(async () => (await facts(project)).job?.state, { timeout: 50_000, interval: 200 })
      .toMatch(/done|failed/);
    return facts(project);
  }

  /** What is in the answer of the features. */
  async function features(project: string) {
    const { bytes } = await studio.ask(`/${project}/similar/features`);
    const { buffer } = Uint8Array.from(bytes);
    const [count, width] = new Uint32Array(buffer, 0, 2);
    const ids = [...new Uint32Array(buffer, 8, count)];
    return { bytes, count, width, ids, rows: new Float32Array(buffer, 8 + 4 * count) };
  }

  it('of images: the same bytes twice, anomalies beside anomalies, and labels change nothing', async () => {
    for (const name of ['a', 'b']) await studio.ask('', { method: 'POST', body: { name, sample: 'tiles' } });
    expect((await studio.ask<Refusal>('/a/similar/features')).json.error.code).toBe('no-features');
    const before = await facts('a');
    expect(before).toMatchObject({ isReady: false, all: 120, taken: 120 });
    const state = await made('a');
    expect(state).toMatchObject({ key: before.key, isReady: true, job: { state: 'done' } });
    await made('b');
    const [a, b] = [await features('a'), await features('b')];
    expect([a.count, a.width, a.rows.length]).toEqual([120, 256, 120 * 256]);
    expect(Buffer.from(a.bytes).equals(Buffer.from(b.bytes))).toBe(true);
    expect(a.rows.every(Number.isFinite)).toBe(true);

    const { items } = (await studio.ask<{ items: SimilarItem[] }>('/a/similar/items')).json;
    expect(items.map(({ id }) => id)).toEqual(a.ids);
    const known = new Map(
      (await studio.ask<ItemPage>('/a/items?count=1000')).json.items.map((item) => [item.id, item] as const),
    );
    expect(items.every(({ id, name, label }) => known.get(id)?.name === name && known.get(id)?.label === label)).toBe(
      true,
    );
    const square = (i: number, j: number) =>
      Array.from({ length: a.width }, (_, c) => (a.rows[i * a.width + c] - a.rows[j * a.width + c]) ** 2).reduce(
        (sum, value) => sum + value,
        0,
      );
    const nearest = (i: number) =>
      [...items.keys()].filter((j) => j !== i).reduce((best, j) => (square(i, j) < square(i, best) ? j : best));
    const odd = [...items.keys()].filter((i) => items[i].label === 'anomalous');
    const beside = odd.filter((i) => items[nearest(i)].label === 'anomalous').length;
    expect(beside / odd.length).toBeGreaterThan(0.8);

    await studio.ask('/a/edits', { method: 'POST', body: { items: [a.ids[0]], set: { label: null } } });
    expect(await facts('a')).toMatchObject({ key: state.key, isReady: true });
    const jobs = async () => (await studio.ask<{ jobs: { kind: string; title: string }[] }>('/a/jobs')).json.jobs;
    const [job, ...others] = await jobs();
    expect([job.kind, 'command' in job, others]).toEqual(['embed', false, []]);
    await studio.ask('/a/similar', { method: 'POST' });
    expect(await jobs()).toHaveLength(1);
    expect((await studio.ask<Refusal>('/a/jobs', { method: 'POST', body: { kind: 'embed' } })).json.error.code).toBe(
      'unknown-job-kind',
    );
  }, 120_000);

  it('of images of which one is broken and one gone: the others', async () => {
    const root = writeImages(studio.at('parts'));
    await writeFile(`${root}/train/good/3.png`, readFileSync(`${root}/train/good/3.png`).subarray(0, 60));
    await studio.ask('', { method: 'POST', body: { name: 'parts', path: root } });
    const isChecked = async () =>
      (await studio.ask<{ imports: ImportFacts[] }>('/parts/imports')).json.imports.every(({ checking }) => !checking);
    await expect.poll(isChecked, { timeout: 20_000 }).toBe(true);
    await rm(`${root}/train/good/4.png`);
    expect(await made('parts')).toMatchObject({ isReady: true, all: 28, taken: 26, missing: 2 });
    const { count } = await features('parts');
    const { items } = (await studio.ask<{ items: SimilarItem[] }>('/parts/similar/items')).json;
    expect([count, items.length]).toEqual([26, 26]);
    expect(items.map(({ name }) => name).filter((name) => /train\/good\/[34]\.png/.test(name))).toEqual([]);
  }, 60_000);

  it('of rows: their columns, standardised, without labels; left-out ones are on it', async () => {
    await studio.ask('', { method: 'POST', body: { name: 'pump', sample: 'pump' } });
    await studio.ask('/pump/edits', { method: 'POST', body: { items: [2], addTags: ['left out'] } });
    expect(await made('pump')).toMatchObject({ isReady: true, all: 2000, taken: 2000 });
    const { ids, width, rows } = await features('pump');
    expect(ids).toEqual(Array.from({ length: 2000 }, (_, i) => i + 1));
    // Four columns of numbers, and one of text with two values.
    expect(width).toBe(6);
    for (let c = 0; c < width; c++) {
      const own = ids.map((_, i) => rows[i * width + c]);
      const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
      const square = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length;
      if (c < 4) {
        expect(mean).toBeCloseTo(0, 5);
        expect(square).toBeCloseTo(1, 5);
      } else expect([...new Set(own)].sort()).toEqual([0, 1]);
    }
  }, 60_000);

  it('of many rows: five thousand at even distances; of series none, and it says why', async () => {
    const rows = Array.from({ length: 12_000 }, (_, i) => `${i % 97},${(i * 7919) % 1009}`);
    await writeFile(studio.at('many.csv'), `a,b\n${rows.join('\n')}\n`);
    await studio.ask('', { method: 'POST', body: { name: 'many', path: studio.at('many.csv') } });
    expect(await made('many')).toMatchObject({ isReady: true, all: 12_000, taken: 5000 });
    const { ids } = await features('many');
    expect(ids).toHaveLength(5000);
    const steps = ids.slice(1).map((id, i) => id - ids[i]);
    expect([Math.min(...steps), Math.max(...steps)]).toEqual([2, 3]);
    await studio.ask('', { method: 'POST', body: { name: 'sensor', sample: 'sensor' } });
    for (const method of ['GET', 'POST']) {
      const { status, json } = await studio.ask<Refusal>('/sensor/similar', { method });
      expect([status, json.error.code]).toEqual([400, 'no-map']);
    }
  }, 90_000);

  it('a selection has a name that filters, and goes with the others', async () => {
    const keep = async (items: number[]) =>
      (await studio.ask<{ group: string }>('/pump/groups', { method: 'POST', body: { items } })).json.group;
    const group = await keep([9, 5, 5, 700]);
    expect(await keep([5, 9, 700])).toBe(group);
    const found = async (query: string) => (await studio.ask<{ ids: number[] }>(`/pump/ids?${query}`)).json.ids;
    expect(await found(`group=${group}`)).toEqual([5, 9, 700]);
    expect(await found(`group=${group}&search=line 6`)).toEqual([5]);
    for (const name of ['0123456789abcdef', '..%2Fitems', `${group}0`]) {
      const { status, json } = await studio.ask<Refusal>(`/pump/ids?group=${name}`);
      expect([status, json.error.code]).toEqual([404, 'unknown-group']);
    }
  });
});
