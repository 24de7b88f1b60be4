/** The page that a run leaves behind, made from a real run of a second or two. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeReport, threshold, train } from '../../dist/index.js';
import { problemsOf } from '../helpers/check-html.ts';

const root = mkdtempSync(join(tmpdir(), 'oddity-report-'));
const run = join(root, 'run & <first>');
const read = () => readFileSync(join(run, 'report.html'), 'utf8');
let page: string;
beforeAll(async () => {
  const config = { width: 4, code: 4, epochs: 3, batchSize: 16 };
  await train({ model: 'autoencoder', data: 'synthetic', class: 'texture', config, out: run, threads: 1 });
  page = read();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

it('train leaves a whole page, with curves, pictures and ground truth', () => {
  expect(problemsOf(page)).toEqual([]);
  expect(page).toContain('run &amp; &lt;first&gt;');
  for (const title of ['Scores by kind of item', 'ROC curve', 'Precision and recall', 'Phase “fit”: fit.loss'])
    expect(page).toContain(`<title>${title}</title>`);
  expect(page.match(/<figure class="item/g)).toHaveLength(15);
  expect(page).toContain('class="truth');
  expect(page).toContain('95 % interval');
  expect(page).not.toContain(root);
});

it('report makes the same page again', async () => {
  writeFileSync(join(run, 'report.html'), 'gone');
  expect(await makeReport({ run, device: 'cpu' })).toEqual({ report: join(run, 'report.html') });
  expect(read()).toBe(page);
});

it('without pictures it needs no data, and a threshold that saw the test part is shown as such', async () => {
  await threshold({ run, policies: [{ by: 'f-beta', beta: 1 }], write: true });
  await makeReport({ run, pictures: false });
  const again = read();
  expect(problemsOf(again)).toEqual([]);
  expect(again).toContain('There are no pictures');
  expect(again).toContain('The threshold was tuned on the test set.');
});

it('says what is missing', async () => {
  await expect(makeReport({ run: root })).rejects.toMatchObject({ code: 'not-a-run' });
  rmSync(join(run, 'metrics.json'));
  await expect(makeReport({ run, pictures: false })).rejects.toMatchObject({ code: 'not-finished' });
});
