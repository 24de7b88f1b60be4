/** How rows are read in Studio: looked at, chosen by a click or by hand, kept in versions, obeyed by trainings. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import type { Facets, ImportFacts, ItemPage, ReadingAnswer, VersionFacts } from '../../dist/studio/answers-data.js';
import type { Plans, ShownJob } from '../../dist/studio/jobs/answers.js';
import { studioIn } from '../helpers/studio.ts';

let here: Awaited<ReturnType<typeof studioIn>>;
beforeAll(async () => {
  here = await studioIn('studio-reading');
});
afterAll(() => here?.close());

const change = async (path: string, body: unknown, method = 'POST') => {
  const { status, json } = await here.ask<{ error?: { message: string } }>(path, { method, body });
  if (status >= 300) throw new Error(`${status}: ${json?.error?.message}`);
  return json;
};
const preview = async (path: string, body: object) =>
  (await here.ask<ReadingAnswer>(`${path}/reading/preview`, { method: 'POST', body })).json;

/** Parts of a line: a number with a comma, a sentinel in some rows, a machine by its number, a grade of which 3 is rare. */
function writeParts(name: string): string {
  const rng = new Rng(3);
  const lines = Array.from({ length: 120 }, (_, i) => {
    const isOdd = i % 12 === 5;
    const [heat, drift] = rng.normals(2);
    const temperature = i % 20 === 3 ? '-999' : (20 + heat + (isOdd ? 30 : 0)).toFixed(2).replace('.', ',');
    return [temperature, String(1 + (i % 3)), drift.toFixed(3).replace('.', ','), isOdd ? '3' : '1'].join(';');
  });
  mkdirSync(here.at('data'), { recursive: true });
  const path = here.at('data', name);
  writeFileSync(path, `temperature;machine;drift;grade\n${lines.join('\n')}\n`);
  return path;
}

it('columns, normal labels, words for missing and the decimal mark are looked at and chosen', async () => {
  const path = writeParts('parts.csv');
  await change('', { name: 'parts' });
  const seen = await preview('/parts', { path });
  expect(seen.columns.map(({ name, kind }) => [name, kind])).toEqual([
    ...[
      ['temperature', 'numeric'],
      ['machine', 'numeric'],
      ['drift', 'numeric'],
      ['grade', 'numeric'],
    ],
  ]);
  expect(seen.options.map(({ name }) => name)).toEqual(['columns', 'missing', 'decimal', 'folderNames', 'kind']);
  expect(seen.rows).toHaveLength(8);
  expect(seen.rows[3][0]).toBe(-999);
  const reading = {
    columns: { grade: 'label', machine: 'categorical', drift: 'ignore' },
    folderNames: { normal: ['1'] },
    missing: ['-999'],
    decimal: ',',
  };
  const chosen = await preview('/parts', { path, reading });
  expect(chosen.rows[3][0]).toBeNull();
  expect(chosen.labels).toEqual([
    { value: '1', count: 110, isNormal: true },
    { value: '3', count: 10, isNormal: false },
  ]);
  // A choice that cannot be is told with what can be set instead, and nothing comes in.
  const wrong = await preview('/parts', { path, reading: { columns: { grade: 'label', nothing: 'ignore' } } });
  expect(wrong.fault?.message).toContain('has no column "nothing"');

  expect(await change('/parts/import', { path, reading })).toMatchObject({ kind: 'table', added: 120 });
  const { json: facets } = await here.ask<Facets>('/parts/facets');
  expect(facets.label).toEqual({ normal: 110, anomalous: 10 });
  const version = (await change('/parts/versions', {})) as unknown as VersionFacts;
  expect(version.options).toMatchObject({
    columns: { machine: 'categorical', drift: 'ignore' },
    missing: ['-999'],
    decimal: ',',
  });
  expect(readFileSync(version.path, 'utf8').split('\n')[0]).toBe('temperature;machine;drift;label');

  // Trainings read the version the same way, and say so on the command line.
  const { json: job } = await here.ask<ShownJob>('/parts/jobs', {
    method: 'POST',
    body: { kind: 'train', name: 'first', options: { model: 'ecod', device: 'cpu' } },
  });
  expect(job.command).toMatch(/--column machine=categorical --column drift=ignore --missing -999 --decimal ,/);
  const done = await ended('/parts', job.id);
  expect(done.error).toBeUndefined();
  const run = readFileSync(join(here.folder, 'parts', 'runs', 'first', 'run.json'), 'utf8').replace(/\s/g, '');
  expect(run).toContain('"reading":{"decimal":",","missing":["-999"]}');
  expect(run).toContain('"name":"machine","kind":"categorical"');
  expect(run).not.toContain('"name":"drift"');
  const { json: plans } = await here.ask<Plans>('/parts/plans');
  expect(plans.plans[0].command).toContain('--missing -999');
  const { json: tried } = await here.ask<ShownJob>('/parts/jobs', {
    method: 'POST',
    body: { kind: 'try', options: { models: ['mean-image'], device: 'cpu' } },
  });
  expect((await ended('/parts', tried.id)).error).toBeUndefined();
}, 120_000);

