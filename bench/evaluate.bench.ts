/**
 * A threshold dragged over 100,000 scores: what Evaluate computes for each of its positions – confusion matrix, rates with their
 * Clopper–Pearson intervals, review band, held-out normals with their forecast, eight types – and, in Chromium, the whole page while
 * its line is moved by the mouse: milliseconds from the event to the end of its frame, and of the processor of the page's thread for each
 * frame, which are the steadier figure on a machine with other work. Needs `npm run build`, and /usr/bin/chromium for the page. `npm run bench -- evaluate [--json] [--save] [--scores n] [--frames n]`.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { train } from 'oddity';
import { openStudio } from 'oddity/studio';
import { type Browser, chromium } from 'playwright-core';
import { Rng } from '../src/core/random.ts';
import type { ScoresAnswer } from '../src/studio/evaluate/answers.ts';
import { browserPath } from '../test/helpers/page.ts';
import { alarmsOf, modelOf } from '../web/studio/evaluate/model.ts';
import { median, option, saveRows } from './measure.ts';

const count = Number(option('scores') || 100_000);
const frames = Number(option('frames') || 400);
const TYPES = 8;

/** Scores of so many items, a tenth of them anomalous and of seven types, and of a tenth as many held-out normals. */
function made(n: number): Pick<ScoresAnswer, 'classes' | 'normalScores'> & { labels: number[]; scores: number[] } {
  const rng = new Rng(20);
  const noise = rng.normals(n);
  const labels = Array.from(noise, (_, i) => Number(i % 10 === 0));
  const scores = labels.map((label, i) => Math.exp(0.4 * noise[i] + label * (0.6 + 0.2 * (i % 7))));
  return {
    labels,
    scores,
    classes: labels.map((label, i) => (label === 1 ? `type ${1 + (i % (TYPES - 1))}` : 'good')),
    normalScores: [...rng.normals(n / 10).map((v) => Math.exp(0.4 * v))].sort((a, b) => a - b),
  };
}

const p95 = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(0.95 * values.length)];
const rounded = (ms: number) => Number(ms.toFixed(2));

const threshold: ScoresAnswer['threshold'] = {
  value: 2.5,
  rule: 'a value set by hand',
  sawTest: false,
  wantedFalseAlarmRate: null,
  normals: count / 10,
  empiricalRate: 0,
  interval: [0, 1],
  rateInterval: [0, 1],
  reason: null,
};

/** Milliseconds of the numbers of a frame. */
function numbers() {
  const items = { ids: [], items: [], canUpdate: false };
  const begin = performance.now();
  const model = modelOf({ ...items, ...made(count), threshold });
  const prepareMs = performance.now() - begin;
  const times: number[] = [];
  for (let frame = 0; frame < frames; frame++) {
    const at = model.low + ((model.high - model.low) * (frame + 0.5)) / frames;
    const start = performance.now();
    model.points.at(at);
    model.points.verdicts({ low: at * 0.9, high: at });
    model.heldOut(at);
    for (const type of model.types) alarmsOf(type, at);
    times.push(performance.now() - start);
  }
  return { prepareMs, times };
}

/** A small run whose test part is replaced by the scores, so that the page has so many to show. */
async function bigRun(folder: string): Promise<string> {
  const run = join(folder, 'big', 'runs', 'pca');
  const { scores, labels, classes, normalScores } = made(count);
  const rows = scores.slice(0, 200).map((v, i) => `${v},${scores[i + 200]},${labels[i] === 1 ? 'anomaly' : 'normal'}`);
  const data = join(folder, 'rows.csv');
  writeFileSync(data, `a,b,label\n${rows.join('\n')}\n`);
  await train({ model: 'pca', data, out: run, threads: 1 });
  const lines = scores.map((score, i) => `${i + 1},${classes[i]},${labels[i]},${score},`);
  const csv = `id,class,label,score,predicted\n${lines.join('\n')}\n`;
  writeFileSync(join(run, 'predictions.csv'), csv);
  const change = (file: string, to: (json: Record<string, unknown>) => object) => {
    const path = join(run, file);
    writeFileSync(path, JSON.stringify(to(JSON.parse(readFileSync(path, 'utf8')))));
  };
  const hash = createHash('sha256').update(csv).digest('hex');
  change('run.json', (json) => ({ ...json, sha256: { predictions: hash } }));
  change('model.json', (json) => ({ ...json, normalScores, threshold: { ...(json.threshold as object), value: 2.5 } }));
  return run;
}

/** Milliseconds of script, style, layout and paint of each frame while the line is dragged, and megabytes of the page. */
async function dragged(browser: Browser, address: string) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(address);
  await page.goto(`${new URL(address).origin}/p/big/evaluate`);
  const line = page.getByRole('slider', { name: 'Threshold' });
  await line.waitFor({ timeout: 60_000 });
  await page.evaluate(() => {
    // From the first event of a frame until what follows its drawing: a message is handled after the frame is painted.
    const spent: number[] = [];
    Object.assign(globalThis, { spent });
    let begin: number | undefined;
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      if (begin !== undefined) spent.push(performance.now() - begin);
      begin = undefined;
    };
    addEventListener(
      'pointermove',
      () => {
        if (begin !== undefined) return;
        begin = performance.now();
        requestAnimationFrame(() => channel.port2.postMessage(0));
      },
      { capture: true },
    );
  });
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
  const taskSeconds = async () =>
    (await cdp.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration')!.value;
  const cpu: number[] = [];
  let before = await taskSeconds();
  const box = (await page.locator('.histogram .plot').boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + 60);
  await page.mouse.down();
  for (let frame = 0; frame < frames; frame++) {
    const share = 0.5 + 0.45 * Math.sin((2 * Math.PI * frame) / 97);
    await page.mouse.move(box.x + share * box.width, box.y + 60);
    const now = await taskSeconds();
    cpu.push(1000 * (now - before));
    before = now;
  }
  await page.mouse.up();
  const times = await page.evaluate(() => (globalThis as unknown as { spent: number[] }).spent);
  const memory = await page.evaluate(
    () => (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize / 2 ** 20,
  );
  await page.close();
  return { times, cpu, memory };
}

const { prepareMs, times } = numbers();
const rows: Record<string, unknown>[] = [
  {
    name: `numbers of a frame, ${count} scores`,
    frames: times.length,
    medianMs: rounded(median(times)),
    p95Ms: rounded(p95(times)),
    mostMs: rounded(Math.max(...times)),
    prepareMs: Math.round(prepareMs),
  },
];
if (existsSync(browserPath)) {
  const folder = mkdtempSync(join(tmpdir(), 'oddity-evaluate-'));
  const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
  try {
    const studio = await openStudio({ folder, port: 0 });
    await fetch(`${studio.url}/api/projects`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${studio.token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'big' }),
    });
    await bigRun(folder);
    const page = await dragged(browser, studio.address);
    await studio.close();
    rows.push({
      name: `the page while the line is dragged, ${count} scores`,
      frames: page.times.length,
      medianMs: rounded(median(page.times)),
      p95Ms: rounded(p95(page.times)),
      mostMs: rounded(Math.max(...page.times)),
      cpuMedianMs: rounded(median(page.cpu)),
      cpuP95Ms: rounded(p95(page.cpu)),
      heapMiB: Math.round(page.memory),
    });
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
console.log(
  option('json') === undefined ? rows.map((row) => JSON.stringify(row)).join('\n') : JSON.stringify({ rows }),
);
await saveRows('evaluate', rows);
