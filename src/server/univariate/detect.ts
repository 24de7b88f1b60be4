/** Detection in one series by that series alone, as Azure's Anomaly Detector had it. Pure: a request gives an answer, nothing is kept. */
import { Problem } from '../problem.ts';
import { type Band, bandAtLast, bandOf, widthOf } from './band.ts';
import { changesOf, windowOf } from './changes.ts';
import { fill, gridOf } from './grid.ts';
import { periodOf } from './period.ts';
import type { ChangePointAnswer, ChangePointRequest, DetectRequest, EntireAnswer, LastAnswer } from './schemas.ts';

/** What is taken where a request says nothing. */
const DEFAULTS = { sensitivity: 95, maxAnomalyRatio: 0.25, threshold: 0.9 };
/** Cycles that a season is learnt from at least. */
const CYCLES = 3;
/** Points that a request for the last one should have where nothing repeats. */
const WINDOW = 63;

/** The period that a request names, or the one that its values have. Throws Problem `InvalidPeriod`. */
function chosenPeriod(values: Float64Array, given: number | null | undefined, known: number): number {
  if (given === undefined || given === null) {
    const complete = values.slice(0, known);
    fill(complete, 'linear');
    return periodOf(complete);
  }
  if (CYCLES * given > known) {
    throw new Problem(
      400,
      'InvalidPeriod',
      `A period must be at most a third of the points that it is learnt from, ${Math.floor(known / CYCLES)} here, got ${given}. Send more points, or leave it out.`,
    );
  }
  return given === 1 ? 0 : given;
}

/** How a point lies to its margin. */
function verdict(value: number, expected: number, margin: number) {
  const off = value - expected;
  const isAnomaly = Math.abs(off) > margin;
  return {
    isAnomaly,
    isPositiveAnomaly: isAnomaly && off > 0,
    isNegativeAnomaly: isAnomaly && off < 0,
    severity: isAnomaly ? 1 - margin / Math.abs(off) : 0,
  };
}

/** The margins on both sides: as wide as the sensitivity says, and no narrower than lets `mostAnomalies` through. */
function marginsOf(band: Band, x: Float64Array, sensitivity: number, mostAnomalies: number): Float64Array {
  const width = widthOf(sensitivity);
  const margins = band.spread.map((spread) => width * spread);
  const reach = x.map((value, t) => Math.abs(value - band.expected[t]) / margins[t]).filter(Number.isFinite);
  const wider = Math.max(1, reach.sort().at(-1 - mostAnomalies) ?? 1);
  return margins.map((margin) => wider * margin);
}

/** Judges all points. Throws Problem 400 with a code of Azure. */
export function detectEntire(request: DetectRequest): EntireAnswer {
  const { values, places } = gridOf(request);
  const { sensitivity, maxAnomalyRatio, period: given } = request;
  const period = chosenPeriod(values, given, values.length);
  const band = bandOf(values, period);
  const most = Math.floor((maxAnomalyRatio ?? DEFAULTS.maxAnomalyRatio) * request.series.length);
  const all = marginsOf(band, values, sensitivity ?? DEFAULTS.sensitivity, most);
  const margins = Array.from(places, (t) => all[t]);
  const expectedValues = Array.from(places, (t) => band.expected[t]);
  const found = request.series.map(({ value }, i) => verdict(value, expectedValues[i], margins[i]));
  return {
    period,
    expectedValues,
    upperMargins: margins,
    lowerMargins: margins,
    isAnomaly: found.map(({ isAnomaly }) => isAnomaly),
    isNegativeAnomaly: found.map(({ isNegativeAnomaly }) => isNegativeAnomaly),
    isPositiveAnomaly: found.map(({ isPositiveAnomaly }) => isPositiveAnomaly),
    severity: found.map(({ severity }) => severity),
  };
}

/** Judges the last point by those before it. Throws Problem 400 with a code of Azure. */
export function detectLast(request: DetectRequest): LastAnswer {
  const { values } = gridOf(request);
  const last = values.length - 1;
  const period = chosenPeriod(values, request.period, last);
  const { expected, spread } = bandAtLast(values, period);
  const margin = widthOf(request.sensitivity ?? DEFAULTS.sensitivity) * spread[last];
  return {
    period,
    suggestedWindow: period > 0 ? 4 * period + 1 : WINDOW,
    expectedValue: expected[last],
    upperMargin: margin,
    lowerMargin: margin,
    ...verdict(values[last], expected[last], margin),
  };
}

/** Finds where level or slope change. Throws Problem 400 with a code of Azure. */
export function detectChangePoints(request: ChangePointRequest): ChangePointAnswer {
  const { series, granularity, customInterval, stableTrendWindow, threshold } = request;
  const { values, places } = gridOf({ series, granularity, customInterval });
  const period = chosenPeriod(values, request.period, values.length);
  const window = stableTrendWindow ?? windowOf(values.length, period);
  if (2 * window > values.length) {
    throw new Problem(
      400,
      'InvalidModelArgument',
      `stableTrendWindow must be at most half of the points, ${Math.floor(values.length / 2)} here, got ${window}. Send more points, or a shorter one.`,
    );
  }
  const found = changesOf(values, { period, window, threshold: threshold ?? DEFAULTS.threshold });
  return {
    period,
    isChangePoint: Array.from(places, (t) => found.isChangePoint[t]),
    confidenceScores: Array.from(places, (t) => found.confidence[t]),
  };
}
