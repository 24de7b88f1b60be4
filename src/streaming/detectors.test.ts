/** Laws that every detector of streams keeps, and what each should find. */
import { describe, expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { leftMatrixProfile } from '../models/parts/series/matrix-profile.ts';
import { type CutTree, displacement, emptyTrees, forget, insert } from './cut-tree.ts';
import type { AnyStreamDetector, DetectorStream, StreamScore } from './define.ts';
import {
  halfSpaceTrees,
  leftProfile,
  pageHinkley,
  randomCutForest,
  streamDetectors,
  windowedGaussian,
} from './index.ts';
import { normalTail } from './windowed-gaussian.ts';

/** Small options, so that every part of a detector is reached soon. */
const small: Readonly<Record<string, object>> = {
  'half-space-trees': { window: 60, height: 6 },
  'random-cut-forest': { trees: 10, sample: 48, shingle: 3, memory: 100 },
  'left-profile': { length: 12, history: 200 },
  'page-hinkley': { lambda: 5 },
  'windowed-gaussian': { window: 80, step: 7 },
};

const each = streamDetectors.map((detector) => [detector.name, detector] as const);
const openSmall = (detector: AnyStreamDetector, channels = 1, seed = 1) =>
  detector.open(channels, small[detector.name], seed);

/** Waves with noise `[steps, channels]`. */
function waves(steps: number, channels = 1): Float64Array {
  const noise = new Rng(7).normals(steps * channels);
  return Float64Array.from(noise, (value, i) => {
    const [t, c] = [Math.floor(i / channels), i % channels];
    return (c + 1) * (Math.sin(t / (4 + c)) + 0.1 * value) + 100 * c;
  });
}

function replay(stream: DetectorStream, values: Float64Array, from = 0): StreamScore[] {
  const steps = values.length / stream.channels;
  return Array.from({ length: steps - from }, (_, i) => {
    const at = (from + i) * stream.channels;
    return stream.push(values.slice(at, at + stream.channels))!;
  });
}

/** Compares states; the matcher for arrays is slow on so many bytes. */
const isSame = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

const scoresOf = (answers: readonly StreamScore[]) => answers.map(({ score }) => score);

describe.each(each)('%s', (_, detector) => {
  it('gives the same scores and state for the same seed', () => {
    const [a, b] = [openSmall(detector, 2), openSmall(detector, 2)];
    expect(replay(a, waves(300, 2))).toEqual(replay(b, waves(300, 2)));
    expect(isSame(a.save(), b.save())).toBe(true);
  });

  it('goes on after a restore as without one, at every 83rd step', () => {
    const values = waves(420, 2);
    const whole = openSmall(detector, 2);
    const wanted = replay(whole, values);
    let stream = openSmall(detector, 2);
    const found: StreamScore[] = [];
    for (let t = 0; t < 420; t++) {
      if (t % 83 === 0) {
        const bytes = stream.save();
        stream = openSmall(detector, 2);
        stream.restore(bytes);
        expect(isSame(stream.save(), bytes)).toBe(true);
      }
      found.push(stream.push(values.slice(2 * t, 2 * t + 2))!);
    }
    expect(found).toEqual(wanted);
    expect(isSame(stream.save(), whole.save())).toBe(true);
  });

  it('has finite scores after its warm-up, whose parts by channel add up to them', () => {
    const answers = replay(openSmall(detector, 3), waves(400, 3));
    const first = answers.findIndex(({ score }) => score !== null);
    expect(first).toBeGreaterThanOrEqual(0);
    for (const { score, parts } of answers.slice(first)) {
      expect(Number.isFinite(score)).toBe(true);
      const sum = parts!.reduce((all, part) => all + part, 0);
      expect(Math.abs(sum - score!)).toBeLessThan(1e-9 * Math.max(1, score!));
      expect(Math.min(...parts!)).toBeGreaterThanOrEqual(-1e-12);
    }
    const alone = replay(openSmall(detector), waves(400)).at(-1)!;
    expect(alone.parts![0]).toBeCloseTo(alone.score!, 12);
  });

  it('skips points that are not finite as if they had not been there', () => {
    const [a, b] = [openSmall(detector, 2), openSmall(detector, 2)];
    replay(a, waves(200, 2));
    replay(b, waves(200, 2));
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) expect(a.push(Float64Array.of(1, bad))).toBeUndefined();
    expect(isSame(a.save(), b.save())).toBe(true);
    const error = (call: () => unknown) => {
      try {
        call();
      } catch (thrown) {
        return thrown as { name: string; code: string; message: string };
      }
    };
    expect(error(() => a.push(Float64Array.of(1)))).toMatchObject({ name: 'DataError', code: 'stream-channels' });
  });

  it('says nothing of a constant stream, and something of the first other value', () => {
    const stream = openSmall(detector);
    const constant = replay(stream, new Float64Array(300).fill(5));
    const last = constant.at(-1)!.score!;
    expect(Number.isFinite(last)).toBe(true);
    expect(stream.push(Float64Array.of(9))!.score!).toBeGreaterThan(last);
  });

  it('bears huge and tiny values', () => {
    const stream = openSmall(detector);
    const noise = new Rng(1).normals(300);
    for (const scale of [1e-12, 1e12]) {
      for (const value of noise) {
        const { score } = stream.push(Float64Array.of(value * scale))!;
        expect(score === null || Number.isFinite(score)).toBe(true);
      }
    }
  });

  it('refuses states that are damaged or of another stream, and keeps its own', () => {
    const stream = openSmall(detector);
    replay(stream, waves(150));
    const bytes = stream.save();
    const codeOf = (state: Uint8Array, into = stream) => {
      try {
        into.restore(state);
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    for (const at of [0, 5, 13, 40, bytes.length - 1]) {
      const changed = bytes.slice();
      changed[at] ^= 4;
      expect(codeOf(changed), `byte ${at}`).toBe('stream-state-damaged');
    }
    for (const length of [0, 10, bytes.length - 8]) expect(codeOf(bytes.slice(0, length))).toBe('stream-state-damaged');
    expect(codeOf(openSmall(detector, 2).save())).toBe('stream-state-other');
    expect(codeOf(openSmall(detector, 1, 2).save())).toBe('stream-state-other');
    const another = streamDetectors.find(({ name }) => name !== detector.name)!;
    expect(codeOf(openSmall(another).save())).toBe('stream-state-other');
    expect(isSame(stream.save(), bytes)).toBe(true);
  });

  it('refuses unknown options and no channels', () => {
    expect(() => detector.open(1, { ...small[detector.name], treess: 3 })).toThrow(/treess/);
    expect(() => detector.open(0, small[detector.name])).toThrow(/one channel or more/);
  });
});

describe('what is planted is found', () => {
  const steps = 2000;
  const spiked = () => {
    const values = waves(steps);
    values[1500] += 6;
    return values;
  };
  const highest = (answers: readonly StreamScore[], from: number) => {
    const scores = scoresOf(answers).map((score, t) => (t < from ? -1 : (score ?? -1)));
    return scores.indexOf(Math.max(...scores));
  };

  it.each([
    [randomCutForest, { shingle: 4 }, 1500, 1503],
    [windowedGaussian, {}, 1500, 1500],
    [leftProfile, { length: 25 }, 1500, 1524],
  ] as const)('a spike', (detector: AnyStreamDetector, options, first, last) => {
    const at = highest(replay(detector.open(1, options), spiked()), 600);
    expect(at).toBeGreaterThanOrEqual(first);
    expect(at).toBeLessThanOrEqual(last);
  });

  it('a spike, by half-space trees, among the highest hundredth', () => {
    // Whatever is rare at the edges of the window scores nearly as high.
    const scores = scoresOf(replay(halfSpaceTrees.open(1), spiked())).map((score) => score ?? 0);
    expect(scores.filter((score) => score >= scores[1500]).length).toBeLessThan(steps / 100);
  });

  it.each([1, -1])('a lasting shift of the level by %s deviations, by Page–Hinkley', (sign) => {
    const noise = new Rng(5).normals(steps);
    const values = Float64Array.from(noise, (value, t) => value + (t >= 1000 ? 3 * sign : 0));
    const stream = pageHinkley.open(1);
    const scores = scoresOf(replay(stream, values));
    expect(scores.slice(0, 29)).toEqual(Array(29).fill(null));
    const found = scores.findIndex((score, t) => t >= 1000 && score! > 1);
    expect(found).toBeGreaterThan(1005);
    expect(found).toBeLessThan(1050);
    // Both directions start anew.
    expect(scores[found + 1]!).toBe(0);
  });

  it('a shape that was not seen before, by the left profile', () => {
    const values = waves(steps);
    for (let t = 1500; t < 1520; t++) values[t] = values[t - 12];
    const at = highest(replay(leftProfile.open(1, { length: 25 }), values), 600);
    expect(at).toBeGreaterThan(1500);
    expect(at).toBeLessThan(1545);
  });

  it('the channel that caused it', () => {
    for (const [detector, options] of [
      [halfSpaceTrees, {}],
      [randomCutForest, {}],
      [windowedGaussian, {}],
      [leftProfile, { length: 25 }],
    ] as const) {
      const values = waves(1500, 3);
      values[3 * 1200 + 1] += 30;
      const answers = replay((detector as AnyStreamDetector).open(3, options), values);
      const { parts } = answers[1200];
      expect(parts!.indexOf(Math.max(...parts!)), detector.name).toBe(1);
    }
  });
});

describe('half-space trees', () => {
  it('have the score of the formula: a point that meets no other loses all but the way it shares', () => {
    // One tree of height 1: the root holds the window, a leaf the points on its side.
    const stream = halfSpaceTrees.open(1, { trees: 1, height: 1, window: 10 });
    for (const value of [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]) expect(stream.push(Float64Array.of(value))!.score).toBeNull();
    // 1 − (10 + 9 · 2) / (10 · 3), 1 − (10 + 1 · 2) / 30.
    expect(stream.push(Float64Array.of(-3))!.score).toBeCloseTo(1 - 28 / 30, 14);
    expect(stream.push(Float64Array.of(3))!.score).toBeCloseTo(1 - 12 / 30, 14);
  });

  it('do not depend on the scale of the values', () => {
    const values = waves(800);
    const [plain, scaled] = [values, values.map((value) => value * 1024 - 4096)].map((series) =>
      scoresOf(replay(halfSpaceTrees.open(1), series)),
    );
    scaled.forEach((score, t) => {
      if (score !== null) expect(Math.abs(score - plain[t]!)).toBeLessThan(0.02);
    });
  });
});

describe('trees of the random cut forest', () => {
  /** Points of a node as text, and checks on the way that cuts, counts and boxes are those of its points. */
  function pointsBelow(tree: CutTree, node: number, above: number): number[][] {
    const { width, links, boxes, leaves, points } = tree;
    if (node < 0) {
      expect(leaves[2 * ~node]).toBe(above);
      const point = [...points.subarray(~node * width, (~node + 1) * width)];
      return Array.from({ length: leaves[2 * ~node + 1] }, () => point);
    }
    expect(links[4 * node + 3]).toBe(above);
    const [left, right] = [0, 1].map((side) => pointsBelow(tree, links[4 * node + side], node));
    const at = node * (3 + 2 * width);
    const d = links[4 * node + 2];
    for (const point of left) expect(point[d]).toBeLessThanOrEqual(boxes[at]);
    for (const point of right) expect(point[d]).toBeGreaterThan(boxes[at]);
    expect(boxes[at + 1]).toBe(left.length);
    const all = [...left, ...right];
    for (let k = 0; k < width; k++) {
      expect(boxes[at + 3 + 2 * k]).toBe(Math.min(...all.map((point) => point[k])));
      expect(boxes[at + 4 + 2 * k]).toBe(Math.max(...all.map((point) => point[k])));
    }
    return all;
  }

  it('hold exactly the points that were inserted and not forgotten, also equal ones', () => {
    const { trees } = emptyTrees(1, 24, 2);
    const [tree] = trees;
    const rng = new Rng(3);
    const kept: { leaf: number; point: number[] }[] = [];
    for (let i = 0; i < 600; i++) {
      if (kept.length === 24 || (kept.length > 0 && rng.uniform() < 0.4)) {
        const [gone] = kept.splice(rng.int(kept.length), 1);
        forget(tree, gone.leaf);
      } else {
        const point = [rng.int(5), rng.int(4) / 3];
        kept.push({ leaf: insert(tree, Float64Array.from(point), rng), point });
      }
      if (kept.length === 0) continue;
      const found = pointsBelow(tree, tree.counters[0], -1);
      expect(found.map(String).sort()).toEqual(kept.map(({ point }) => String(point)).sort());
    }
  });

  it('give the expected displacement: the mean over many insertions', () => {
    const rng = new Rng(11);
    const points = Array.from({ length: 12 }, () => Float64Array.of(rng.uniform(), rng.uniform()));
    const [tree] = emptyTrees(1, 13, 2).trees;
    for (const point of points) insert(tree, point, rng);
    const x = Float64Array.of(1.2, 0.5);
    const wanted = displacement(tree, x);
    const tries = 4000;
    let sum = 0;
    for (let i = 0; i < tries; i++) {
      const leaf = insert(tree, x, rng);
      sum += displacementOf(tree, leaf);
      forget(tree, leaf);
    }
    expect(Math.abs(sum / tries - wanted)).toBeLessThan(0.05 * wanted);
  });

  /** CoDisp of a leaf that is in the tree, by the definition. */
  function displacementOf({ links, leaves, boxes, counters, width }: CutTree, leaf: number): number {
    const ways: { cut: number; isLeft: boolean }[] = [];
    let below = ~leaf;
    for (let cut = leaves[2 * leaf]; cut >= 0; cut = links[4 * cut + 3]) {
      ways.unshift({ cut, isLeft: links[4 * cut] === below });
      below = cut;
    }
    let [count, largest] = [counters[1], 0];
    for (const { cut, isLeft } of ways) {
      const onLeft = boxes[cut * (3 + 2 * width) + 1];
      const inside = isLeft ? onLeft : count - onLeft;
      largest = Math.max(largest, (count - inside) / inside);
      count = inside;
    }
    return largest;
  }

  it('forget: after a lasting change the new level is normal again', () => {
    const noise = new Rng(2).normals(3000);
    const values = Float64Array.from(noise, (value, t) => 0.1 * value + (t >= 1000 ? 5 : 0));
    const scores = scoresOf(replay(randomCutForest.open(1, { memory: 512, trees: 20 }), values));
    expect(scores[1003]!).toBeGreaterThan(50);
    const late = scores.slice(2500).sort((a, b) => a! - b!)[250]!;
    const early = scores.slice(700, 1000).sort((a, b) => a! - b!)[150]!;
    expect(late).toBeLessThan(1.5 * early);
  });
});

describe('the left profile', () => {
  it.each([8, 25, 60])('equals the batch profile of windows of %i steps', (length) => {
    const values = waves(6000);
    for (let t = 900; t < 1100; t++) values[t] = 1;
    for (let t = 2300; t < 2400; t++) values[t] = -2;
    const { distance, index } = leftMatrixProfile(values, length);
    const answers = replay(leftProfile.open(1, { length }), values);
    let worst = 0;
    index.forEach((partner, i) => {
      const { score } = answers[i + length - 1];
      expect(score === null, `window ${i}`).toBe(partner < 0);
      if (score !== null) worst = Math.max(worst, Math.abs(score - distance[i]));
    });
    expect(worst).toBeLessThan(1e-6);
  });

  it('looks at the last steps of its history only', () => {
    const [length, history] = [10, 100];
    const values = waves(3000);
    const stream = leftProfile.open(1, { length, history });
    const scores = scoresOf(replay(stream, values));
    for (const t of [250, 1500, 2100, 2999]) {
      const { distance } = leftMatrixProfile(values.slice(t + 1 - history, t + 1), length);
      expect(scores[t]).toBeCloseTo(distance.at(-1)!, 8);
    }
  });

  it('expects what followed the nearest window, in the units of the stream', () => {
    const values = Float64Array.from({ length: 400 }, (_, t) => 1000 + 3 * Math.sin(t / 5));
    const { expected } = replay(leftProfile.open(1, { length: 20 }), values).at(-1)!;
    expect(Math.abs(expected![0] - values[399])).toBeLessThan(0.1);
  });
});

describe('the windowed Gaussian', () => {
  it('has the tail of the normal distribution', () => {
    for (const [z, tail] of [
      [0, 0.5],
      [1, 0.15865525393145707],
      [1.959963984540054, 0.025],
      [4, 3.167124183311986e-5],
      [6, 9.865876450376946e-10],
      [10, 7.619853024160495e-24],
    ])
      expect(Math.abs(normalTail(z) / tail - 1), `${z}`).toBeLessThan(1e-9);
  });

  it('takes mean and deviation of all values so far, then of the window after each step', () => {
    const values = waves(200);
    const answers = replay(windowedGaussian.open(1, { window: 50, step: 20 }), values);
    expect(answers[0].score).toBeNull();
    const by = (from: number, to: number, value: number) => {
      const part = values.slice(from, to);
      const mean = part.reduce((a, b) => a + b, 0) / part.length;
      const deviation = Math.sqrt(part.reduce((a, b) => a + (b - mean) ** 2, 0) / part.length);
      return 1 - normalTail(Math.abs(value - mean) / deviation);
    };
    for (const [t, from, to] of [
      [30, 0, 30],
      [50, 0, 50],
      [69, 0, 50],
      [70, 20, 70],
      [89, 20, 70],
      [199, 140, 190],
    ])
      expect(answers[t].score, `${t}`).toBeCloseTo(by(from, to, values[t]), 10);
  });
});

describe('Page–Hinkley', () => {
  it('with a unit of 1 has the published recursion', () => {
    const values = waves(120);
    const scores = scoresOf(replay(pageHinkley.open(1, { unit: 1 }), values));
    let [mean, up, down] = [0, 0, 0];
    values.forEach((x, t) => {
      mean += (x - mean) / (t + 1);
      up = Math.max(0, 0.9999 * up + (x - mean - 0.005));
      down = Math.max(0, 0.9999 * down + (mean - x - 0.005));
      if (t >= 29) expect(scores[t]).toBeCloseTo(Math.max(up, down) / 50, 12);
    });
  });
});