it('what is found is set by a click; labels that a person set stay', async () => {
  const path = writeParts('more.csv');
  await change('', { name: 'more', path });
  const findings = async () => (await here.ask<{ imports: ImportFacts[] }>('/more/imports')).json.imports[0].findings;
  const sentinels = (await findings()).find(({ code }) => code === 'sentinels')!;
  expect(sentinels.message).toContain('--missing -999');
  expect(sentinels.choices).toEqual([{ path: ['missing'], value: '-999' }]);
  await change(`/more/findings/${sentinels.id}/choice`, { choice: 0 });
  expect((await findings()).map(({ code }) => code)).not.toContain('sentinels');
  const item = (await here.ask<ItemPage>('/more/items?count=1')).json.items[0];
  await change('/more/edits', { items: [item.id], set: { label: 'anomalous' } });

  await change(
    '/more/reading',
    { missing: ['-999'], columns: { grade: 'label' }, folderNames: { normal: ['1'] } },
    'PUT',
  );
  const { json: facets } = await here.ask<Facets>('/more/facets');
  expect(facets.label).toEqual({ normal: 109, anomalous: 11 });
  const before = (await change('/more/versions', {})) as unknown as VersionFacts;
  await change(
    '/more/reading',
    { columns: { grade: 'label', drift: 'ignore' }, folderNames: { normal: ['1'] } },
    'PUT',
  );
  const after = (await change('/more/versions', {})) as unknown as VersionFacts;
  expect(after.hash).not.toBe(before.hash);
  // Another meaning of the labels; the one set by hand stays.
  await change('/more/reading', { columns: { grade: 'label' }, folderNames: { normal: ['3'] } }, 'PUT');
  expect((await here.ask<Facets>('/more/facets')).json.label).toEqual({ normal: 10, anomalous: 110 });
  const refused = await here.ask<{ error: { code: string } }>('/more/reading', {
    method: 'PUT',
    body: { columns: { none: 'ignore' } },
  });
  expect([refused.status, refused.json.error.code]).toEqual([400, 'unknown-column']);
  // Rows taken as a series would be other items: all begins anew, in one step.
  expect((await here.ask<Facets>('/more/facets')).json.total).toBe(120);
  await change('/more/reading', { kind: 'series' }, 'PUT');
  expect((await here.ask<Facets>('/more/facets')).json.total).toBe(1);
}, 60_000);

async function ended(project: string, id: string): Promise<ShownJob> {
  for (let i = 0; i < 600; i++) {
    const { json } = await here.ask<ShownJob>(`${project}/jobs/${id}`);
    if (json.state !== 'waiting' && json.state !== 'running') return json;
    await new Promise((go) => setTimeout(go, 100));
  }
  throw new Error('The job does not end.');
}
