/**
 * The anomaly likelihood of the Numenta detectors (Lavin and Ahmad 2015): how far the mean of the last raw scores lies above
 * what raw scores usually are, as the tail of a normal distribution. It makes a run of high scores one short alarm, because a run
 * soon becomes usual; the benchmark counts every step above the threshold. Only earlier scores take part.
 */
import { normalTail } from '../src/streaming/windowed-gaussian.ts';

/** Steps: without a score, kept, between estimates, of the mean. */
const published = { learning: 288, samples: 100, history: 8640, renew: 100, averaging: 10 };

/** The logarithmic likelihood `[T]`, about 0 to 1, of raw scores `[T]`, larger = more anomalous; that of 0.5 while it learns. */
export function anomalyLikelihood(scores: ArrayLike<number>): Float64Array {
  const { learning, samples, history, renew, averaging } = published;
  const means = new Float64Array(scores.length);
  let sum = 0;
  for (let t = 0; t < scores.length; t++) {
    sum += scores[t] - (t >= averaging ? scores[t - averaging] : 0);
    means[t] = sum / Math.min(t + 1, averaging);
  }
  let [mean, deviation] = [0, 1];
  return means.map((value, t) => {
    if (t < learning + samples) return logarithm(0.5);
    if ((t - learning - samples) % renew === 0) {
      const known = means.subarray(Math.max(learning, t - history), t);
      mean = known.reduce((a, b) => a + b, 0) / known.length;
      deviation = Math.sqrt(known.reduce((a, b) => a + (b - mean) ** 2, 0) / known.length) || 1e-6;
    }
    const z = (value - mean) / deviation;
    return logarithm(z < 0 ? 0.5 : 1 - normalTail(Math.min(z, 1e100)));
  });
}

/** As published: 1 for a likelihood of 1 − 1e-10. */
const logarithm = (likelihood: number) => Math.log(1.0000000001 - likelihood) / -23.02585084720009;
