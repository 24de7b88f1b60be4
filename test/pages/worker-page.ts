/** The page of worker.test.ts: what `openWorker` does, seen from the page that it must not block. */
import { detectorFiles, fit, openWorker, readRows, readSeries } from 'oddity/browser';
import { patchcore } from 'oddity/models';
import { picture, row, side, waves } from './made-items.ts';

const images = () => Array.from({ length: 20 }, (_, i) => new Blob([picture(i) as Uint8Array<ArrayBuffer>]));
const options = { size: [side, side], validationFraction: 0.2, threads: 1 } as const;
const config = { taps: 'fine', coreset: 0.1, smoothing: 1 } as const;

const same = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((v, i) => v === b[i]);

/** Fits images in a worker and in the page, and scores in both. The longest time that the page had to wait meanwhile, in ms. */
export async function fitInWorker() {
  let [longest, last] = [0, performance.now()];
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 5);
  await using worker = openWorker();
  const events: string[] = [];
  const wanted = { ...options, config, weights: 'oddity.safetensors' };
  const detector = await worker.fit('patchcore', images(), { ...wanted, onEvent: ({ type }) => events.push(type) });
  const [first] = images();
  const { score, map } = await detector.scoreImage(first);
  clearInterval(timer);
  await using direct = await fit('patchcore', images(), wanted);
  const inPage = await direct.scoreImage(first);
  const files = await detector.files();
  const reopened = await worker.loadDetector(files, { threads: 1 });
  return {
    longest,
    events: [...new Set(events)],
    isSame: same(files['model.onnx'], detectorFiles(direct)['model.onnx']),
    scores: [score, inPage.score, (await reopened.scoreImage(first)).score],
    mapLength: map.length,
    threshold: detector.threshold,
  };
}

/** Scores of a detector in workers: with two threads, and on WebGPU. */
export async function scoreOnDevices() {
  await using inPage = await fit('pca', images(), options);
  const files = detectorFiles(inPage);
  const odd = new Blob([picture(100, true) as Uint8Array<ArrayBuffer>]);
  const scores = [(await inPage.scoreImage(odd)).score];
  for (const way of [{ threads: 2 }, { device: 'webgpu' }] as const) {
    await using worker = openWorker();
    const detector = await worker.loadDetector(files, way);
    scores.push((await detector.scoreImage(odd)).score);
  }
  return { scores, isIsolated: crossOriginIsolated };
}

/** The same picture in every form that a page has it: scores of the page and of the worker. */
export async function scorePictures() {
  const bitmap = await createImageBitmap(new Blob([picture(1) as Uint8Array<ArrayBuffer>]));
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  const context = canvas.getContext('2d')!;
  context.drawImage(bitmap, 0, 0);
  const offscreen = new OffscreenCanvas(bitmap.width, bitmap.height);
  offscreen.getContext('2d')!.drawImage(bitmap, 0, 0);
  const frame = new VideoFrame(canvas, { timestamp: 0 });
  const element = new Image();
  element.src = canvas.toDataURL();
  await element.decode();
  const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height);
  const forms = { bitmap, canvas, offscreen, frame, element, pixels };
  await using worker = openWorker();
  await using inPage = await fit('pca', images(), options);
  const inWorker = await worker.loadDetector(detectorFiles(inPage), { threads: 1 });
  const scores: Record<string, number[]> = {};
  for (const [name, form] of Object.entries(forms)) {
    const [a, b] = [await inPage.scoreImage(form), await inWorker.scoreImage(form)];
    scores[name] = [a.score, b.score];
  }
  const canvases = images().map(() => canvas);
  await using same = await fit('mean-image', canvases, options);
  frame.close();
  return { scores, kind: same.kind, shape: same.shape };
}

/** Rows and a series in a worker. */
export async function scoreRowsAndSeries() {
  const rows = Array.from({ length: 200 }, (_, i) => row(i));
  const heads = Object.keys(rows[0]);
  const csv = [heads.join(), ...rows.map((one) => heads.map((head) => one[head]).join())].join('\n');
  const { values } = waves(400);
  const steps = Array.from({ length: 400 }, (_, t) => `${t},${values[2 * t]},${values[2 * t + 1]}`);
  const file = (name: string, text: string) => new File([text], name);
  await using worker = openWorker();
  const read = await readRows(file('rows.csv', csv));
  const forest = await worker.fit('isolation-forest', read, { threads: 1 });
  const scored = await forest.scoreRows([row(3), row(3, true)]);
  const series = await readSeries(file('series.csv', ['t,a,b', ...steps].join('\n')));
  const detector = await worker.fit('sub-pca', series, { threads: 1 });
  const { scores, alarms } = await detector.scoreSeries({ ...waves(200, true), channels: series.channels });
  return {
    columns: Object.keys(read[0]),
    rows: scored.map(({ score }) => score),
    channels: series.channels,
    peak: scores.indexOf(Math.max(...scores)),
    alarms: alarms.length,
  };
}

/** What is said where something goes wrong, and how soon a cancelled call answers. */
export async function refusals() {
  const said = async (call: Promise<unknown>) => {
    const error = (await call.catch((e) => e)) as { name?: string; code?: string };
    return `${error.name} ${error.code}`;
  };
  const worker = openWorker();
  const stop = new AbortController();
  const slow = worker.fit('autoencoder', images(), { ...options, signal: stop.signal, config: { epochs: 5000 } });
  setTimeout(() => stop.abort(), 1000);
  const cancelled = await said(slow);
  const begin = performance.now();
  const after = await said(worker.fit('mean-image', images(), options)); // the worker is free again
  const wait = performance.now() - begin;
  const unknown = await said(worker.fit('patchcor' as 'pca', images(), options));
  // @ts-expect-error a copy of a model's value, whose functions could not be sent
  const value = await said(worker.fit({ ...patchcore, name: 'patchcore' }, images(), options));
  const source = { items: [], read() {} } as never;
  const unsendable = await said(worker.fit('pca', source));
  const detector = await worker.fit('mean-image', images(), options);
  await detector.close();
  const closed = await said(detector.scoreImage(images()[0]));
  const open = worker.fit('autoencoder', images(), { ...options, config: { epochs: 5000 } });
  setTimeout(() => worker.close(), 200);
  const ended = await said(open);
  const late = await said(worker.loadDetector('/'));
  const missing = await said(openWorker({ worker: new Worker('none.js', { type: 'module' }) }).loadDetector('/'));
  return { cancelled, after, wait, unknown, value, unsendable, closed, ended, late, missing };
}
