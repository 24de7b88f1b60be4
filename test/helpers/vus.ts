/**
 * VUS-PR of TSB-AD by its definition, step by step, for golden tests of detectors: with every window length 0 … `window` the
 * soft labels, the touched zones and the curve of 250 thresholds (Paparrizos et al. 2022; the published code's rules).
 */

const THRESHOLDS = 250;

type Zone = [first: number, last: number];

export function vusPr(scores: Float64Array, labels: Uint8Array, window: number): number {
  const n = scores.length;
  const sorted = scores.toSorted().reverse();
  const thresholds = Array.from({ length: THRESHOLDS }, (_, k) => sorted[Math.trunc((k * (n - 1)) / (THRESHOLDS - 1))]);
  const predicted = thresholds.map((threshold) => scores.reduce((count, s) => count + (s >= threshold ? 1 : 0), 0));
  const segments = segmentsOf(labels);
  const widest = widened(segments, Math.floor(window / 2), n);
  const positives = labels.reduce((a, b) => a + b, 0);
  let sum = 0;
  for (let length = 0; length <= window; length++) {
    const soft = softLabels(labels, segments, length);
    const zones = widened(segments, Math.floor(length / 2), n);
    let before = 0;
    for (const [k, threshold] of thresholds.entries()) {
      let [hits, labelled] = [0, 0];
      for (const [first, last] of widest) {
        for (let t = first; t <= last; t++) {
          const isHit = scores[t] >= threshold;
          const label = labels[t] === 1 ? 1 : isHit ? soft[t] : 0;
          labelled += label;
          if (isHit) hits += label;
        }
      }
      const touched = zones.filter(([first, last]) => scores.subarray(first, last + 1).some((s) => s >= threshold));
      const recall = Math.min(hits / ((positives + labelled) / 2), 1) * (touched.length / zones.length);
      sum += ((recall - before) * hits) / predicted[k];
      before = recall;
    }
  }
  return sum / (window + 1);
}

function segmentsOf(labels: Uint8Array): Zone[] {
  const out: Zone[] = [];
  for (let t = 0; t < labels.length; t++) {
    if (labels[t] === 0) continue;
    if (t > 0 && labels[t - 1] === 1) out.at(-1)![1] = t;
    else out.push([t, t]);
  }
  return out;
}

function widened(segments: readonly Zone[], by: number, n: number): Zone[] {
  const out: Zone[] = [];
  for (const [s, e] of segments) {
    const [first, last] = [Math.max(0, s - by), Math.min(n - 1, e + by)];
    const previous = out.at(-1);
    if (previous && first <= previous[1]) previous[1] = Math.max(previous[1], last);
    else out.push([first, last]);
  }
  return out;
}

function softLabels(labels: Uint8Array, segments: readonly Zone[], length: number): Float64Array {
  const out = Float64Array.from(labels);
  for (const [first, last] of segments) {
    for (let d = 1; d <= Math.floor(length / 2); d++) {
      const slope = Math.sqrt(1 - d / length);
      if (last + d < out.length) out[last + d] += slope;
      if (first - d >= 0) out[first - d] += slope;
    }
  }
  return out.map((label) => Math.min(label, 1));
}
