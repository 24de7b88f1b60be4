/** The page of families.test.ts, and what Node does beside it: fit, open and score one model of every family. */
import { type Detector, detectorFiles, fit, loadDetector, models, type PageDetector } from 'oddity/browser';
import { movingSquares } from '../../dist/data/clips/moving-squares.js';
import { picture, row, side, waves } from './made-items.ts';

/** Scores of one item or of the steps of one, and its map. */
export interface Scored {
  readonly scores: number[];
  readonly map: number[];
}

/** What a detector says of a normal item and of an anomalous one, each as its kind has it. */
export async function scoreBoth(detector: Detector | PageDetector): Promise<Scored[]> {
  const all: Scored[] = [];
  for (const isAnomalous of [false, true]) {
    if (detector.kind === 'image' || detector.kind === 'table') {
      const one = await (detector.kind === 'image'
        ? detector.scoreImage(picture(100, isAnomalous))
        : detector.scoreRow(row(1000, isAnomalous)));
      all.push({ scores: [one.score], map: Array.from(one.map) });
    } else if (detector.kind === 'series') {
      const { scores } = await detector.scoreSeries(waves(200, isAnomalous));
      all.push({ scores: Array.from(scores), map: [] });
    } else {
      const { clips } = await movingSquares({ size: side, frames: 60, train: 2, test: 1 });
      const { scores, lookAt } = await detector.scoreClip(clips[isAnomalous ? clips.length - 1 : 0]);
      all.push({ scores: Array.from(scores), map: Array.from((await lookAt(30)).map) });
    }
  }
  return all;
}

/** What detectors learn from that the page fits: 20 PNG files, 200 rows, a series. */
export function trainingData(kind: 'image' | 'table' | 'series') {
  if (kind === 'image') return Array.from({ length: 20 }, (_, i) => picture(i));
  if (kind === 'table') return Array.from({ length: 200 }, (_, i) => row(i));
  return waves(400);
}

/** How both fit. */
export const fitOptions = (name: string) => ({
  config: models.find((model) => model.name === name)!.tiny as object,
  validationFraction: 0.2,
  size: [side, side] as const,
  threads: 1,
});

/** Opens a detector that Node wrote and scores with it. */
export async function openAndScore(folder: string): Promise<Scored[]> {
  const detector = await loadDetector(folder, { threads: 1 });
  try {
    return await scoreBoth(detector);
  } finally {
    await detector.close();
  }
}

/** Fits in the page; the sha256 of the graph, and what `model.json` says. */
export async function fitInPage(name: 'pca', kind: 'image' | 'table' | 'series') {
  const options = { ...fitOptions(name), weights: '/oddity.safetensors' };
  const detector = await fit(name, trainingData(kind), options);
  const files = detectorFiles(detector);
  await detector.close();
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', files['model.onnx'] as Uint8Array<ArrayBuffer>));
  return {
    onnx: Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join(''),
    json: new TextDecoder().decode(files['model.json']),
  };
}
